"""HTTP: phones and other programs post positions to us; they are answered once these are stored."""

from __future__ import annotations

import base64
import hmac
import ipaddress
import json
import logging
import os
import re
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from geo_monitor import messages
from geo_monitor.feeds import programs, sockets
from geo_monitor.feeds.address import Address
from geo_monitor.feeds.fix import Batch
from geo_monitor.feeds.lines import Lines
from geo_monitor.feeds.objects import KEYS
from geo_monitor.feeds.received import Piece, Received, now_ms
from geo_monitor.settings import Settings

log = logging.getLogger("geo_monitor")
TOKEN = "GEO_MONITOR_FEED_TOKEN"  # noqa: S105 - the name of the variable
AGAIN_S = "5"  # seconds after which a sender that was turned away may come again


@dataclass
class _Post:
    done: threading.Event = field(default_factory=threading.Event)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, held: socket.socket, source: Posts) -> None:
        super().__init__(held.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = held
        self.source = source
        self.room = threading.BoundedSemaphore(source.settings.feed_senders)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self.room.acquire(blocking=False):
            try:
                request.sendall(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n")
            except OSError as error:
                log.debug("feed %s: %s", self.source.name, error)
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.warning("feed %s: %s", self.source.name, client_address[0], exc_info=True)


class Posts(Received):
    """`http://h:p/path`. A post is JSON lines, one object, a list, or sentences; see `docs/feeds.md` for the answers."""

    def __init__(self, address: Address, settings: Settings, role: str | None) -> None:
        super().__init__(address, settings, role)
        held = sockets.listening(address, socket.SOCK_STREAM)
        self.port: int = held.getsockname()[1]
        self.token = os.environ.get(TOKEN) or None
        if self.token is None and not _loopback(held):
            log.warning("feed %s: anybody who reaches this address can send positions; set %s", self.name, TOKEN)
        self._server = _Server(held, self)
        self.start(lambda: self._server.serve_forever(poll_interval=0.2), "feed")

    def acknowledge(self, ack: _Post) -> None:
        ack.done.set()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        super().close()

    def take(self, body: bytes) -> tuple[Batch, bool]:
        """What a body holds, and whether its fixes are stored."""
        batch = Batch()
        lines = Lines(self.unit(""), self.settings, self.role, owner=self.owner(""))
        lines.body(body, now_ms(), batch)
        lines.end(batch)
        if not batch.lines:
            return batch, True
        post = _Post()
        if not self.queue.put(Piece("", 0, body, ack=post, read=batch), wait=False):
            return batch, False
        return batch, post.done.wait(self.settings.feed_answer_s)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "geo-monitor"
    sys_version = ""
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(self.server.source.settings.feed_answer_s)

    def do_POST(self) -> None:
        source = self.server.source
        length = self.headers.get("Content-Length", "")
        if source.token and not _known(self.headers.get("Authorization", ""), source.token):
            self._answer(401, "feed_http_token", close=True)
        elif self.path.split("?")[0].strip("/") != source.address.path.strip("/"):
            self._answer(404, "feed_http_path", close=True)
        elif not re.fullmatch(r"[0-9]{1,10}", length) or "Transfer-Encoding" in self.headers:
            self._answer(411, "feed_http_length", close=True)
        elif int(length) > source.settings.feed_body_mb * 1e6:
            self._answer(413, "feed_body_large", close=True)
        else:
            body = self.rfile.read(int(length))
            if len(body) < int(length):
                self.close_connection = True
                return
            self._take(self._told(body))

    def _told(self, body: bytes) -> bytes:
        """What was posted; the fields of a form, or of the address where nothing else came, as an object."""
        form = self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
        if body and (not form or body[:1] in b"{[!$\\"):  # curl calls a form whatever it sends
            return body
        try:
            fields = dict(parse_qsl(body.decode() or self.path.partition("?")[2], max_num_fields=KEYS))
        except ValueError:
            return body
        return json.dumps(programs.of_query(fields), ensure_ascii=False).encode() if fields else body

    def _take(self, body: bytes) -> None:
        batch, stored = self.server.source.take(body)
        if not stored:
            self._answer(503, "feed_http_busy")
            return
        refused = [
            {"line": line, "code": code, "zh": messages.text(code, "zh"), "en": messages.text(code, "en")}
            for line, code in batch.refused
        ]
        result = {} if refused else {"result": "ok"}  # the word some phones wait for
        self._send(400 if refused else 200, {**result, "accepted": len(batch.fixes), "refused": refused})

    def do_GET(self) -> None:
        self._answer(405, "feed_http_post")

    do_HEAD = do_PUT = do_DELETE = do_GET

    def _answer(self, status: int, code: str, close: bool = False) -> None:
        self.close_connection = self.close_connection or close
        self._send(status, {"code": code, "zh": messages.text(code, "zh"), "en": messages.text(code, "en")})

    def _send(self, status: int, told: dict[str, Any]) -> None:
        body = json.dumps(told, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if status == 503:
            self.send_header("Retry-After", AGAIN_S)
        if status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        if status == 405:
            self.send_header("Allow", "POST")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        log.debug("feed %s: %s %s", self.server.source.name, self.address_string(), format % args)


def _known(told: str, token: str) -> bool:
    """Whether a sender showed the token: as a bearer, or as the password of any user."""
    kind, _, shown = told.partition(" ")
    if kind.lower() == "basic":
        try:
            shown = base64.b64decode(shown, validate=True).decode().partition(":")[2]
        except ValueError:
            return False
    elif kind.lower() != "bearer":
        return False
    return hmac.compare_digest(shown.encode("utf-8", "surrogateescape"), token.encode())


def _loopback(held: socket.socket) -> bool:
    return ipaddress.ip_address(held.getsockname()[0].split("%")[0]).is_loopback
