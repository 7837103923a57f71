"""One module a file format: where its signature is, its size, its pixels."""
