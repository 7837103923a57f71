r"""Marks in a draft, what is written for them, and the rules that rewrite it.

A mark is a surrogate, a code point that no UTF-8 holds: expressions know it as a character, and no text has
it.

```
ASSISTANT CALL call:f{} CALL_END SAYS ASSISTANT_END ANSWER response:f{…} ANSWER_END
ASSISTANT CALL call:f{} CALL_END ANSWER response:f{…} ANSWER_END ANSWERED ASSISTANT_END      by a rule
```
"""

import enum

from graph_ops.chat.dialogue import TemplateTokens

PREFIX, FIRST = b"\xed\xa0", 0x80
"""The bytes of a mark but its last, and the last of the first mark."""


class Mark(enum.IntEnum):
    """What a mark says."""

    START = 0
    BLOCK = enum.auto()  # opens the system block
    BLOCK_END = enum.auto()
    THINK = enum.auto()
    FOLDED = enum.auto()  # before a message that is part of the block
    TOOL = enum.auto()  # opens a declaration
    TOOL_END = enum.auto()
    QUOTE = enum.auto()
    TURN = enum.auto()  # opens a turn of the role that follows
    END = enum.auto()
    MODEL = enum.auto()  # opens one of the role "model"
    MODEL_END = enum.auto()
    ASSISTANT = enum.auto()  # opens one of the role "assistant"
    ASSISTANT_END = enum.auto()
    CHANNEL = enum.auto()
    CHANNEL_END = enum.auto()
    CALL = enum.auto()
    CALL_END = enum.auto()
    SAYS = enum.auto()  # before the content of a message
    ANSWERED = enum.auto()  # before that of one with calls and answers
    WAITS = enum.auto()  # ends a message with calls that nobody answers
    ANSWER = enum.auto()  # opens a tool message
    ANSWER_END = enum.auto()
    OPENS = enum.auto()  # opens the turn that is asked for
    OPENS_THINKING = enum.auto()  # the same, if it is to think
    GOES_ON = enum.auto()  # behind that: opens a thought, if the turn is open
    PART = enum.auto()  # before a part
    LIST = enum.auto()  # says that a content is a list
    IMAGE = enum.auto()
    AUDIO = enum.auto()
    VIDEO = enum.auto()
    VALUE = enum.auto()  # stands for a value of native text that was read

    @property
    def text(self) -> bytes:
        """The mark itself."""
        return PREFIX + bytes([FIRST + self])

    @property
    def expression(self) -> str:
        """An expression of RE2's that matches it."""
        return rf"\x{{D8{int(self):02X}}}"


Rule = tuple[str, bytes]
"""An expression of RE2's, and what takes the place of a match."""


def _class(*marks: Mark) -> str:
    """The members of a class of characters."""
    return "".join(each.expression for each in marks)


MEDIA = _class(Mark.IMAGE, Mark.AUDIO, Mark.VIDEO)
"""The marks of media, as members of a class."""
_OPENING = _class(Mark.OPENS, Mark.OPENS_THINKING, Mark.GOES_ON)


def turn_rules() -> tuple[Rule, ...]:
    """Those for a dialogue as it was written: fields that are empty go, and turns of the assistant and of the
    model get marks of their own.
    """
    fields = ((Mark.CALL, Mark.CALL_END), (Mark.TOOL, Mark.TOOL_END), (Mark.CHANNEL, Mark.CHANNEL_END))
    turn, end = Mark.TURN.expression, Mark.END.expression
    body = rf"([^{end}]*){end}"
    return (
        ("|".join(f"{opening.expression}{closing.expression}" for opening, closing in fields), b""),
        (rf"{turn}assistant\n{body}", Mark.ASSISTANT.text + rb"\1" + Mark.ASSISTANT_END.text),
        (rf"{turn}model\n{body}", Mark.MODEL.text + rb"\1" + Mark.MODEL_END.text),
    )


def wrong_turns() -> str:
    """An expression of what no draft is right with, after `turn_rules`: a call or a thought of another than
    the assistant, a tool message with anything but texts, no message at all.
    """
    speaks = _class(Mark.ASSISTANT, Mark.CALL_END, Mark.CHANNEL_END)
    answer, end, part = (each.expression for each in (Mark.ANSWER, Mark.ANSWER_END, Mark.PART))
    says = _class(Mark.FOLDED, Mark.BLOCK_END)
    nothing = rf"{Mark.BLOCK.expression}[^{says}]*{Mark.BLOCK_END.expression}[{_OPENING}]*\z"
    return (
        f"[^{speaks}][{_class(Mark.CALL, Mark.CHANNEL)}]|{answer}[^{part}{end}]*{end}"
        f"|{answer}[^{end}]*[{MEDIA}{Mark.LIST.expression}]|{nothing}"
    )


