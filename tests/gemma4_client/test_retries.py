"""A request is sent again after UNAVAILABLE, within its deadline, and after nothing else."""

import grpc
import pytest

from gemma4_client import DeadlineExceeded, InputError, Refused, Retries, Unavailable
from gemma4_client.retries import Deadline, attempted
from gemma4_client.transport import finished


class Failure(grpc.RpcError):
    def __init__(self, code):
        self._code = grpc.StatusCode[code]

    def code(self):
        return self._code

    def details(self):
        return ""


def run(answers, retries=Retries(), timeout=100.0):  # noqa: B008
    """The result, and the pauses that were made, of a server with these answers one after another."""
    left, pauses, answers = [], [], iter(answers)

    async def send(seconds):
        left.append(seconds)
        answer = next(answers)
        if isinstance(answer, str):
            return answer
        raise answer

    async def sleep(seconds):
        pauses.append(seconds)

    result = finished(attempted(send, sleep, retries, deadline=Deadline.after(timeout), address="host:1"))
    assert all(0 < seconds <= timeout for seconds in left)
    return result, pauses


def test_pauses_grow_and_are_drawn():
    result, pauses = run([Failure("UNAVAILABLE")] * 3 + ["yes"])
    assert result == "yes"
    for pause, wanted in zip(pauses, (0.1, 0.2, 0.4), strict=True):
        assert 0.8 * wanted <= pause <= 1.2 * wanted


def test_a_pause_has_a_bound():
    retries = Retries(attempts=10_000, max_seconds=3)
    assert retries.pause(9_999, lambda low, high: 1) == 3
    drawn = [retries.pause(2, lambda *bounds, place=place: bounds[place]) for place in (0, 1)]
    assert drawn == pytest.approx([0.16, 0.24])


def test_attempts_are_counted():
    with pytest.raises(Unavailable, match="in each of 2 attempts") as caught:
        run([Failure("UNAVAILABLE")] * 3, Retries(attempts=2))
    assert caught.value.attempts == 2


def test_no_pause_is_made_that_ends_after_the_deadline():
    with pytest.raises(Unavailable, match="must answer within 1 s; got UNAVAILABLE in each of 1 attempts"):
        run([Failure("UNAVAILABLE")] * 3, Retries(initial_seconds=5), timeout=1)


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "INTERNAL", "CANCELLED"])
def test_a_refusal_is_not_sent_again(code):
    with pytest.raises(Refused) as caught:
        run([Failure(code), "yes"])
    assert caught.value.code == code


def test_a_deadline_is_not_sent_again():
    with pytest.raises(DeadlineExceeded):
        run([Failure("UNAVAILABLE"), Failure("DEADLINE_EXCEEDED"), "yes"])


def test_a_deadline_that_has_passed_leaves_nothing():
    assert Deadline.after(-1).left() == 0
    assert 9 < Deadline.after(10).left() <= 10


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"attempts": 0}, "`attempts`: must be at least 1; got 0"),
        ({"initial_seconds": -1}, "`initial_seconds`: must be at least 0; got -1"),
        ({"multiplier": 0.5}, "`multiplier`: must be at least 1; got 0.5"),
        ({"max_seconds": float("nan")}, "`max_seconds`: must be at least 0; got nan"),
        ({"jitter": 2}, "`jitter`: must be at most 1; got 2"),
    ],
)
def test_numbers_out_of_range_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        Retries(**wrong)
