"""What is new, what is held already, what corrects a record: rows of one upload against each other and the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geo_monitor import tables
from geo_monitor.ingest import motion
from geo_monitor.ingest.kinds import IDENTITY, TABLES
from geo_monitor.ingest.ledger import Ledger
from geo_monitor.ingest.receipt import Held, Message
from geo_monitor.settings import Settings
from geo_monitor.times import shanghai_date

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]
TWICE_UNITS, TWICE_SAMPLE, TWICE_LEAST = 200, 40, 20  # units looked at; fixes of each; fewer tell nothing
SELF_MADE = ("receipt_id", "version")  # columns that say nothing of a record's content


@dataclass(frozen=True)
class Sorted:
    """Masks over the rows read (n,): `new`, `corrected`, `unchanged`; and the rows to store."""

    new: Array
    corrected: Array
    unchanged: Array
    rows: pd.DataFrame | None


def positions(frame: pd.DataFrame, ledger: Ledger, held: Held, settings: Settings) -> Sorted:
    """Fixes: the same unit, moment and place again is unchanged; the same moment in another place is a clash; so is what
    another agency sent before under another name of the boat unchanged."""
    import pandas as pd

    ms = _ms(frame["time"])
    lon, lat = frame["lon"].to_numpy(dtype=float), frame["lat"].to_numpy(dtype=float)
    unit, names = pd.factorize(frame["unit_id"].to_numpy(dtype=object))
    unchanged = repeated(unit, list(names), ms, lon, lat, ledger, held, settings)
    found = samples(unit, ms, lon, lat, ledger.alive & ~unchanged)
    few = {key: found[key] for key in sorted(found)[:TWICE_UNITS]}
    for key, message in under_another_name(few, list(names), held, settings).items():
        same = (unit == key) & ledger.alive & ~unchanged
        ledger.warn(message.code, same, **message.params)
        unchanged[same] = True
    new = ledger.alive & ~unchanged
    kept = frame if new.all() else frame[new].reset_index(drop=True)
    return Sorted(new, np.zeros(len(frame), dtype=bool), unchanged & ledger.alive, kept if len(kept) else None)


def repeated(
    unit: Array, names: Sequence[str], ms: Array, lon: Array, lat: Array, ledger: Ledger, held: Held, settings: Settings
) -> Array:
    """Fixes (n,) that stand in the file before, or are held: unchanged. Refuses those of a unit that was elsewhere at that
    moment, and those of days that were let go: a few of them would pass for all of such a day. unit: codes into `names`;
    ms: UTC milliseconds."""
    import pandas as pd

    n, begin = len(ms), held.held_from()
    if begin is not None:
        ledger.refuse(ms < begin, "day_expired", first=shanghai_date(begin))
    unchanged = np.zeros(n, dtype=bool)
    alive = np.flatnonzero(ledger.alive)
    order = alive[np.lexsort((ms[alive], unit[alive]))]
    again, away = motion.repeats(unit[order], ms[order], lon[order], lat[order], settings.same_place_m)
    mask = np.zeros(n, dtype=bool)
    mask[order[away]] = True
    asked = np.unique(unit[alive])
    ledger.refuse(mask, "device_clash")
    unchanged[order[again]] = True
    ledger.warn("duplicate_rows", unchanged)
    rows = np.flatnonzero(ledger.alive & ~unchanged)
    if not len(rows):
        return unchanged
    low, high = int(ms[rows].min()), int(ms[rows].max())
    first, last = (pd.Timestamp(edge, unit="ms", tz="UTC").to_pydatetime() for edge in (low, high))
    there = held.positions([names[code] for code in asked.tolist()], first, last)
    if not len(there):
        return unchanged
    # a unit and moment as one number
    code = pd.Index([names[code] for code in asked.tolist()]).get_indexer(there["unit_id"].astype(str))
    span = high - low + 1
    key, place = np.unique(code * span + (_ms(there["time"]) - low), return_index=True)
    wanted = np.searchsorted(asked, unit[rows]) * span + (ms[rows] - low)
    at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    known = key[at] == wanted
    spot, mine = place[at[known]], rows[known]
    there_lon, there_lat = there["lon"].to_numpy(dtype=float)[spot], there["lat"].to_numpy(dtype=float)[spot]
    metres = motion.metres(lon[mine], lat[mine], there_lon, there_lat)
    unchanged[mine[metres <= settings.same_place_m]] = True
    clash = np.zeros(n, dtype=bool)
    # a fix of an agency that the sender does not see refuses nothing: it would tell when its boat was out
    clash[mine[(metres > settings.same_place_m) & there["seen"].to_numpy(dtype=bool)[spot]]] = True
    ledger.refuse(clash, "device_clash")
    return unchanged


Sample = tuple[Array, Array, Array]  # UTC milliseconds, lon, lat of some fixes of a unit


def samples(unit: Array, ms: Array, lon: Array, lat: Array, fresh: Array) -> dict[int, Sample]:
    """Of each unit with `fresh` fixes (n,) some, evenly taken; none of one with too few to tell anything."""
    rows = np.flatnonzero(fresh)
    rows = rows[np.argsort(unit[rows], kind="stable")]
    ends = np.flatnonzero(np.diff(unit[rows])) + 1
    found: dict[int, Sample] = {}
    for own in np.split(rows, ends) if len(rows) else ():
        at = own[:0]
        if len(own) >= TWICE_LEAST:
            at = own[np.linspace(0, len(own) - 1, min(len(own), TWICE_SAMPLE)).astype(int)]
        found[int(unit[own[0]])] = (ms[at], lon[at], lat[at])
    return found


def under_another_name(
    found: Mapping[int, Sample], names: Sequence[str], held: Held, settings: Settings
) -> dict[int, Message]:
    """Units that another agency sent before under another name of the boat, and what is to be told of it, so that no
    patrol counts twice.

    A unit's fixes are another's when `twice_share` of a sample lie within `twice_m` of that unit's at the same
    millisecond, along a way of `twice_way_m`: two boats can lie side by side, but not sail so.
    """
    import pandas as pd

    twice: dict[int, Message] = {}
    moments = [ms for ms, _, _ in found.values() if len(ms)]
    there = held.moments(np.unique(np.concatenate(moments)).tolist()) if moments else None
    if there is None or not len(there):
        return twice
    there = there.assign(ms=_ms(there["time"]))
    for unit, (ms, lon, lat) in found.items():
        if not len(ms):
            continue
        mine = pd.DataFrame({"ms": ms, "x": lon, "y": lat})
        both = mine.merge(there[there["unit_id"] != names[unit]], on="ms")
        both = both[
            motion.metres(*(both[c].to_numpy(dtype=float) for c in ("x", "y", "lon", "lat"))) <= settings.twice_m
        ]
        for other, part in both.groupby("unit_id"):
            x, y = part["x"].to_numpy(), part["y"].to_numpy()
            way = motion.metres(x[:1], y[:1], x, y).max()
            if part["ms"].nunique() >= settings.twice_share * len(ms) and way >= settings.twice_way_m:
                if part["seen"].all():
                    twice[unit] = Message("patrol_twice", {"unit": names[unit], "other": other})
                else:
                    twice[unit] = Message("patrol_twice_elsewhere", {"unit": names[unit]})
                break
    return twice


def records(kind: str, frame: pd.DataFrame, ledger: Ledger, held: Held) -> Sorted:
    """Records: known by agency and id; other values under a known id are a new version."""
    table = tables.table(TABLES[kind])
    n = len(frame)
    names = [name for name in table.names if name not in SELF_MADE]
    if "agency" not in names:
        names.append("agency")
    new, corrected, unchanged = (np.zeros(n, dtype=bool) for _ in range(3))
    version = np.ones(n, dtype=np.int64)
    alive = np.flatnonzero(ledger.alive)
    content = np.full(n, None, dtype=object)
    content[alive] = _content(table, frame.iloc[alive], names)
    there = held.records(kind)
    known = _known(kind, table, there, names)
    identity = _identity(kind, frame)
    seen: dict[tuple[str, str], tuple[set[Any], int]] = {}
    twice = np.zeros(n, dtype=bool)
    if kind == "zones":
        _rules(np.array(alive), identity, content, known, names.index("valid_from"), new, corrected, unchanged, version)
        _tell_ended(ledger, identity, content, known, names.index("valid_from"), corrected, unchanged)
        alive = alive[:0]
    for i in alive.tolist():
        key = identity[i]
        before = known.get(key)
        if key in seen:
            if content[i] in seen[key][0]:
                unchanged[i] = True
            else:
                twice[i] = True
            continue
        if before is None:
            new[i] = True
        elif content[i] in before[0]:
            unchanged[i], version[i] = True, before[1]
        else:
            corrected[i], version[i] = True, before[1] + 1
        seen[key] = ({content[i]}, int(version[i]))
    in_file = unchanged & np.array([identity[i] is not None and identity[i] not in known for i in range(n)], dtype=bool)
    ledger.warn("duplicate_rows", in_file)
    ledger.refuse(twice, "id_twice")
    keep = new | corrected
    rows = frame[keep].assign(version=version[keep]).reset_index(drop=True)
    return Sorted(new, corrected, unchanged, rows if len(rows) else None)


def _rules(
    rows: Array,
    identity: list[tuple[str, str]],
    content: Array,
    known: dict[tuple[str, str], tuple[set[Any], int]],
    begins: int,
    new: Array,
    corrected: Array,
    unchanged: Array,
    version: Array,
) -> None:
    """Zones: one file may carry several rules, parts or versions of a zone in several rows (`geo_monitor.versions`).

    Where a row is new to a zone already held, it takes over from its beginning on; rows of the file that are held
    already and begin then or later are new versions with it, else they would end. Sets the masks and versions (n,) of
    `rows`. begins: place of valid_from in `content`.
    """
    of: dict[tuple[str, str], list[int]] = {}
    for i in rows.tolist():
        of.setdefault(identity[i], []).append(i)
    for key, members in of.items():
        contents, newest = known.get(key, (set(), 0))
        first: dict[Any, int] = {}
        for i in members:
            unchanged[i] = first.setdefault(content[i], i) != i
        stated = list(first.values())
        fresh = [i for i in stated if content[i] not in contents]
        turns = [_begin(content[i][begins]) for i in fresh]
        for i in stated:
            if i in fresh or (turns and min(turns) <= _begin(content[i][begins])):
                newest += 1
                version[i] = newest
                (corrected if contents else new)[i] = True
            else:
                unchanged[i] = True


def _tell_ended(
    ledger: Ledger,
    identity: list[tuple[str, str]],
    content: Array,
    known: dict[tuple[str, str], tuple[set[Any], int]],
    begins: int,
    corrected: Array,
    unchanged: Array,
) -> None:
    """Warns of zones whose held rules of a later beginning end with a correction that does not repeat them."""
    ends = np.zeros(len(content), dtype=bool)
    stated: dict[tuple[str, str], set[Any]] = {}
    for i in np.flatnonzero(corrected | unchanged).tolist():
        stated.setdefault(identity[i], set()).add(content[i])
    for i in np.flatnonzero(corrected).tolist():
        left = known[identity[i]][0] - stated[identity[i]]
        ends[i] = any(_begin(held[begins]) > _begin(content[i][begins]) for held in left)
    zones = sorted({identity[i][1] for i in np.flatnonzero(ends).tolist()})
    ledger.warn("zone_version_ended", ends, zones=zones[:10])


def _begin(valid_from: Any) -> float:
    return -np.inf if valid_from is None else float(valid_from.timestamp())


def _identity(kind: str, frame: pd.DataFrame) -> list[tuple[str, str]]:
    agency = ["" if value is None or value != value else str(value) for value in frame["agency"].tolist()]
    return list(zip(agency, [str(value) for value in frame[IDENTITY[kind]].tolist()], strict=True))


def _known(
    kind: str, table: tables.Table, there: pd.DataFrame, names: list[str]
) -> dict[tuple[str, str], tuple[set[Any], int]]:
    """What is held: (agency, id) -> contents in force, newest version."""
    known: dict[tuple[str, str], tuple[set[Any], int]] = {}
    if not len(there):
        return known
    versions = there["version"].tolist() if "version" in there else [1] * len(there)
    for key, content, version in zip(_identity(kind, there), _content(table, there, names), versions, strict=True):
        contents, newest = known.get(key, (set(), 0))
        known[key] = (contents | {content}, max(newest, int(version)))
    return known


def _content(table: tables.Table, frame: pd.DataFrame, names: list[str]) -> list[Any]:
    """Each row's values as something that can be compared."""
    columns = table.to_arrow(frame)
    values = [columns[name].to_pylist() if name in table.names else frame[name].tolist() for name in names]
    plain = [[None if cell is None or cell != cell else cell for cell in column] for column in values]
    return list(zip(*plain, strict=True))


