"""Strings <-> token ids: vocabularies and two engines."""
