"""The preprocessor and a model in one artifact."""
