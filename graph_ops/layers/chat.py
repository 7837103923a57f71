"""Messages as text: the chat template for Python's lists of messages."""

import functools
from typing import Any

import tensorflow as tf

from graph_ops.chat.marks import spelled_tokens
from graph_ops.chat.template import render
from graph_ops.config import CHAT_VARIANTS
from graph_ops.family import Family
from graph_ops.layers.inputs.chat import Chat, read_chat
from graph_ops.layers.layer import PreprocessingLayer
from graph_ops.layers.process import check_process
from graph_ops.pipeline.chat import SPECS


class ChatTemplate(PreprocessingLayer):
    """What a preprocessor does with messages besides making rows of them."""

    settings: Any

    @tf.autograph.experimental.do_not_convert
    def render_chat(
        self,
        messages: Any,
        tools: Any = None,
        *,
        add_generation_prompt: bool = True,
        enable_thinking: bool = False,
        preserve_thinking: bool = False,
        variant: str | None = None,
    ) -> Any:
        """The text that the model was trained to see for messages, special tokens spelled, `<bos>` first.

        It is for reading, and for other tools. Special tokens that a message spells stand in it beside the
        template's own, and nobody can tell them apart; `generate_preprocess({"messages": …})` can.

        Args:
            messages: a list of mappings with `role` and `content` (a string, or parts of type text, image,
                audio or video), `reasoning`, `tool_calls`, `tool_responses`, `name`, `tool_call_id`; or a
                list of such lists.
            tools: schemas of functions in OpenAI's form.
            add_generation_prompt: whether the model's next turn is opened.
            enable_thinking: whether the model is asked to think.
            preserve_thinking: whether thoughts beside older calls stay.
            variant: "small" (E2B, E4B) or "large"; the preprocessor's `chat_variant` by default.

        Returns:
            A string; of several dialogues, a list.

        Raises:
            TypeError, ValueError: messages that the template does not take; says how to correct them.
        """
        switches = {
            "add_generation_prompt": add_generation_prompt,
            "enable_thinking": enable_thinking,
            "preserve_thinking": preserve_thinking,
        }
        return self._rendered(self._read(messages, tools), switches, variant)

    def chat_to_prompts(self, messages: Any, tools: Any = None, **switches: Any) -> dict[str, Any]:
        """The rendered text as `prompts`, without `<bos>`, and the media that parts hold, as `images` and
        `audio`: what `generate_preprocess` takes. Arguments as for `render_chat`.

        The text is a prompt like any other: special tokens in it are read as `allow_special_tokens` says.
        """
        variant = switches.pop("variant", None)
        chat = self._read(messages, tools)
        rendered = self._rendered(chat, switches, variant)
        start = self.settings.family.start
        texts = [text.removeprefix(start) for text in (rendered if chat.batched else [rendered])]
        taken = {"prompts": texts, **chat.media()}
        return taken if chat.batched else {name: rows[0] for name, rows in taken.items()}

    def _read(self, messages: Any, tools: Any) -> Chat:
        check_process()
        return read_chat(messages, tools, quote=self.settings.family.chat.quote)

    def _rendered(self, chat: Chat, switches: dict[str, Any], variant: str | None) -> Any:
        variant = self.settings.row.chat_variant if variant is None else variant
        if variant not in CHAT_VARIANTS:
            raise ValueError(f"`variant`: must be one of {CHAT_VARIANTS}; got {variant!r}. Pass one of them.")
        template = traced_template(self.settings.family, variant)
        texts = [text.decode("utf-8") for text in template(chat.tensors(switches)).numpy()]
        return texts if chat.batched else texts[0]


@functools.lru_cache(maxsize=8)
def traced_template(family: Family, variant: str) -> Any:
    """The template as one function from `Dialogues` to texts, string [B], special tokens spelled."""
    render_spelled = functools.partial(
        render, tokens=spelled_tokens(family), chat=family.chat, variant=variant
    )
    return tf.function(render_spelled, input_signature=[SPECS], autograph=False)
