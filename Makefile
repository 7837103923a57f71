PYTHON ?= python3
BIN := .venv/bin
DEMO := build/demo
TESTS ?= tests
VOCABULARY ?= graph_ops/demonstration/demonstration.spm
BROWSER := build/browser
BUCKETS := --static text=256,1024 --static image=768x768 --static audio=10
PORT ?= 8000

.DEFAULT_GOAL := help
.PHONY: help demo example playground test test-slow test-browser check bench clean bundle chromium

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

REQUEST := --prompt 'What is in this picture? <|image|> And what does he say? <|audio|>' \
	--image export/demonstration/photo.jpg --audio export/demonstration/speech.wav

demo: .venv/installed  ## export the demonstration vocabulary for servers and for devices, and run one request on both
	rm -rf $(DEMO)
	$(BIN)/python -m export saved-model --tokenizer graph_ops/demonstration/demonstration.spm --out $(DEMO)/gemma4
	$(BIN)/python -m export run $(DEMO)/gemma4/1 $(REQUEST)
	$(BIN)/python -m export litert --tokenizer graph_ops/demonstration/demonstration.spm --out $(DEMO)/device
	$(BIN)/python -m export run $(DEMO)/device $(REQUEST)

example: .venv/installed-dev  ## fine-tune a small Gemma 4 on strings and JPEGs, fuse it with its preprocessor, serve it and ask it
	$(BIN)/python -m examples.fine_tune

playground: bundle browser/node_modules/installed  ## serve a page that shows what the model sees of texts, pictures and sounds
	node browser/server.js $(BROWSER)/bundle $(PORT)

test: .venv/installed-dev  ## the tests, against the references
	$(BIN)/python -m pytest -n 2 --dist loadfile -m 'not slow' $(TESTS)

test-slow: .venv/installed-dev  ## the tests that take longest: both parities on devices, a server under load
	$(BIN)/python -m pytest -n 2 --dist loadfile -m slow $(TESTS)

test-browser: .venv/installed-dev bundle browser/node_modules/installed chromium  ## the bundle in Chromium, against Python
	$(BIN)/python -m browser.golden $(BROWSER)/bundle $(BROWSER)/golden.json
	cd browser && BUNDLE=../$(BROWSER)/bundle GOLDEN=../$(BROWSER)/golden.json node --test --test-reporter spec test.js

check: .venv/installed-dev  ## formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: .venv/installed-dev  ## speeds beside the references, as the README's table
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.serving
	$(BIN)/python -m benchmarks.fused

clean:  ## everything that the other targets made
	rm -rf .venv build browser/node_modules *.egg-info .pytest_cache .mypy_cache .ruff_cache

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "Python 3.11 is needed; run: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml
	@echo 'installing (about a minute)'
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --progress-bar on --editable '.[litert]'
	touch $@

.venv/installed-dev: .venv/installed
	@echo 'installing the references and tools (about a minute)'
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --progress-bar on --editable '.[dev]'
	touch $@

bundle: .venv/installed
	rm -rf $(BROWSER)/bundle
	$(BIN)/python -m export litert --tokenizer $(VOCABULARY) $(BUCKETS) --out $(BROWSER)/bundle

browser/node_modules/installed: browser/package-lock.json browser/install.sh
	browser/install.sh node npm
	cd browser && npm ci --no-progress
	touch $@

chromium:
	browser/install.sh $(if $(CHROMIUM),,chromium)
