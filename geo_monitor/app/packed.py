"""Files go over the wire packed, each packed once, the font of icons with those that can be shown, and the page asks at
once for what its map will need.

Streamlit leaves its own program (7 MB) as it is, since it would have to pack it at every request, and packs the base map
at every request. Here a file is packed when it is asked for first, and kept under its entity tag; on the disk too, once an
installation, beside compiled code.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
from collections.abc import Awaitable, Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import brotli
from starlette.datastructures import Headers, MutableHeaders
from streamlit import file_util

from geo_monitor.app import fonts
from geo_monitor.engine import warm
from geo_monitor.engine.kept import Kept

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

KINDS = (".js", ".css", ".json", ".geojson", ".pbf", ".svg", ".txt")  # pictures and fonts are packed already
HTTP_OK = 200
LEAST = 1000  # bytes; fewer fit into a packet or two anyway
# browsers take brotli over TLS and from this machine only
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "br": brotli.compress,  # as small as it can be
    "gzip": lambda raw: gzip.compress(raw, 6, mtime=0),
}


# Streamlit writes its first words, until it knows the theme, in a font of its own that nothing else here is written in.
# Browsers take the last of two faces of the same name, weights and style.
FONT = (
    b"<style>@font-face{font-family:'Source Sans';font-weight:100 900;font-style:normal;font-display:swap;"
    b"src:url(./app/static/fonts/map-sans-core.woff2)format('woff2')}</style>"
)


# Streamlit's font of icons, which holds thousands, is answered with ours, under its name: its program asks for no other
ICONS = re.compile(r"/static/media/MaterialSymbols-Rounded\.[^/]*$")


@cache
def soon() -> bytes:
    """What the head of the page asks for while the server makes the rest: the program of the map, a third of all."""
    static = Path(file_util.get_static_dir()) / "static"
    links = [f'<link rel="modulepreload" crossorigin href="./static/js/{found.name}">'
             for found in sorted(static.glob("js/DeckGlJsonChart.*.js"))]  # fmt: skip
    return "".join(links).encode()


class Packed:
    """ASGI middleware; `app` is the application behind it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._kept: dict[tuple[str, str, str], bytes] = {}  # path, entity tag, encoding -> packed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        if ICONS.search(scope["path"]):
            path = ICONS.sub(f"/app/static/fonts/{fonts.ICONS}", scope["path"])
            scope = {**scope, "path": path, "raw_path": path.encode()}
        asked = Headers(scope=scope)
        taken = {part.partition(";")[0].strip() for part in asked.get("accept-encoding", "").split(",")}
        how = next((name for name in PACKERS if name in taken), None)
        # what is worked on here the application behind shall not pack
        plain = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]}
        if "text/html" in asked.get("accept", ""):  # somebody opens a page
            await self.app(plain, receive, Answer(is_page, self._page, send))
        elif how and "range" not in asked and "/static/" in scope["path"] and scope["path"].endswith(KINDS):
            await self._file(plain, how, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _file(self, scope: Scope, how: str, receive: Receive, send: Send) -> None:
        """Of a file that is kept only the head is asked for: to read megabytes takes a hundred turns, in which whoever
        looks at a map waits."""
        if any((scope["path"], how) == (path, kept) for path, _, kept in self._kept):
            head = Head()
            await self.app({**scope, "method": "HEAD"}, receive, head)
            headers = MutableHeaders(raw=list(head.start["headers"]))
            found = self._kept.get((scope["path"], headers.get("etag", ""), how))
            if head.start["status"] == HTTP_OK and found is not None:
                await answer(head.start, packed_headers(headers, how), found, send)
                return
        await self.app(scope, receive, Answer(is_file, partial(self._pack, scope["path"], how), send))

    async def _pack(self, path: str, how: str, headers: MutableHeaders, body: bytes) -> bytes:
        key = (path, headers["etag"], how)
        if key not in self._kept:
            self._kept[key] = await asyncio.to_thread(pack, how, body)
        packed_headers(headers, how)
        return self._kept[key]

    async def _page(self, headers: MutableHeaders, body: bytes) -> bytes:
        for name in ("etag", "last-modified"):  # those of another content
            del headers[name]
        body = re.sub(rb'<link\s+rel="preload"[^>]*\bas="font"[^>]*>', b"", body)
        return body.replace(b"</head>", FONT + soon() + b"</head>", 1)


def pack(how: str, raw: bytes) -> bytes:
    """A file packed, or what came of that before. Where nothing can be kept it is packed by each server anew."""
    shelf, name = warm.shelf(), hashlib.sha256(raw).hexdigest()
    if shelf is None:
        return PACKERS[how](raw)
    kept = Kept(shelf, "packed-small")
    found = kept.packed(name, how)
    if found is None:
        found = memoryview(PACKERS[how](raw))
        kept.put_packed(name, how, bytes(found))
    return bytes(found)


def is_file(headers: Headers) -> bool:
    """A whole file of some size. One that is not there is answered with the page, under any name: there is no end of those."""
    if "etag" not in headers or "content-encoding" in headers or is_page(headers):
        return False
    return int(headers.get("content-length", 0)) >= LEAST


def is_page(headers: Headers) -> bool:
    return headers.get("content-type", "").startswith("text/html") and "content-disposition" not in headers


class Answer:
    """Takes the parts of one answer; where `wanted` says so of its headers, `work` changes these and gives another body."""

    def __init__(
        self, wanted: Callable[[Headers], bool], work: Callable[[MutableHeaders, bytes], Awaitable[bytes]], send: Send
    ) -> None:
        self._wanted, self._work, self._send = wanted, work, send
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        whole = message["type"] == "http.response.start" and message["status"] == HTTP_OK
        if whole and self._wanted(Headers(raw=message["headers"])):
            self._start = message
            return
        if self._start is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        self._parts.append(message.get("body", b""))
        if not message.get("more_body"):
            headers = MutableHeaders(raw=list(self._start["headers"]))
            body = await self._work(headers, b"".join(self._parts))
            await answer(self._start, headers, body, self._send)


class Head:
    """Takes the head of one answer, in `start`."""

    def __init__(self) -> None:
        self.start: Message = {"status": 0, "headers": []}

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message


async def answer(start: Message, headers: MutableHeaders, body: bytes, send: Send) -> None:
    """Answers with other `headers` than those of `start`, and with `body`."""
    headers["content-length"] = str(len(body))
    await send({**start, "headers": headers.raw})
    await send({"type": "http.response.body", "body": body})


def packed_headers(headers: MutableHeaders, how: str) -> MutableHeaders:
    """The headers of a file as those of the same file packed."""
    headers["content-encoding"] = how
    headers["etag"] = f"W/{headers['etag'].removeprefix('W/')}"  # other bytes, the same content
    headers.add_vary_header("Accept-Encoding")
    return headers


async def beforehand(app: ASGIApp) -> None:
    """Packs what every opening asks for, so that whoever comes first does not wait for it. `app`: with `Packed` in it."""
    static = Path(file_util.get_static_dir())
    named = re.findall(r'(?:href|src)="\.(/static/[^"]+)"', (static / "index.html").read_text(encoding="utf-8"))
    named += [f"/static/js/{found.name}" for found in static.glob("static/js/DeckGlJsonChart.*.js")]
    ours = Path(__file__).parent / "static" / "basemap"
    named += [f"/app/static/basemap/{found.name}" for found in sorted(ours.glob("*json"))]
    asked = []
    for path in named:
        for how in PACKERS if path.endswith(KINDS) else ():
            scope = {
                "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
                "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": None,
                "headers": [(b"host", b"localhost"), (b"accept-encoding", how.encode())], "server": ("localhost", 0),
            }  # fmt: skip
            asked.append(app(scope, nothing_more, Head()))
    await asyncio.gather(*asked)


async def nothing_more() -> Message:
    """Somebody who has asked, and stays."""
    await asyncio.Event().wait()
    raise AssertionError
