"""A TCP proxy in front of the broker: passes, cuts every connection, swallows bytes while connections stay open, delays."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, Literal

Mode = Literal["pass", "hole", "slow"]
CHUNK_BYTES = 65_536
SLOW_SECONDS = 0.2


class Proxy:
    """Listens on a port of its own from the start; `upstream` is where it connects to, settable until the first client."""

    def __init__(self) -> None:
        self.upstream = ("127.0.0.1", 0)
        self.mode: Mode = "pass"
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = self._do(self._listen())
        self.port = int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """Close every connection at once; new ones are taken."""
        self._do(self._cut())

    def close(self) -> None:
        """Stop."""
        self._server.close()
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._connected, "127.0.0.1", 0)

    async def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            other_reader, other_writer = await asyncio.open_connection(*self.upstream)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, other_writer}
        await asyncio.gather(self._pump(reader, other_writer), self._pump(other_reader, writer))
        self._writers -= {writer, other_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                if self.mode == "slow":
                    await asyncio.sleep(SLOW_SECONDS)
                if self.mode == "hole":
                    continue  # half open: the bytes are gone, nobody is told
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
