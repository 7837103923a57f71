"""Exports in other releases of the runtimes: `make test-tensorflows`, `make test-litert-versions`."""