def merge(frame: pd.DataFrame, ledger: Ledger) -> tuple[pd.DataFrame, Array]:
    """Jurisdictions: rows of one agency and name as one record, their shapes joined; and which record each row is in."""
    import shapely

    alive = ledger.alive
    identity = _identity("jurisdictions", frame)
    group: dict[tuple[str, str], list[int]] = {}
    for i in np.flatnonzero(alive).tolist():
        group.setdefault(identity[i], []).append(i)
    owner = np.full(len(frame), -1)
    merged = frame.copy()
    shapes = merged["geometry"].to_numpy(dtype=object).copy()
    for members in group.values():
        owner[members] = members[0]
        if len(members) > 1:
            shapes[members[0]] = shapely.union_all(shapes[members])
            for column in ("adcode", "level", "parent"):  # told by any of the parts
                if merged[column].isna()[members[0]]:
                    merged.loc[members[0], column] = next(iter(frame[column].iloc[members].dropna()), None)
    merged["geometry"] = shapes
    return merged, owner


def same_parts(frame: pd.DataFrame, ledger: Ledger) -> Array:
    """Jurisdictions: rows that repeat an earlier one to the letter (n,)."""
    import shapely

    repeated = frame.drop(columns="geometry").assign(shape=shapely.to_wkb(frame["geometry"].to_numpy(dtype=object)))
    again = np.zeros(len(frame), dtype=bool)
    alive = ledger.alive
    again[alive] = repeated[alive].duplicated().to_numpy()
    return again


def _ms(times: pd.Series) -> Array:
    return times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[ms]").astype(np.int64)
