PYTHON ?= python3
BIN := .venv/bin
DEMO := build/demo
TESTS ?= tests
# A part for `make test-python`: ids beside SentencePiece, pixels beside Pillow, the class, both exports.
FAST := tests/graph_ops/text/bpe/test_engine.py tests/graph_ops/image/test_decode.py \
	tests/graph_ops/layers/test_inputs.py tests/export/litert/test_litert.py::test_a_row_equals_that_of_the_saved_model
# A part for `make test-oldest` and `test-newest`: ids, pixels, tensors of both exports, servers, commands, downloads.
# Tests that import SentencePiece's own messages need protobuf 7; the project itself does not.
BOUNDS := tests/graph_ops/text/sentencepiece/test_engine.py tests/graph_ops/layers/test_tokenizer.py \
	$(filter-out %/bpe/test_engine.py %/test_inputs.py,$(FAST)) tests/export/serving/v2 \
	$(addprefix tests/export/serving/test_,rest.py grpc_service.py server.py metrics.py) \
	$(addprefix tests/export/cli/test_,artifacts.py running.py options.py terminal.py) tests/graph_ops/presets/test_downloads.py
# A part for `make test-conditions`: floats that are sums, and rows alone and in a batch.
NUMERIC := $(addprefix tests/graph_ops/audio/test_,encode.py magnitude.py mel.py resample.py resample_soxr.py) \
	tests/graph_ops/layers/test_inputs.py::test_forms_of_one_clip_agree \
	tests/graph_ops/layers/test_inputs.py::test_precomputed_media_agree_with_raw_ones \
	tests/export/saved_model/test_saved_model.py::test_a_row_is_the_same_alone_and_in_any_batch
# A part for `make test-keras-hub`.
WHOLE_ROWS := tests/parity/test_keras_hub_rows.py tests/parity/test_keras_hub_embedding_gemma2.py tests/export/fusing/test_embedding.py \
	tests/graph_ops/presets/test_embedding.py tests/parity/test_keras_hub_gemma3.py \
	-k 'end or installed or bare or defaults-image or embedding or gemma3'
KERAS_HUB := 0.33.0.dev202610250352
NIGHTLY := build/keras-hub-$(KERAS_HUB)
PROCESSOR := build/processor
CYCLONEDX := cyclonedx-bom==7.5.0
UV := uv==0.13.9
PYTORCH := torch==2.13.0 torchvision==0.28.0 sympy mpmath networkx fsspec filelock
VOCABULARY ?= graph_ops/demonstration/demonstration.spm
BROWSER := build/browser
REPORT := build/report.html
BUCKETS := --static text=256,1024 --static image=768x768 --static audio=10 --videos --num-frames 8 --static video=8x640x640
PORT ?= 8000
MINUTES ?= 10
SCALE ?= 1

# $(call needs,3.10,PYTHON) stops where PYTHON is older, or newer than any that TensorFlow has wheels for.
needs = @$(2) -c 'import sys; (3, $(1:3.%=%)) <= sys.version_info[:2] <= (3, 13) or sys.exit("Python $(1) to 3.13 is needed; run: make clean, and make PYTHON=python3.13")'
VERSION = $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2> /dev/null)

.DEFAULT_GOAL := help
.PHONY: help demo example playground screenshots test test-slow test-release test-browser test-clients test-python test-bulk test-conditions test-keras-hub \
	test-processor test-wheel test-tensorflows test-litert-versions test-faults test-oldest test-newest \
	check sbom bench fuzz clean bundle report chromium

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

REQUEST := --prompt 'What is in this picture? <|image|> And what does he say? <|audio|>' \
	--image export/demonstration/photo.jpg --audio export/demonstration/speech.wav

demo: .venv/installed  ## export the demonstration vocabulary for servers and for devices, and run one request on both
	rm -rf $(DEMO)
	$(BIN)/gemma4-graph saved-model --tokenizer graph_ops/demonstration/demonstration.spm --out $(DEMO)/gemma4
	$(BIN)/gemma4-graph run $(DEMO)/gemma4/1 $(REQUEST)
	$(BIN)/gemma4-graph litert --tokenizer graph_ops/demonstration/demonstration.spm --out $(DEMO)/device
	$(BIN)/gemma4-graph run $(DEMO)/device $(REQUEST)

example: .venv/installed-dev  ## fine-tune a small Gemma 4 on strings and JPEGs, fuse it with its preprocessor, serve it and ask it
	$(BIN)/python -m examples.fine_tune

