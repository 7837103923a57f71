"""Artifacts beside the references, in every runtime."""
