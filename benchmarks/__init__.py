"""Speeds beside named peers, both measured in the same run."""
