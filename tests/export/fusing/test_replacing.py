"""For whom, and for how long, a function of another package is replaced."""

import threading
import types

import pytest

from export.fusing.replacing import replaced


@pytest.fixture
def owner():
    return types.SimpleNamespace(name=lambda x: ("original", x))


def in_another_thread(function):
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def test_a_replacement_is_for_this_thread_and_for_a_while(owner):
    original = owner.name
    with replaced(owner, "name", lambda before: lambda x: ("replaced", before(x))):
        assert owner.name(1) == ("replaced", ("original", 1))
        assert in_another_thread(lambda: owner.name(1)) == ("original", 1)
    assert owner.name is original


def test_replacements_nest_and_end_in_order_also_by_an_error(owner):
    original = owner.name

    def wrap(before):
        return lambda x: ("replaced", before(x))

    def fail(x):
        raise RuntimeError(x)

    with replaced(owner, "name", wrap):
        with replaced(owner, "name", wrap):
            assert owner.name(1) == ("replaced", ("replaced", ("original", 1)))
        assert owner.name(1) == ("replaced", ("original", 1))
        with pytest.raises(RuntimeError), replaced(owner, "name", lambda before: fail):
            owner.name(1)
        assert owner.name(1) == ("replaced", ("original", 1))
    assert owner.name is original


def test_a_method_is_again_that_of_the_class():
    class Layer:
        def call(self):
            return "original"

    layer = Layer()
    with replaced(layer, "call", lambda before: lambda: f"not {before()}"):
        assert layer.call() == "not original"
    assert layer.call() == "original"
    assert vars(layer) == {}


def test_one_thread_replaces_at_a_time(owner):
    """Another one waits, and finds the original."""
    order, started = [], threading.Event()

    def other():
        started.set()
        with replaced(owner, "name", lambda before: lambda x: ("other", before(x))):
            order.append(owner.name(1))

    thread = threading.Thread(target=other)
    with replaced(owner, "name", lambda before: lambda x: ("this", before(x))):
        thread.start()
        started.wait()
        order.append(owner.name(1))
    thread.join()
    assert order == [("this", ("original", 1)), ("other", ("original", 1))]
    assert owner.name(1) == ("original", 1)
