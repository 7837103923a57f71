"""Artifacts of the preprocessor: writing, reading, running and verifying them. The only place with files and a command line."""
