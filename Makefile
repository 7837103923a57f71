PYTHON ?= python3
BIN := .venv/bin
DEMO := build/demo
TESTS ?= tests

.DEFAULT_GOAL := help
.PHONY: help demo test check bench clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 8

demo: .venv/installed  ## export the demonstration vocabulary as a SavedModel and run one request on it
	rm -rf $(DEMO)
	$(BIN)/python -m export saved-model --tokenizer graph_ops/demonstration/demonstration.spm --out $(DEMO)/gemma4
	$(BIN)/python -m export run $(DEMO)/gemma4/1 \
		--prompt 'What is in this picture? <|image|> And what does he say? <|audio|>' \
		--image export/demonstration/photo.jpg --audio export/demonstration/speech.wav

test: .venv/installed-dev  ## all tests, against the references
	$(BIN)/python -m pytest -n 2 --dist loadfile $(TESTS)

check: .venv/installed-dev  ## formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: .venv/installed-dev  ## speeds beside the references, as the README's table
	$(BIN)/python -m benchmarks

clean:  ## everything that the other targets made
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "Python 3.11 is needed; run: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml
	@echo 'installing (about a minute)'
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --progress-bar on --editable .
	touch $@

.venv/installed-dev: .venv/installed
	@echo 'installing the references and tools (about a minute)'
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --progress-bar on --editable '.[dev]'
	touch $@
