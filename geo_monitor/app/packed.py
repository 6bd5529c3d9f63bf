"""Files go over the wire packed, each packed once.

Streamlit leaves its own program (7 MB) as it is, since it would have to pack it at every request, and packs the base map
at every request. Here a file is packed when it is asked for first, and kept under its entity tag.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import brotli
from starlette.datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

KINDS = (".js", ".css", ".json", ".geojson", ".pbf", ".svg", ".txt")  # pictures and fonts are packed already
LEAST = 1000  # bytes; fewer fit into a packet or two anyway
# browsers take brotli over TLS and from this machine only
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda raw: brotli.compress(raw, quality=5),
    "gzip": lambda raw: gzip.compress(raw, 6, mtime=0),
}


class Packed:
    """ASGI middleware; `app` is the application behind it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._kept: dict[tuple[str, str, str], bytes] = {}  # path, entity tag, encoding -> packed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        mine = scope["type"] == "http" and scope["method"] == "GET" and "/static/" in scope["path"]
        if not mine or not scope["path"].endswith(KINDS):
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        taken = {part.partition(";")[0].strip() for part in asked.get("accept-encoding", "").split(",")}
        how = next((name for name in PACKERS if name in taken), None)
        if how is None or "range" in asked:
            await self.app(scope, receive, send)
            return
        # the application behind shall not pack too
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        answer = Answer(scope["path"], how, self._kept, send)
        await self.app({**scope, "headers": plain}, receive, answer)


class Answer:
    """Takes the parts of one answer and sends it packed where it is a whole file of some size, else as it comes."""

    def __init__(self, path: str, how: str, kept: dict[tuple[str, str, str], bytes], send: Send) -> None:
        self._path, self._how, self._kept, self._send = path, how, kept, send
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = Headers(raw=message["headers"])
            # a file that is not there is answered with the page: under any name, and there is no end of names
            there = message["status"] == 200 and not headers.get("content-type", "").startswith("text/html")
            if (
                there
                and "etag" in headers
                and "content-encoding" not in headers
                and int(headers.get("content-length", 0)) >= LEAST
            ):
                self._start = message
                return
        if self._start is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        self._parts.append(message.get("body", b""))
        if not message.get("more_body"):
            await self._packed(self._start)

    async def _packed(self, start: Message) -> None:
        headers: Any = MutableHeaders(raw=list(start["headers"]))
        key = (self._path, headers["etag"], self._how)
        body = self._kept.get(key)
        if body is None:
            body = self._kept[key] = await asyncio.to_thread(PACKERS[self._how], b"".join(self._parts))
        headers["content-encoding"] = self._how
        headers["content-length"] = str(len(body))
        headers["etag"] = f"W/{headers['etag'].removeprefix('W/')}"  # other bytes, the same content
        headers.add_vary_header("Accept-Encoding")
        await self._send({**start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})