playground: bundle browser/node_modules/installed  ## serve a page that shows what the model sees of texts, pictures, sounds and videos
	node browser/server.js $(BROWSER)/bundle $(PORT)

screenshots: bundle report browser/node_modules/installed chromium  ## draw the playground's tabs and a report for the docs
	cd browser && BUNDLE=../$(BROWSER)/bundle REPORT=../$(REPORT) node screenshots.js ../docs/pictures

# Graphs run here as they were traced, which is faster; in all other tests Grappler rewrites them first.
test: .venv/installed-dev  ## the tests, against the references
	$(BIN)/python -m pytest -n 2 --dist loadfile --without-grappler -m 'not slow' $(TESTS)

test-slow: .venv/installed-dev  ## the tests that take longest: both parities on devices, a server under load
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(if $(LIMIT),--seconds $(LIMIT)) -m 'slow and not release' $(TESTS)

test-release: .venv/installed-dev  ## what `make test-slow` leaves out, because another test is like it
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m release $(TESTS)

test-browser: .venv/installed-dev bundle report browser/node_modules/installed chromium  ## the bundle in Chromium, against Python
	$(BIN)/python -m browser.golden $(BROWSER)/bundle $(BROWSER)/golden.json
	cd browser && BUNDLE=../$(BROWSER)/bundle GOLDEN=../$(BROWSER)/golden.json REPORT=../$(REPORT) \
		node --test --test-reporter spec test_chat.js test_template.js test.js test_video.js test_accessibility.js test_report.js

test-clients: .venv/installed-dev  ## the client in JavaScript beside the embedded server; that in Python is in `make test`
	browser/install.sh node
	$(BIN)/python -m pytest tests/gemma4_client/test_javascript.py

test-python: .venv-$(VERSION)/installed  ## a part of the tests on another Python: make PYTHON=python3.10 test-python
	.venv-$(VERSION)/bin/python -m pytest -n 2 --dist loadfile -m 'not slow' $(FAST)

test-bulk: .venv-bulk/installed  ## bulk preprocessing on Beam, slow tests too, in an environment of its own
	.venv-bulk/bin/python -m pytest -n 2 --dist loadfile tests/export/bulk tests/export/cli/test_bulk.py
	.venv-bulk/bin/python -m pytest tests/house/test_examples.py -k bulk

test-conditions: .venv/installed-dev  ## the sums of floats as other processors and numbers of threads take them
	tools/conditions.sh $(BIN)/python -m pytest -n 2 --dist loadfile -m 'not slow' -k 'not extractor and not converter' $(NUMERIC)

test-keras-hub: $(NIGHTLY)/installed  ## whole rows beside the next keras-hub
	KERAS_HUB=$(KERAS_HUB) PYTHONPATH=$(NIGHTLY) $(BIN)/python -m pytest -n 2 $(WHOLE_ROWS)

test-processor: $(PROCESSOR)/installed  ## whole rows beside transformers' processor (installs PyTorch; needs the real vocabulary)
	PYTHONPATH=$(PROCESSOR) $(BIN)/python -m pytest tests/parity/test_transformers_processor.py tests/parity/test_transformers_unified_processor.py

test-wheel: .venv/installed  ## the wheel, used in a folder that has an export/ of its own
	tools/test_wheel.sh $(BIN)/python

test-tensorflows: .venv/installed-dev  ## the same SavedModels in other releases of TensorFlow and of its C library (installs 2 GB for each)
	$(BIN)/python -m tools.compatibility.tensorflows

test-litert-versions: .venv/installed-dev  ## the same bundle in other releases of LiteRT (installs 6 GB)
	$(BIN)/python -m tools.compatibility.litert

test-oldest: .venv-oldest/installed  ## a part of the tests with the lowest version of each dependency that pyproject.toml allows
	.venv-oldest/bin/python -m pytest -n 2 --dist loadfile -m 'not slow' $(BOUNDS)

test-newest: .venv-newest/installed  ## the same with the newest, pre-releases too
	.venv-newest/bin/python -m pytest -n 2 --dist loadfile -m 'not slow' $(BOUNDS)

check: .venv/installed-dev  ## formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

sbom: .venv/installed .venv-sbom/installed  ## build/sbom.json: packages and licences of an installation, as CycloneDX
	mkdir -p build
	.venv-sbom/bin/cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml --output-reproducible -o build/sbom-environment.json
	$(BIN)/python -m tools.sbom build/sbom-environment.json build/sbom.json

bench: .venv/installed-bench  ## speeds beside the references, as the table of docs/performance.md
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.served
	$(BIN)/python -m benchmarks.serving
	$(BIN)/python -m benchmarks.fused

