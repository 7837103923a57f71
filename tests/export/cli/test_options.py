"""Options of the commands as settings of a preprocessor."""

import pytest

from export.cli.options import PreprocessorOptions, make_preprocessor
from tests.data import DEMONSTRATION


@pytest.mark.parametrize("allowed", ["all", "prompts", "none"])
def test_the_option_says_where_special_tokens_are_allowed(allowed):
    options = PreprocessorOptions(tokenizer=DEMONSTRATION, allow_special_tokens=allowed)
    assert make_preprocessor(options).allow_special_tokens == allowed
