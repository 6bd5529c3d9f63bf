"""What the store already has, as `ingest.Held` asks for it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sql
from numpy.typing import NDArray

from geo_monitor.ingest.receipt import Nothing, zone_key
from geo_monitor.settings import Settings
from geo_monitor.store import positions
from geo_monitor.store.embedded import Store
from geo_monitor.store.schema import SQL

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.river.mask import Mask

M_PER_DEGREE = 111_195.1
CERTAIN = ("given", "named", "receiver", "tested")  # how the datum of an upload was known, to be a reference for others
DECLARED = (*CERTAIN, "declared")  # enough for zones, whose own earlier version is looked for
THIN_M = 50.0  # metres; confirmed fixes are thinned to one in a square of this size
FIX_M = 25.0  # metres; how exact a thinned fix is
TRACK_FILES = 200  # uploads of fixes, by day, looked at: the newest
TRACK_CELLS = 2_000_000  # squares kept of them
MASK_PIXELS = 4_000_000  # pixels of a mask read for one box; a larger one is read coarser
SHAPES = 2_000  # shapes of one kind in an answer
FIX = ["unit_id", "time", "lon", "lat", "receipt_id"]
OF_AGENCIES = ("tracks", "seizures", "units", "patrols")  # kinds whose rows are their agency's; the others are law
Box = tuple[float, float, float, float]


class Held:
    """A view of `store` for a reader of uploads; inside `store.writing()` it stays true until the commit.

    seen: the agencies whose rows the sender may read (None: all). A receipt must not tell what others hold: their
    records are left out, their fixes are marked as not seen. settings: limits on archives that masks were sent in.
    """

    def __init__(self, store: Store, seen: Collection[str] | None = None, settings: Settings | None = None) -> None:
        self._store, self._settings = store, settings or Settings()
        self._seen = None if seen is None else frozenset(seen)

    def records(self, kind: str) -> pd.DataFrame:
        """Records of a kind in force, the newest version of each per agency, with agency, version and receipt_id."""
        frame = self._store.records(kind)
        if self._seen is None or kind not in OF_AGENCIES:
            return frame
        return frame[frame["agency"].isin(self._seen)].reset_index(drop=True)

    def positions(self, unit_ids: Iterable[str], first: datetime, last: datetime) -> pd.DataFrame:
        """unit_id, time, lon, lat, seen of fixes in force of these units, first <= time <= last."""
        import pandas as pd

        end = pd.Timestamp(last) + pd.Timedelta(milliseconds=1)
        return self._marked(self._store.positions(None, first, end, FIX, units=list(unit_ids), sealed=True).to_pandas())

    def _marked(self, fixes: pd.DataFrame) -> pd.DataFrame:
        """`fixes` with `seen`: whether the sender may read them."""
        own = None if self._seen is None else set(self._store.receipts_in_force(None, ["tracks"], self._seen))
        return fixes.assign(seen=True if own is None else fixes["receipt_id"].isin(own)).drop(columns="receipt_id")

    def moments(self, times: Iterable[int]) -> pd.DataFrame:
        """Fixes in force of any unit at exactly these moments (UTC milliseconds): unit_id, time, lon, lat, seen."""
        import pandas as pd

        wanted = np.unique(np.array(list(times), dtype=np.int64))
        parts = []
        for day in np.unique(positions.day_of(wanted)) if len(wanted) else ():  # type: ignore[arg-type]
            own = wanted[positions.day_of(wanted) == day]  # type: ignore[arg-type]
            end = pd.Timestamp(int(own[-1]) + 1, unit="ms", tz="UTC")
            first = pd.Timestamp(int(own[0]), unit="ms", tz="UTC")
            frame = self._store.positions(None, first, end, FIX, sealed=True).to_pandas()
            ms = frame["time"].dt.tz_localize(None).to_numpy(dtype="datetime64[ms]").astype(np.int64)
            parts.append(frame[np.isin(ms, own)])
        none = self._store.positions(None, columns=FIX, units=[], sealed=True).to_pandas()
        return self._marked(pd.concat(parts, ignore_index=True) if parts else none)

    def reference(self, west: float, south: float, east: float, north: float) -> pd.DataFrame:
        """What is known for certain to lie in the box; see `ingest.Held`. Lines and banks are simplified within 5 m."""
        box = (west, south, east, north)
        rows = [*self._waters(box), *self._masks(box), *self._fixes(box), *self._zones(box)]
        if not rows:
            return Nothing().reference(*box)
        import geopandas as gpd
        import shapely

        columns = dict(zip(("kind", "accuracy_m", "geometry", "zone"), zip(*rows, strict=True), strict=True))
        shapes = np.array(columns.pop("geometry"), dtype=object)
        long = shapely.get_num_coordinates(shapes) > 50
        shapes[long] = shapely.simplify(shapes[long], 5 / M_PER_DEGREE)
        return gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4326")

    def _waters(self, box: Box) -> Iterator[tuple[str, float, Any, str | None]]:
        """Lines and lakes of river uploads that state their accuracy."""
        import shapely

        lines = self._river_lines
        lines = lines[shapely.intersects(lines["geometry"].to_numpy(), shapely.box(*box))].iloc[:SHAPES]
        parts = shapely.clip_by_rect(lines["geometry"].to_numpy(), *box)
        for what, accuracy, shape in zip(lines["what"], lines["accuracy_m"], parts, strict=True):
            yield "bank" if what == "lake" else "line", float(accuracy), shape, None

    @cached_property
    def _river_lines(self) -> pd.DataFrame:
        lines = self._store.records("river_lines")
        return lines[lines["what"].isin(["channel", "lake"]) & lines["accuracy_m"].notna()]

    def _masks(self, box: Box) -> Iterator[tuple[str, float, Any, str | None]]:
        """Water of the masks held as polygons, and where each mask covers the box."""
        import shapely

        from geo_monitor.ingest.files import geotiff
        from geo_monitor.river.mask import water

        for mask in self._held_masks:
            cover = shapely.intersection(mask.outline, shapely.box(*box))
            if cover.is_empty:
                continue
            with geotiff(mask.path, self._settings) as path:
                shapes, pixel = water(path, shapely.bounds(cover).tolist(), MASK_PIXELS, mask.crs)
            yield "cover", pixel, cover, None
            for shape in sorted(shapes, key=lambda one: -one.area)[:SHAPES]:
                yield "mask", pixel, shape, None

    @cached_property
    def _held_masks(self) -> list[Mask]:
        return self._store.masks()

    def _fixes(self, box: Box) -> Iterator[tuple[str, float, Any, str | None]]:
        """Fixes of boats whose datum is certain, one a square."""
        import shapely

        lon, lat = self._confirmed
        inside = (lon >= box[0]) & (lon <= box[2]) & (lat >= box[1]) & (lat <= box[3])
        if inside.any():
            yield "track", FIX_M, shapely.multipoints(np.column_stack([lon[inside], lat[inside]])), None

    @cached_property
    def _confirmed(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Degrees of the squares in which a boat of certain datum was."""
        receipts = self._sure("tracks", CERTAIN)
        parts = positions.parts(self._store.root / "positions", receipts, None, None)
        newest = sorted((part.day, name, part.path) for part in parts for name in part.receipts)[-TRACK_FILES:]
        cells: NDArray[np.int64] = np.zeros((0,), dtype=np.int64)
        step = THIN_M / M_PER_DEGREE
        for path, of_file in groupby(sorted(newest, key=itemgetter(0, 2)), itemgetter(2)):
            part = positions.Part(path, tuple(name for _, name, _ in of_file), mixed=True)
            table = positions.read([part], ["lon", "lat", "platform"]).to_pandas()
            table = table[table["platform"].isna() | (table["platform"] == "boat")]
            own = np.round(table["lat"].to_numpy() / step).astype(np.int64) << 32
            own |= np.round(table["lon"].to_numpy() / step).astype(np.int64)
            cells = np.union1d(cells, own)
            if len(cells) > TRACK_CELLS:
                break
        lon, lat = (cells & 0xFFFFFFFF).astype(np.float64), (cells >> 32).astype(np.float64)
        return lon * step, lat * step

    def _zones(self, box: Box) -> Iterator[tuple[str, float, Any, str | None]]:
        """Zones in force under their id and under their name."""
        import shapely

        near = self._known_zones
        near = near[shapely.intersects(near["geometry"].to_numpy(), shapely.box(*box))].iloc[:SHAPES]
        for agency, zone, name, shape in zip(
            *(near[c] for c in ("agency", "zone_id", "name", "geometry")), strict=True
        ):
            for key in {zone_key(agency, zone), zone_key(agency, name or zone)}:
                yield "zone", FIX_M, shape, key

    @cached_property
    def _known_zones(self) -> pd.DataFrame:
        zones = self._store.records("zones")
        return zones[zones["receipt_id"].isin(self._sure("zones", DECLARED))]

    def _sure(self, kind: str, how: tuple[str, ...]) -> list[str]:
        """Receipts in force of a kind whose datum was known in one of the ways `how`."""
        held = set(self._store.receipts_in_force(kinds=[kind]))
        receipts = SQL["receipts"]
        query = sql.select(receipts.c.receipt_id, receipts.c.receipt).where(receipts.c.kind == kind)
        return [
            row.receipt_id
            for row in self._store.rows(query)
            if row.receipt_id in held and json.loads(row.receipt)["en"]["crs"].get("datum_how") in how
        ]

    def mmsi(self) -> set[str]:
        """AIS numbers of the units held, of every agency: they are on the air anyway."""
        return set(self._store.records("units")["mmsi"].dropna())

    def sha256(self, digest: str, kind: str) -> str | None:
        """The receipt in force that took in these bytes as this kind, or None.

        None too where an earlier upload of the kind was withdrawn since: rows of these bytes that were left out because
        that upload held them are held by nobody now.
        """
        receipts = SQL["receipts"]
        query = sql.select(receipts.c.receipt_id, receipts.c.row, receipts.c.received_at, receipts.c.withdrawn_at)
        same = query.where(receipts.c.sha256 == digest, receipts.c.kind == kind).order_by(receipts.c.row.desc())
        if self._seen is not None and kind in OF_AGENCIES:
            same = same.where(receipts.c.agency.in_(sorted(self._seen)))
        held = set(self._store.receipts_in_force(kinds=[kind]))
        found = next((row for row in self._store.rows(same) if row.receipt_id in held), None)
        if found is None:
            return None
        earlier = query.where(receipts.c.kind == kind, receipts.c.row < found.row)
        gone = earlier.where(receipts.c.withdrawn_at >= found.received_at)
        return None if self._store.rows(gone) else str(found.receipt_id)

    def held_from(self) -> int | None:
        """As `Store.held_from`."""
        return self._store.held_from
