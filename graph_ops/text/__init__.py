"""Strings <-> token ids: vocabularies, two engines, the tokenizer."""
