"""Millions of samples: preprocessed on Apache Beam, by an exported SavedModel."""
