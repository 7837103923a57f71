"""The vocabularies and the corpus that tests read: what ships, and what the environment names."""

import os
import pathlib

import pytest

from export.verify import samples

ROOT = pathlib.Path(__file__).parents[1]
DEMONSTRATION = samples.demonstration_file("demonstration.spm")
REAL = os.environ.get("GEMMA4_TOKENIZER", "")
CORPUS = os.environ.get("GEMMA4_CORPUS", "")

needs_corpus = pytest.mark.skipif(not CORPUS, reason="GEMMA4_CORPUS names no corpus")
needs_real = pytest.mark.real
