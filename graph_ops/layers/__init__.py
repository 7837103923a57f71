"""Keras layers on top of the steps, and what a Python caller may pass them. Nothing below imports Keras."""
