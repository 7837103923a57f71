"""Runnable examples; `make example` runs them."""
