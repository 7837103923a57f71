"""`python -m export`, the same program as `gemma4-graph`, from a folder without an `export` of its own."""

from export.cli.main import main

if __name__ == "__main__":
    main()
