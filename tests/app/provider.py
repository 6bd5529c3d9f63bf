"""An identity provider of the tests' own on loopback: OpenID Connect discovery, authorize, token, keys, end of session.

It believes whoever chooses a name on its page. Keys, codes and nonces are real; RFC 6749, OpenID Connect Core 1.0.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

CLIENT, SECRET = "geo-monitor", "a secret of the tests"
PEOPLE = ("u-1001", "u-9999")


def _part(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


class Provider(ThreadingHTTPServer):
    """signed_out: how often a session was ended here. age_s: how old the identities are that it hands out."""

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Answer)
        self.key = rsa.generate_private_key(65537, 2048)
        self.codes: dict[str, tuple[str, str]] = {}
        self.signed_out = 0
        self.age_s = 0

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def id_token(self, subject: str, nonce: str) -> str:
        now = int(time.time()) - self.age_s
        told = {"iss": self.issuer, "sub": subject, "aud": CLIENT, "iat": now, "exp": now + 7200, "nonce": nonce}
        head = _part(json.dumps({"alg": "RS256", "kid": "1", "typ": "JWT"}).encode())
        body = f"{head}.{_part(json.dumps(told).encode())}"
        return f"{body}.{_part(self.key.sign(body.encode(), padding.PKCS1v15(), SHA256()))}"


class _Answer(BaseHTTPRequestHandler):
    server: Provider

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        own = self.server.issuer
        if address.path == "/.well-known/openid-configuration":
            ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys",
                    "end_session_endpoint": "end"}  # fmt: skip
            self._json({"issuer": own, **{name: f"{own}/{path}" for name, path in ends.items()},
                        "response_types_supported": ["code"], "subject_types_supported": ["public"],
                        "id_token_signing_alg_values_supported": ["RS256"],
                        "token_endpoint_auth_methods_supported": ["client_secret_basic"]})  # fmt: skip
        elif address.path == "/keys":
            numbers = self.server.key.public_key().public_numbers()
            parts = {name: _part(value.to_bytes((value.bit_length() + 7) // 8)) for name, value in
                     (("n", numbers.n), ("e", numbers.e))}  # fmt: skip
            self._json({"keys": [{"kty": "RSA", "kid": "1", "use": "sig", "alg": "RS256", **parts}]})
        elif address.path == "/authorize" and "as" not in asked:
            links = "".join(
                f'<a id="{who}" href="/authorize?{urlencode({**asked, "as": who})}">{who}</a> ' for who in PEOPLE
            )
            self._page(f"<h1>who are you</h1>{links}")
        elif address.path == "/authorize":
            assert asked["client_id"] == CLIENT
            code = secrets.token_urlsafe(16)
            self.server.codes[code] = (asked["as"], asked["nonce"])
            self._to(asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"]}))
        elif address.path == "/end":
            self.server.signed_out += 1
            self._to(asked["post_logout_redirect_uri"])
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        given = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET.replace(' ', '+')}".encode()).decode()
        plain = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        found = self.server.codes.pop(given["code"][0], None)
        if found is None or self.headers["Authorization"] not in (basic, plain):
            self.send_error(400)
            return
        self._json({"access_token": secrets.token_urlsafe(8), "token_type": "Bearer", "expires_in": 7200,
                    "id_token": self.server.id_token(*found)})  # fmt: skip

    def _to(self, url: str) -> None:
        self.send_response(302)
        self.send_header("Location", url)
        self.end_headers()

    def _page(self, text: str) -> None:
        self._send(text.encode(), "text/html")

    def _json(self, told: object) -> None:
        self._send(json.dumps(told).encode(), "application/json")

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def provider(port: int) -> Iterator[Provider]:
    made = Provider(port)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        made.shutdown()
        made.server_close()
