"""Base maps of an agency's own in a workspace: `basemaps/<id>/` with `base.json` and what is shown. The original is not
kept, only its SHA-256.

A folder's name is made of the base map's name, so that nothing anybody typed becomes a path. It appears whole or not at
all, before the row of the audit book that tells of it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import unicodedata
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from geo_monitor.basemaps import IMAGE, KINDS, SHAPES, Box
from geo_monitor.errors import Refused, Usage
from geo_monitor.store import audit, files

if TYPE_CHECKING:
    from geo_monitor.settings import Settings
    from geo_monitor.store import Store
    from geo_monitor.store.rights import Viewer

FOLDER, TOLD = "basemaps", "base.json"
NAME_LENGTH = 40  # characters
MOST = 20  # base maps of a workspace
TOLD_BYTES = 1 << 16
ENDINGS = (".tif", ".tiff", ".pmtiles")


@dataclass(frozen=True)
class Basemap:
    """One base map: its name, kind (of `basemaps.KINDS`), box in WGS84 degrees, the original's file name and SHA-256,
    who added it when (ISO 8601, UTC), which file shows it and that file's SHA-256."""

    name: str
    kind: str
    bounds: Box
    file: str
    sha256: str
    who: str
    at: str
    shows: str
    shown_sha256: str


class Basemaps:
    """The base maps of one workspace. viewer: who acts; adding and removing need the right `keep`, looking any right to
    the maps or to `keep`; else `Denied`: `not_allowed`, `sign_in_needed`."""

    def __init__(self, store: Store, settings: Settings, viewer: Callable[[], Viewer]) -> None:
        self._store, self._settings, self._viewer = store, settings, viewer

    def every(self) -> list[Basemap]:
        """The base maps, by name. One whose `base.json` can't be read is left out."""
        self._viewer().needs("read", "keep")
        return self._every()

    def _every(self) -> list[Basemap]:
        found = (_read(path) for path in sorted((self._store.root / FOLDER).glob(f"[0-9a-f]*/{TOLD}")))
        return sorted((one for one in found if one is not None), key=lambda one: one.name)

    def content(self, name: str) -> tuple[Basemap, bytes]:
        """A base map and the bytes of what shows it (WebP or GeoJSON).

        Raises `Usage("basemap_unknown")`, `Refused("basemap_damaged")` where they are not what they were.
        """
        self._viewer().needs("read", "keep")
        folder = self._folder(name)
        if not (folder / TOLD).is_file():
            raise Usage("basemap_unknown", name=name)
        held = _read(folder / TOLD)
        try:
            content = (folder / held.shows).read_bytes() if held else b""
        except OSError:
            content = b""
        if held is None or hashlib.sha256(content).hexdigest() != held.shown_sha256:
            raise Refused("basemap_damaged", name=name)
        return held, content

    def add(self, path: Path | str, name: str | None = None, now: datetime | None = None) -> Basemap:
        """Makes a base map of a GeoTIFF or PMTiles file and keeps it. name: else that of the file, without its ending.

        Raises `Usage`: `file_missing`, `basemap_name_bad`; `Refused`: `basemap_there`, `basemap_too_many`,
        `disk_full` and what `ingest.limited.base_map` raises.
        """
        from geo_monitor.basemaps import convert
        from geo_monitor.ingest import limited
        from geo_monitor.ingest.handover import Garbled

        self._viewer().needs("keep")
        path = Path(path)
        if not path.is_file():
            raise Usage("file_missing", file=str(path))
        name = _name(PurePath(path.name).stem if name is None else name)
        self._room_for(name)
        root = self._store.root
        with files.room(root), limited.base_map(path, self._settings, root) as (told, made_in):
            try:
                made = convert.accepted(told, made_in)
            except Garbled:
                raise Refused("basemap_stopped", file=path.name, why="@basemap_parser_garbled") from None
        held = Basemap(
            name=name,
            kind=made.kind,
            bounds=made.bounds,
            file=path.name[-200:],
            sha256=files.sha256(path),
            who=self._viewer().account,
            at=(now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds"),
            shows=made.shows,
            shown_sha256=hashlib.sha256(made.content).hexdigest(),
        )
        with self._store.writing():
            self._room_for(name)  # somebody may have been faster
            folder = self._folder(name)
            if folder.exists():  # one that can't be read
                shutil.rmtree(folder)
            with files.replacing(folder) as temporary:
                temporary.mkdir()
                (temporary / made.shows).write_bytes(made.content)
                (temporary / TOLD).write_text(json.dumps(asdict(held), ensure_ascii=False), encoding="utf-8")
                for part in temporary.iterdir():
                    files.sync(part)
            try:
                with self._store.transaction() as connection:
                    told = {"file": held.file, "sha256": held.sha256, "kind": held.kind}
                    audit.append(connection, now or datetime.now(UTC), held.who, "basemap_add", name, **told)
            except BaseException:
                shutil.rmtree(folder)
                raise
        return held

    def remove(self, name: str, now: datetime | None = None) -> None:
        """Removes a base map, a damaged one too. Raises `Usage("basemap_unknown")`."""
        self._viewer().needs("keep")
        with self._store.writing():
            folder = self._folder(name)
            if not folder.is_dir():
                raise Usage("basemap_unknown", name=name)
            with self._store.transaction() as connection:
                audit.append(connection, now or datetime.now(UTC), self._viewer().account, "basemap_remove", name)
            shutil.rmtree(folder)

    def _room_for(self, name: str) -> None:
        held = [one.name for one in self._every()]
        if name in held:
            raise Refused("basemap_there", name=name)
        if len(held) >= MOST:
            raise Refused("basemap_too_many", most=MOST)

    def _folder(self, name: str) -> Path:
        return self._store.root / FOLDER / hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:16]


def _name(text: str) -> str:
    """The name as it is kept. Raises `Usage("basemap_name_bad")`.

    >>> _name(" 荆州\\u00a0航测\\n")
    '荆州 航测'
    """
    name = " ".join("".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFKC", text)).split())
    if not 0 < len(name) <= NAME_LENGTH:
        raise Usage("basemap_name_bad", most=NAME_LENGTH)
    return name


def _read(path: Path) -> Basemap | None:
    """What a `base.json` tells, or None where it is not as we write it (a restored backup may come from others)."""
    from geo_monitor.basemaps.convert import is_box

    try:
        if path.stat().st_size > TOLD_BYTES:
            return None
        told: Any = json.loads(path.read_text(encoding="utf-8"))
        bounds = told.pop("bounds")
        held = Basemap(bounds=tuple(bounds), **told)
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        return None
    texts = (held.name, held.file, held.sha256, held.who, held.at, held.shown_sha256)
    right = all(isinstance(text, str) for text in texts) and held.kind in KINDS and len(held.bounds) == 4
    right = right and held.shows == (SHAPES if held.kind == "shapes" else IMAGE) and is_box(held.bounds)
    return held if right and path.parent.name == hashlib.sha256(held.name.encode()).hexdigest()[:16] else None
