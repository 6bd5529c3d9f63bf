"""Level of detail: the same answer per reach, per stretch of 5 km, or per stretch of 20 km.

Reads `hotspots` and `reaches` joined (`joined`); gives frames of one form for every level, one row a thing to draw:

    id, level (reach, stretch, lake), river, km_from, km_to, state, hot, normal, cold, not_looked (numbers of reaches),
    seizures, seizures_unpatrolled, patrol_h, rate, rate_lo, rate_hi, rr, p_hot (of the worst reach), worst (its id),
    last_look, unseen_d (days since the last look), adcode_left, adcode_right, geometry
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

STATES = ("hot", "normal", "cold", "not_looked")
BASIN_KM = 20.0  # km of a stretch when the whole basin is shown: some 10 pixels at its zoom
MIDDLE_KM = 5.0  # km of a stretch when a province is shown
REACHES_MAX = 1500  # reaches drawn one by one up to here; more become stretches (software drawing: 1,000 paths in 4 s)
SUMS = ("seizures", "seizures_unpatrolled", "patrol_h")
OF_WORST = ("rate", "rate_lo", "rate_hi", "rr", "p_hot")
COMMON = ("id", "level", "river", "km_from", "km_to", "state", *STATES, *SUMS, *OF_WORST, "worst", "last_look",
          "unseen_d", "adcode_left", "adcode_right", "kind", "geometry")  # fmt: skip


def joined(hotspots: pd.DataFrame, reaches: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """Level "reach": `hotspots` with shape and banks of `reaches`; days are counted back from `now` (UTC)."""
    import pandas as pd

    shape = reaches[["reach_id", "kind", "side", "length_m", "adcode_left", "adcode_right", "geometry"]]
    frame = pd.DataFrame(hotspots).merge(pd.DataFrame(shape), on="reach_id", how="left", validate="one_to_one")
    frame["id"] = frame["reach_id"]
    frame["worst"] = frame["reach_id"]
    frame["level"] = "reach"
    for state in STATES:
        frame[state] = (frame["state"] == state).astype(int)
    frame["unseen_d"] = (now - frame["last_look"]).dt.total_seconds() / 86_400
    return frame


def stretches(frame: pd.DataFrame, length_km: float) -> pd.DataFrame:
    """Channel reaches of `frame` (level "reach") gathered into stretches of `length_km` by river and chainage.

    The state is hot where any reach is hot; else not_looked where more than half of its reaches were not looked at;
    else normal where any is normal; else cold. Rate, interval and p_hot are those of the worst looked reach: a stretch
    has no rate of its own. `unseen_d` is the median over its reaches ("half of it was not seen for so long"), never
    counting as longest. Side channels count with the main channel beside them; the line drawn is the main channel's.
    """
    channel = frame[frame["kind"] == "channel"]
    slot = np.floor(channel["km_from"].to_numpy(dtype=float) / length_km + 1e-9).astype(int)
    # downstream within a stretch, its main channel first: what a line is drawn along
    side = channel["side"].notna().to_numpy()
    order = np.lexsort((-channel["km_from"].to_numpy(dtype=float), side, slot, channel["river"].to_numpy(dtype=str)))
    channel, slot, side = channel.iloc[order], slot[order], side[order]
    river, shape = channel["river"].to_numpy(dtype=str), channel["geometry"].to_numpy()
    starts = _starts(river, slot)
    names, shapes = [], []
    for start, stop in _spans(starts, len(channel)):
        names.append(f"{river[start]}|{float(slot[start]) * length_km:g}|{length_km:g}")
        part = shape[start:stop]
        shapes.append(_along(part[~side[start:stop]] if not side[start] else part))
    return _gathered(channel, starts, names, "stretch", shapes)


def lakes(frame: pd.DataFrame) -> pd.DataFrame:
    """Lake cells of `frame` dissolved by lake and state: what the eye needs when a cell is under a pixel."""
    import shapely

    cells = frame[frame["kind"] == "lake"]
    river, state = cells["river"].to_numpy(dtype=str), cells["state"].to_numpy(dtype=str)
    order = np.lexsort((state, river))
    cells, river, state = cells.iloc[order], river[order], state[order]
    # H3 neighbours share corners only up to rounding: on a grid of 1 m they meet, and the union is that of a coverage
    snapped = shapely.set_precision(cells["geometry"].to_numpy(), 1e-5)
    starts = _starts(river, state)
    names, shapes = [], []
    for start, stop in _spans(starts, len(cells)):
        names.append(f"lake|{river[start]}|{state[start]}")
        shapes.append(shapely.coverage_union_all(snapped[start:stop]))
    return _gathered(cells, starts, names, "lake", shapes)


def choose(frame: pd.DataFrame, basin: bool) -> pd.DataFrame:
    """What is drawn for the reaches of `frame`: themselves while few, else stretches and dissolved lakes."""
    import pandas as pd

    if not basin and len(frame) <= REACHES_MAX:
        return frame[list(COMMON)]
    parts = [stretches(frame, BASIN_KM if basin else MIDDLE_KM), lakes(frame)]
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else frame[list(COMMON)]


def live(frame: pd.DataFrame, basin: bool) -> pd.DataFrame:
    """As `choose`, for a map that is sent again and again: what was not looked at is gathered even where the rest is drawn
    reach by reach, since nothing more can be said of it."""
    import pandas as pd

    if basin or len(frame) > REACHES_MAX:
        drawn = choose(frame, basin)
        bare = (drawn["level"] == "stretch") & (drawn["state"] == "not_looked")
        length = BASIN_KM if basin else MIDDLE_KM
        slots = set(zip(drawn.loc[bare, "river"], np.floor(drawn.loc[bare, "km_from"] / length + 1e-9), strict=True))
        river, slot = frame["river"].to_numpy(), np.floor(frame["km_from"].to_numpy() / length + 1e-9)
        mine = np.array([pair in slots for pair in zip(river, slot, strict=True)], dtype=bool)
        parts = [drawn[~bare], stretches(frame[mine], 5 * length)]
        return pd.concat([part for part in parts if len(part)], ignore_index=True) if bare.any() else drawn
    unlooked = frame["state"] == "not_looked"
    parts = [frame.loc[~unlooked, list(COMMON)], stretches(frame[unlooked], MIDDLE_KM), lakes(frame[unlooked])]
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else frame[list(COMMON)]


def worst_first(frame: pd.DataFrame) -> pd.DataFrame:
    """Looked-at rows first by p_hot, ties by rate; those not looked at after them."""
    looked = frame["state"] != "not_looked"
    order = np.lexsort((-frame["rate"].to_numpy(), -frame["p_hot"].to_numpy(), ~looked.to_numpy()))
    return frame.iloc[order]


def _gathered(
    frame: pd.DataFrame, starts: np.ndarray, names: list[str], level: str, shapes: list[object]
) -> pd.DataFrame:
    """Rows of COMMON, one for each run of rows of `frame` that begins at `starts` (m,); names and shapes (m,) are theirs."""
    import pandas as pd

    if not len(starts):
        return pd.DataFrame(columns=list(COMMON))
    of = np.repeat(np.arange(len(starts)), np.diff([*starts, len(frame)]))
    state = frame["state"].to_numpy(dtype=str)
    counts = {name: np.bincount(of[state == name], minlength=len(starts)) for name in STATES}
    size = np.bincount(of)
    told = np.select(
        [counts["hot"] > 0, counts["not_looked"] * 2 > size, counts["normal"] > 0],
        ["hot", "not_looked", "normal"],
        "cold",
    )
    # of each the worst, as `worst_first` says it; of equals the one nearest the mouth
    rate, p_hot = frame["rate"].to_numpy(dtype=float), frame["p_hot"].to_numpy(dtype=float)
    worst = np.lexsort((frame["km_from"].to_numpy(dtype=float), -rate, -p_hot, state == "not_looked", of))[starts]
    unseen = frame["unseen_d"].fillna(np.inf).to_numpy(dtype=float)
    middle = np.array([np.median(unseen[part]) for part in np.split(np.lexsort((unseen, of)), starts[1:])])
    km = {name: frame[name].to_numpy(dtype=float) for name in ("km_from", "km_to")}
    columns: dict[str, object] = {
        "id": names,
        "level": level,
        "river": frame["river"].to_numpy()[worst],
        "km_from": np.fmin.reduceat(km["km_from"], starts),
        "km_to": np.fmax.reduceat(km["km_to"], starts),
        "state": told,
        "worst": frame["reach_id"].to_numpy()[worst],
        "last_look": frame["last_look"].groupby(of).max().to_numpy(),
        "unseen_d": np.where(np.isfinite(middle), middle, np.nan),
        "adcode_left": _commonest(frame["adcode_left"], of, len(starts)),
        "adcode_right": _commonest(frame["adcode_right"], of, len(starts)),
        "kind": frame["kind"].to_numpy()[starts],
        "geometry": np.array([*shapes, None], dtype=object)[:-1],
    }
    columns |= counts
    columns |= {name: np.bincount(of, frame[name].to_numpy(dtype=float)) for name in SUMS}
    columns |= {name: frame[name].to_numpy()[worst] for name in OF_WORST}
    found = pd.DataFrame(columns)[list(COMMON)]
    for name in ("seizures", "seizures_unpatrolled"):
        found[name] = found[name].astype(int)
    found["last_look"] = pd.to_datetime(found["last_look"], utc=True)
    return found


def _starts(*keys: np.ndarray) -> np.ndarray:
    """Where runs of rows with the same keys begin.

    >>> _starts(np.array([1, 1, 2]), np.array([0, 3, 3])).tolist(), _starts(np.array([])).tolist()
    ([0, 1, 2], [])
    """
    if not len(keys[0]):
        return np.zeros(0, dtype=int)
    other = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return np.flatnonzero(np.r_[True, other])


def _spans(starts: np.ndarray, n: int) -> list[tuple[int, int]]:
    """First and last (exclusive) row of each run of `_starts` in n rows."""
    ends = [*starts[1:], n] if len(starts) else []
    return [(int(a), int(b)) for a, b in zip(starts, ends, strict=True)]


def _commonest(values: pd.Series, of: np.ndarray, groups: int) -> np.ndarray:
    """The commonest value (groups,) of each group, of equals the first by its text; None where all are missing.

    >>> import pandas as pd
    >>> _commonest(pd.Series(["b", "a", "b", None]), np.array([0, 0, 0, 1]), 2).tolist()
    ['b', None]
    """
    codes, words = values.factorize(sort=True)
    known = codes >= 0
    out = np.full(groups, None, dtype=object)
    if known.any():
        pairs, counts = np.unique(of[known] * len(words) + codes[known], return_counts=True)
        group, word = np.divmod(pairs, len(words))
        order = np.lexsort((word, -counts, group))
        first = order[np.r_[True, group[order][1:] != group[order][:-1]]]
        out[group[first]] = np.asarray(words, dtype=object)[word[first]]
    return out


def _along(shapes: np.ndarray) -> object:
    """Lines drawn downstream as one, joined where one ends and the next begins."""
    import shapely

    lines = shapely.get_parts(shapes)
    lines = lines[~shapely.is_empty(lines)]
    return shapely.line_merge(shapely.multilinestrings(lines), directed=True)
