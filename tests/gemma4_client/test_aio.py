"""The client of asyncio gives what the one that blocks gives."""

import asyncio
import inspect
import socket
import time

import pytest

from gemma4_client import AsyncClient, Client, DeadlineExceeded, InputError, Retries, Unavailable

PATIENCE = 60


def test_many_requests_run_side_by_side(address):
    async def ask():
        async with AsyncClient(address, timeout=PATIENCE) as client:
            assert await client.ready()
            asked = [client.generate_preprocess(["a" * count, ""]) for count in range(1, 9)]
            return await asyncio.gather(*asked)

    for count, answer in enumerate(asyncio.run(ask()), 1):
        assert answer.outputs["token_ids"].shape == (2, count)
        assert list(answer.faults) == [1]


def test_answers_are_those_of_the_client_that_blocks(address, client):
    async def ask():
        async with AsyncClient(address, timeout=PATIENCE) as other:
            ids = await other.tokenize(["né"])
            return (
                ids,
                await other.detokenize(ids.token_ids),
                await other.versions(),
                await other.signatures(),
            )

    ids = client.tokenize(["né"])
    alike = ids, client.detokenize(ids.token_ids), client.versions(), client.signatures()
    assert asyncio.run(ask()) == alike


def test_waiting_leaves_the_loop_to_others():
    """Of a port that says nothing, and of one where nobody is."""

    async def ask(port, retries):
        async with AsyncClient(f"127.0.0.1:{port}", timeout=0.3, retries=retries) as client:
            await client.tokenize(["a"])

    async def both(silent, free):
        asked = [ask(silent, Retries()), ask(free, Retries(attempts=100, max_seconds=0.05))]
        return await asyncio.gather(*asked, return_exceptions=True)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        begin = time.monotonic()
        late, gone = asyncio.run(both(silent.getsockname()[1], port))
    assert isinstance(late, DeadlineExceeded)
    assert isinstance(gone, Unavailable)
    assert time.monotonic() - begin < 5


def test_settings_are_checked_alike():
    with pytest.raises(InputError, match="`timeout`: must be over 0"):
        AsyncClient("a:1", timeout=-1)


def test_both_clients_have_the_same_methods_with_the_same_arguments():
    public = {name for name in vars(Client) if name[0] != "_"}
    assert public == {name for name in dir(AsyncClient) if name[0] != "_"}
    for name in (*public, "__init__"):
        ours, theirs = (inspect.signature(getattr(each, name)) for each in (Client, AsyncClient))
        assert list(ours.parameters.values()) == list(theirs.parameters.values()), name
