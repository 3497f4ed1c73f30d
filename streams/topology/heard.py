"""Waiting for a client of the broker: as long as it takes, while the client says something.

A slow broker gives answers, late; one that is away is said to be, by its client, again and again. A client that says neither
hangs: its waits do when the machine's clock is set back. Only that is a fault of ours, and only that ends a wait here.
"""

import asyncio
import time
from collections.abc import Awaitable
from typing import Final, TypeVar

CHECK_SECONDS: Final = 1.0

T = TypeVar("T")


class Heard:
    """When a client last said anything. For any thread."""

    def __init__(self) -> None:
        self._at = time.monotonic()

    def __call__(self) -> None:
        """The client said something: an answer, or that there is none."""
        self._at = time.monotonic()

    @property
    def silent_seconds(self) -> float:
        """For how long it has said nothing."""
        return time.monotonic() - self._at


async def while_heard(work: Awaitable[T], heard: Heard, hung_seconds: float) -> T:
    """Return what `work` comes to, however long that takes. Raises `TimeoutError` once its client is silent for `hung_seconds`."""
    heard()
    running = asyncio.ensure_future(work)
    try:
        while not running.done():
            await asyncio.wait([running], timeout=min(CHECK_SECONDS, hung_seconds))
            if not running.done() and heard.silent_seconds > hung_seconds:
                raise TimeoutError(f"the client has said nothing for {hung_seconds:.0f} s")
    finally:
        running.cancel()
    return running.result()
