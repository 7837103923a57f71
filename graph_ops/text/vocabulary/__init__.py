"""Vocabulary files -> pieces."""