def neighbour_rules() -> tuple[Rule, ...]:
    """Those for what neighbours decide, after `turn_rules`."""
    asks, waits = rf"({Mark.CALL_END.expression}){Mark.SAYS.expression}", Mark.WAITS.expression
    assistant, end = Mark.ASSISTANT.expression, Mark.ASSISTANT_END.expression
    model, model_end = Mark.MODEL.expression, Mark.MODEL_END.expression
    answer, answer_end = Mark.ANSWER.expression, Mark.ANSWER_END.expression
    answers = f"(?:{answer}[^{answer_end}]*{answer_end})+"
    nothing = _class(Mark.PART, Mark.LIST)
    before = _class(Mark.BLOCK_END, Mark.END, Mark.MODEL_END, Mark.ASSISTANT_END)
    return (
        # tool messages behind one with calls are its answers
        (f"{asks}([^{end}]*)({end})({answers})", rb"\1\4" + Mark.ANSWERED.text + rb"\2\3"),
        # others are left out
        (rf"([{before}]){answers}", rb"\1"),
        (rf"({answer}response:)\{{", rb"\1unknown{"),
        # nobody answers
        (f"{asks}([^{end}]*){end}", rb"\1\2" + Mark.WAITS.text),
        # answers with nothing behind them leave the turn open; the assistant goes on where it stopped
        (
            rf"({Mark.ANSWERED.expression})[{nothing}]*{end}([{_OPENING}]*)\z|{end}{assistant}|({end}){model}"
            rf"|({waits})[{assistant}{model}]|{model_end}({assistant})",
            rb"\1\2\3\4\5",
        ),
        _opening_rule(),
        # what only rules need
        (
            f"{Mark.BLOCK.expression}{Mark.BLOCK_END.expression}"
            f"|[{_class(Mark.SAYS, Mark.ANSWERED, Mark.FOLDED, Mark.PART, Mark.LIST)}]",
            b"",
        ),
    )


def _opening_rule() -> Rule:
    """Whether what opens the model's turn stays, by what the last message has."""
    turns = _class(
        *(Mark.WAITS, Mark.SAYS, Mark.TURN, Mark.MODEL, Mark.ASSISTANT, Mark.OPENS, Mark.OPENS_THINKING)
    )
    opens, thinking, goes_on = (each.expression for each in (Mark.OPENS, Mark.OPENS_THINKING, Mark.GOES_ON))
    waits, answered = Mark.WAITS.expression, Mark.ANSWERED.expression
    return (
        f"({waits})(?:{opens}|{thinking}{goes_on})|({answered}[^{turns}]*)(?:{opens}|{thinking}({goes_on}))"
        f"|({thinking}){goes_on}",
        rb"\1\2\3\4",
    )


def folded_rules() -> tuple[Rule, ...]:
    """Those for the parts of a message in the system block: each leaves a space, unless there is a text
    alone; media are left out.
    """
    part, not_parts = Mark.PART.expression, _class(Mark.PART, Mark.LIST)
    return (
        (rf"\A{part}([^{not_parts}{MEDIA}]*)\z", rb"\1"),
        (rf"{part}[{MEDIA}]?([^{not_parts}]*)", rb"\1 "),
    )


def written_for(tokens: TemplateTokens, *, gives_empty_thought: bool) -> list[bytes]:
    """What is written for each mark: b"" for those that only rules need.

    Args:
        tokens: what is written for each special token.
        gives_empty_thought: whether a turn of the model that is not to think is opened with an empty thought.
    """
    end, model, thought = tokens.turn_end + b"\n", tokens.turn + b"model\n", tokens.channel + b"thought\n"
    written = {
        Mark.START: tokens.start,
        Mark.BLOCK: tokens.turn + b"system\n",
        Mark.BLOCK_END: end,
        Mark.THINK: tokens.think + b"\n",
        Mark.TOOL: tokens.tool,
        Mark.TOOL_END: tokens.tool_end,
        Mark.QUOTE: tokens.quote,
        Mark.TURN: tokens.turn,
        Mark.END: end,
        Mark.MODEL: model,
        Mark.MODEL_END: end,
        Mark.ASSISTANT: model,
        Mark.ASSISTANT_END: end,
        Mark.CHANNEL: thought,
        Mark.CHANNEL_END: b"\n" + tokens.channel_end,
        Mark.CALL: tokens.call,
        Mark.CALL_END: tokens.call_end,
        Mark.WAITS: tokens.response,
        Mark.ANSWER: tokens.response,
        Mark.ANSWER_END: tokens.response_end,
        Mark.OPENS: model + (thought + tokens.channel_end if gives_empty_thought else b""),
        Mark.OPENS_THINKING: model,
        Mark.GOES_ON: thought,
        Mark.IMAGE: tokens.image,
        Mark.AUDIO: tokens.audio,
        Mark.VIDEO: tokens.video,
    }
    return [written.get(mark, b"") for mark in Mark]