test-faults: .venv/installed-dev  ## kills, full disks, broken versions, slow clients, nonsense: an hour, or make SCALE=0.1 test-faults
	$(BIN)/python -m tools.faults --scale $(SCALE)

fuzz: .venv/installed-dev  ## look for inputs that crash, hang or differ from the references: make MINUTES=60 fuzz
	$(BIN)/python -m tools.fuzz --minutes $(MINUTES)

clean:  ## everything that the other targets made
	rm -rf .venv .venv-* build browser/node_modules *.egg-info .pytest_cache .mypy_cache .ruff_cache

.venv/bin/python:
	$(call needs,3.10,$(PYTHON))
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml
	@echo 'installing (about a minute)'
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-compile --progress-bar on --editable '.[litert]'
	touch $@

.venv/installed-dev: .venv/installed
	$(call needs,3.11,$(BIN)/python)
	@echo 'installing the references and tools (about a minute)'
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-compile --progress-bar on --editable '.[dev]'
	touch $@

.venv/installed-bench: .venv/installed-dev
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-compile --progress-bar on --editable '.[bench]'
	touch $@

.venv-%/installed: pyproject.toml
	$(call needs,3.10,$(PYTHON))
	$(PYTHON) -m venv .venv-$*
	@echo 'installing for Python $* (about a minute)'
	PYTHONWARNINGS=ignore .venv-$*/bin/python -m pip install --quiet --no-compile --progress-bar on --editable '.[test]'
	touch $@

# Beside the installed keras-hub and before it on the path: it needs nothing else.
$(NIGHTLY)/installed: .venv/installed-dev
	rm -rf $(NIGHTLY)
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-compile --no-deps --target $(NIGHTLY) keras-hub-nightly==$(KERAS_HUB)
	touch $@

# What the processor needs besides transformers: PyTorch for the CPU, away from the environment of the other tests.
$(PROCESSOR)/installed: .venv/installed-dev
	rm -rf $(PROCESSOR)
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-compile --no-deps --target $(PROCESSOR) $(PYTORCH)
	touch $@

.venv-bulk/installed: pyproject.toml
	$(call needs,3.10,$(PYTHON))
	$(PYTHON) -m venv .venv-bulk
	@echo 'installing Beam and what it is tested with (about a minute)'
	PYTHONWARNINGS=ignore .venv-bulk/bin/python -m pip install --quiet --no-compile --progress-bar on --editable '.[test-bulk]'
	touch $@

.venv-uv/installed:
	$(call needs,3.10,$(PYTHON))
	$(PYTHON) -m venv .venv-uv
	PYTHONWARNINGS=ignore .venv-uv/bin/python -m pip install --quiet --no-compile '$(UV)'
	touch $@

# $(call resolved,oldest,OPTIONS) makes an environment with the versions that those options of uv choose.
define resolved
	.venv-uv/bin/uv venv --quiet --clear --python $(PYTHON) .venv-$(1)
	@echo 'installing the $(1) versions (about a minute)'
	.venv-uv/bin/uv pip install --quiet --python .venv-$(1)/bin/python $(2) --editable '.[test,kaggle,huggingface]'
	touch $@
endef

.venv-oldest/installed: .venv-uv/installed pyproject.toml
	$(call resolved,oldest,--resolution lowest-direct)

.venv-newest/installed: .venv-uv/installed pyproject.toml
	$(call resolved,newest,--upgrade --prerelease allow)

.venv-sbom/installed:
	$(call needs,3.10,$(PYTHON))
	$(PYTHON) -m venv .venv-sbom
	PYTHONWARNINGS=ignore .venv-sbom/bin/python -m pip install --quiet --no-compile '$(CYCLONEDX)'
	touch $@

bundle: .venv/installed
	rm -rf $(BROWSER)/bundle
	$(BIN)/gemma4-graph litert --tokenizer $(VOCABULARY) $(BUCKETS) --max-soft-tokens-input --out $(BROWSER)/bundle

report: .venv/installed  ## a page that shows one request, as build/report.html
	test -d $(DEMO)/gemma4 || $(BIN)/gemma4-graph saved-model --tokenizer graph_ops/demonstration/demonstration.spm --out $(DEMO)/gemma4
	$(BIN)/gemma4-graph run $(DEMO)/gemma4/1 $(REQUEST) --report $(REPORT)

browser/node_modules/installed: browser/package-lock.json browser/install.sh
	browser/install.sh node npm
	cd browser && npm ci --no-progress
	touch $@

chromium:
	browser/install.sh $(if $(CHROMIUM),,chromium)
