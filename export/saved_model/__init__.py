"""The SavedModel: its signatures, writing it, one request to it."""
