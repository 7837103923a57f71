"""Channels, and what runs coroutines that wait in their thread."""

import asyncio
from typing import Any

import grpc
import pytest

from gemma4_client import InputError, Retries
from gemma4_client.messages import MESSAGES
from gemma4_client.transport import Awaiting, Blocking, Settings, finished

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "http://localhost:8501": ({}, r"`address`: must be host:port of gRPC; got http://localhost:8501\. Pass"),
    "a:1": ({"timeout": 0}, r"`timeout`: must be over 0 seconds; got 0\. Pass how long"),
    "b:1": ({"version": 1, "label": "x"}, r"`label`: must be alone; got version 1 too\. Pass one"),
}


@pytest.mark.parametrize("address", WRONG)
def test_settings_out_of_range_are_refused(address):
    more, message = WRONG[address]
    with pytest.raises(InputError, match=message):
        Settings(address, "gemma4", **more)


def test_connections_are_tried_as_often_as_requests():
    options = dict(Settings("a:1", "m", retries=Retries(initial_seconds=0.02, max_seconds=2)).options)
    assert options["grpc.initial_reconnect_backoff_ms"] == 20
    assert options["grpc.max_reconnect_backoff_ms"] == 2000
    assert options["grpc.max_receive_message_length"] == -1


@pytest.mark.parametrize("credentials", [None, grpc.ssl_channel_credentials()])
def test_a_blocking_transport_ends_at_once(address, credentials):
    blocking = Blocking(Settings(address, "gemma4", credentials=credentials, metadata=(("key", "value"),)))
    request = MESSAGES["GetModelStatusRequest"]()
    request.model_spec.name = "gemma4"
    if credentials:
        with pytest.raises(grpc.RpcError):
            finished(blocking.send("GetModelStatus", request, 60))
    else:
        assert finished(blocking.send("GetModelStatus", request, 60)).model_version_status
    assert finished(blocking.sleep(0)) is None
    blocking.channel.close()


def test_an_awaiting_transport_answers_alike(address):
    async def ask():
        awaiting = Awaiting(Settings(address, "gemma4"))
        request = MESSAGES["GetModelStatusRequest"]()
        request.model_spec.name = "gemma4"
        response = await awaiting.send("GetModelStatus", request, 60)
        await awaiting.sleep(0)
        await awaiting.channel.close()
        return response.model_version_status[0].version

    assert asyncio.run(ask()) == 1


def test_a_coroutine_that_waits_for_a_loop_is_not_run():
    with pytest.raises(RuntimeError, match="waits for a loop"):
        finished(asyncio.sleep(0))
