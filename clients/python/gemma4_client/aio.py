"""The client that awaits."""

from collections.abc import Sequence

import grpc

from gemma4_client.calls import Calls
from gemma4_client.retries import DEFAULT_RETRIES, Retries
from gemma4_client.transport import Awaiting, Settings


class AsyncClient(Calls):
    """As `Client`, for asyncio: the same arguments, and the same methods, to be awaited. It is made, used and
    closed in one loop.

    >>> async with AsyncClient("localhost:8500") as client:
    ...     answer = await client.tokenize(["Hello"])
    """

    def __init__(
        self,
        address: str,
        model: str = "gemma4",
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float = 30,
        retries: Retries = DEFAULT_RETRIES,
        credentials: grpc.ChannelCredentials | None = None,
        metadata: Sequence[tuple[str, str]] = (),
    ) -> None:
        settings = Settings(address, model, version, label, timeout, retries, credentials, metadata)
        self._awaiting = Awaiting(settings)
        super().__init__(self._awaiting, settings)

    async def close(self) -> None:
        """Closes the connection."""
        await self._awaiting.channel.close()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
