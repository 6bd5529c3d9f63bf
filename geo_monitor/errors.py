"""The errors people meet.

One small family. Each error carries a message *code* and its parameters instead of a finished sentence, so that the
same fault can be told in Chinese or English (see `geo_monitor.messages`) and stored in a receipt.
"""

from __future__ import annotations

from typing import Any


class GeoMonitorError(Exception):
    """Base of every error this package raises on purpose.

    `code` names a sentence in `geo_monitor.messages`; `params` fill it. `str(error)` is the English sentence.
    """

    exit_code = 1

    def __init__(self, code: str, **params: Any) -> None:
        self.code = code
        self.params = params
        super().__init__(code)

    def __str__(self) -> str:
        from geo_monitor.messages import text

        return text(self.code, "en", **self.params)


class Usage(GeoMonitorError):
    """The call itself is wrong: an unknown kind, a table that is not there, an impossible date. Exit code 2."""

    exit_code = 2


class Refused(GeoMonitorError):
    """The input was refused and nothing changed. Exit code 3.

    `hint` names the sentence that tells what to do next; `rows` are the 1-based data rows it is about.
    """

    exit_code = 3

    def __init__(self, code: str, *, rows: list[int] | None = None, **params: Any) -> None:
        super().__init__(code, **params)
        self.rows = rows or []


class Denied(GeoMonitorError):
    """Nobody is signed in, or the account may not do this. Nothing changed. Exit code 3."""

    exit_code = 3


def in_utf8(*texts: str) -> None:
    """Raises `Usage("not_utf8")` for a text whose bytes are not UTF-8: nothing that we write could hold it."""
    for one in texts:
        try:
            one.encode()
        except UnicodeEncodeError:
            raise Usage("not_utf8", text=one.encode(errors="replace").decode()) from None
