"""One request as a page to read: what the model receives of it, and how long that took."""
