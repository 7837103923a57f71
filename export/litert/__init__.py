"""The LiteRT bundle: its signatures, writing it, one request to it."""
