"""The client that awaits."""

from typing import Any

from gemma4_client.calls import Calls
from gemma4_client.transport import Awaiting, Settings


class AsyncClient(Calls):
    """As `Client`, for asyncio: the same arguments, and the same methods, to be awaited. It is made, used and
    closed in one loop.

    >>> async with AsyncClient("localhost:8500") as client:
    ...     answer = await client.tokenize(["Hello"])
    """

    def __init__(self, address: str, model: str = "gemma4", **settings: Any) -> None:
        given = Settings(address, model, **settings)
        self._awaiting = Awaiting(given)
        super().__init__(self._awaiting, given)

    async def close(self) -> None:
        """Closes the connection."""
        await self._awaiting.channel.close()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
