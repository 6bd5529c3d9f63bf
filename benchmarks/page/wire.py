"""A door in front of the server that counts what goes through it to the browser, by what it is.

Counts bytes as they are on the wire (headers and compression included), also those that workers of the page ask for, which
the browser's own log of the network leaves out.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")
KINDS = {"/_stcore/stream": "connection", "/app/static/": "base map", "/static/": "program", "/_stcore/": "program"}


class Wire:
    """Within the block, `url` leads to the server at `port`. `counts`: kind -> bytes to the browser."""

    def __init__(self, port: int) -> None:
        self._port, self._loop = port, asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.counts: Counter[str] = Counter()
        self.url = ""

    def __enter__(self) -> Wire:
        self._thread.start()
        opened = self._here(asyncio.start_server(self._through, "127.0.0.1", 0))
        self._door = opened
        self.url = f"http://127.0.0.1:{opened.sockets[0].getsockname()[1]}/"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._here(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _here(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _shut(self) -> None:
        self._door.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def taken(self) -> dict[str, int]:
        """What was counted since the last time this was asked."""
        told, self.counts = dict(self.counts), Counter()
        return told

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, out = await asyncio.open_connection("127.0.0.1", self._port)
        asked = ["program"]

        async def up() -> None:
            while data := await reader.read(1 << 16):
                if asked[0] != "connection" and data.startswith(b"GET "):
                    path = data.split(b" ", 2)[1].decode()
                    asked[0] = next((kind for start, kind in KINDS.items() if path.startswith(start)), "program")
                out.write(data)
                await out.drain()
            out.close()

        async def down() -> None:
            while data := await there.read(1 << 16):
                self.counts[asked[0]] += len(data)
                writer.write(data)
                await writer.drain()
            writer.close()

        await asyncio.gather(up(), down(), return_exceptions=True)
