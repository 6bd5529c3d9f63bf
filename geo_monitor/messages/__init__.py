"""Every sentence a person reads, in simplified Chinese and English.

Each area keeps its own catalogue file: a dict `MESSAGES` of code -> (Chinese, English), with `{name}` placeholders.
A hint (what to do next) is the sentence under `<code>.hint`, where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import Any, Literal

Lang = Literal["zh", "en"]
AREAS = (
    "common",
    "ingest",
    "levels",
    "river",
    "analysis",
    "tracks",
    "store",
    "people",
    "cli",
    "app",
    "situation",
    "duty",
    "hotspots",
    "brief",
    "administration",
    "basemaps",
    "simulate",
    "quality",
    "feeds",
    "loop",
    "events",
    "dispatch",
    "alerts",
)


@cache
def catalogue() -> dict[str, tuple[str, str]]:
    """All sentences of all areas: code -> (zh, en)."""
    merged: dict[str, tuple[str, str]] = {}
    for area in AREAS:
        merged.update(import_module(f"geo_monitor.messages.{area}").MESSAGES)
    return merged


def worded(told: str, lang: Lang = "zh") -> str:
    """What somebody wrote, or the words of a code "@code" that stands where nobody did.

    >>> worded("@alerts.reason_joined", "en"), worded("@home")
    ('another event of the same situation', '@home')
    """
    return text(told[1:], lang) if told[:1] == "@" and told[1:] in catalogue() else told


def text(code: str, lang: Lang = "zh", **params: Any) -> str:
    """The sentence for `code` in `lang`, its placeholders filled; a value "@code" is the words for that code, where those
    have no placeholders of their own (a name that somebody typed may look like one that has). A list is told as one, code and
    params of another sentence as that.

    >>> text("unknown_table", "en", table="boats")
    'There is no table called "boats".'
    """
    zh, en = catalogue()[code]
    words = {name: _told(value, lang) for name, value in params.items()}
    return (zh if lang == "zh" else en).format(**words)


def _told(value: Any, lang: Lang) -> Any:
    if isinstance(value, list | tuple):
        return listed(map(str, value), lang)
    if isinstance(value, dict):
        return text(value["code"], lang, **value["params"])
    if isinstance(value, str) and value[:1] == "@" and "{" not in "".join(catalogue().get(value[1:], "{")):
        return text(value[1:], lang)
    return value


def listed(parts: Iterable[str], lang: Lang) -> str:
    """Names in a row; who has none is left out.

    >>> listed(["甲", "乙"], "zh"), listed(["a", "", "b"], "en")
    ('甲、乙', 'a, b')
    """
    return ("、" if lang == "zh" else ", ").join(filter(None, parts))


def hint(code: str, lang: Lang = "zh", **params: Any) -> str | None:
    """What to do next about `code`, or None where nothing needs doing."""
    return text(f"{code}.hint", lang, **params) if f"{code}.hint" in catalogue() else None
