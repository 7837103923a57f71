"""Slow, readable NumPy versions of the steps, which the tests compare with."""
