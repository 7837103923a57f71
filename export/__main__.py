"""`python -m export`, the same as `gemma4-graph`."""

from export.cli.main import main

if __name__ == "__main__":
    main()
