"""Constants of a .tflite where they are read: inside the branches and loops that use them.

The converter hands a table that a branch or a loop reads to it as an operand. LiteRT then copies the table,
when it enters and in every turn, and moves it whenever the memory of what runs inside grows: with the two
megabytes of merges, most of a short text's time. As a constant of the inner graph it is read in place. Both
tensors name one buffer, so that the file holds it once.
"""

from collections import Counter
from typing import Any

from export.tensorflow_formats import schema

_IF, _WHILE = schema.BuiltinOperator.IF, schema.BuiltinOperator.WHILE


def move_in(model: Any) -> None:
    """Moves constants into the inner graphs of a parsed model, in place."""
    ops = [op for graph in model.subgraphs for op in graph.operators]
    uses = Counter(number for op in ops for number in _inner(model, op))
    for signature in model.signatureDefs or ():
        uses[signature.subgraphIndex] = 0
    for number in [number for number in range(len(model.subgraphs)) if not uses[number]]:
        _into(model, model.subgraphs[number], uses)


def _into(model: Any, graph: Any, uses: Counter[int]) -> None:
    """Moves a graph's constants into those that its ops run, and so on."""
    for op in graph.operators:
        inner = _inner(model, op)
        graphs = [model.subgraphs[number] for number in inner]
        if inner and all(uses[number] == 1 for number in inner):
            for place in reversed(range(len(op.inputs))):
                if _holds(model, graph.tensors[op.inputs[place]]):
                    _move(model, graph, op, graphs, place)
        for each in graphs:
            _into(model, each, uses)


def _inner(model: Any, op: Any) -> tuple[int, ...]:
    """Numbers of the graphs that an op runs: of a branch both, of a loop its condition and its body."""
    code, options = model.operatorCodes[op.opcodeIndex].builtinCode, op.builtinOptions
    if code == _IF:
        return options.thenSubgraphIndex, options.elseSubgraphIndex
    return (options.condSubgraphIndex, options.bodySubgraphIndex) if code == _WHILE else ()


def _holds(model: Any, tensor: Any) -> bool:
    data = model.buffers[tensor.buffer].data
    return data is not None and len(data) > 0


def _move(model: Any, graph: Any, op: Any, graphs: list[Any], place: int) -> None:
    """Makes an operand a constant of the inner graphs, where they only read it."""
    is_loop = model.operatorCodes[op.opcodeIndex].builtinCode == _WHILE
    at = place if is_loop else place - 1  # the first operand of a branch says which
    constant, body = op.inputs[place], graphs[1]
    if is_loop and body.outputs[at] != body.inputs[at]:
        return  # where a loop begins, not what it always reads
    if at < 0 or (not is_loop and any(each.inputs[at] in each.outputs for each in graphs)):
        return
    for each in graphs:
        each.tensors[each.inputs[at]].buffer = graph.tensors[constant].buffer
        each.inputs = _without(each.inputs, at)
    op.inputs = _without(op.inputs, place)
    if is_loop:
        body.outputs = _without(body.outputs, at)
        _rename(graph, op.outputs[at], constant)
        op.outputs = _without(op.outputs, at)


def _without(numbers: Any, place: int) -> list[int]:
    return [int(number) for other, number in enumerate(numbers) if other != place]


def _rename(graph: Any, old: int, new: int) -> None:
    """Lets all that reads a tensor of a graph read another."""
    for op in graph.operators:
        op.inputs = [new if number == old else int(number) for number in op.inputs]
    graph.outputs = [new if number == old else int(number) for number in graph.outputs]
