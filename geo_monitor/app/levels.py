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
    import pandas as pd

    channel = frame[frame["kind"] == "channel"].copy()
    channel["slot"] = np.floor(channel["km_from"] / length_km + 1e-9).astype(int)
    return pd.DataFrame(
        [
            _gather(group, f"{river}|{float(str(slot)) * length_km:g}|{length_km:g}", "stretch", _main(group))
            for (river, slot), group in channel.groupby(["river", "slot"], sort=True)
        ],
        columns=list(COMMON),
    )


def lakes(frame: pd.DataFrame) -> pd.DataFrame:
    """Lake cells of `frame` dissolved by lake and state: what the eye needs when a cell is under a pixel."""
    import pandas as pd
    import shapely

    cells = frame[frame["kind"] == "lake"]
    rows = []
    for (river, state), group in cells.groupby(["river", "state"], sort=True):
        # H3 neighbours share corners only up to rounding: on a grid of 1 m they meet, and the union is that of a coverage
        shape = shapely.coverage_union_all(shapely.set_precision(group["geometry"].to_numpy(), 1e-5))
        rows.append(_gather(group, f"lake|{river}|{state}", "lake", shape))
    return pd.DataFrame(rows, columns=list(COMMON))


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


def _gather(group: pd.DataFrame, name: str, level: str, shape: object) -> dict[str, object]:
    counts = {state: int((group["state"] == state).sum()) for state in STATES}
    if counts["hot"]:
        state = "hot"
    elif counts["not_looked"] * 2 > len(group):
        state = "not_looked"
    else:
        state = "normal" if counts["normal"] else "cold"
    worst = worst_first(group).iloc[0]
    unseen = float(np.median(group["unseen_d"].fillna(np.inf)))
    last = group["last_look"].max()
    row: dict[str, object] = {
        "id": name,
        "level": level,
        "river": worst["river"],
        "km_from": group["km_from"].min(),
        "km_to": group["km_to"].max(),
        "state": state,
        "worst": worst["reach_id"],
        "last_look": last,
        "unseen_d": unseen if np.isfinite(unseen) else np.nan,
        "adcode_left": _common(group["adcode_left"]),
        "adcode_right": _common(group["adcode_right"]),
        "kind": group["kind"].iloc[0],
        "geometry": shape,
    }
    row |= counts | {column: group[column].sum() for column in SUMS} | {column: worst[column] for column in OF_WORST}
    return row


def _common(values: pd.Series) -> str | None:
    counted = values.dropna().value_counts()
    return str(counted.index[0]) if len(counted) else None


def _main(group: pd.DataFrame) -> object:
    """The main channel of a stretch as lines drawn downstream, joined where one reach ends and the next begins."""
    import shapely

    main = group[group["side"].isna()]
    main = (main if len(main) else group).sort_values("km_from", ascending=False)
    return shapely.line_merge(shapely.multilinestrings(list(_lines(main["geometry"]))), directed=True)


def _lines(shapes: pd.Series) -> list[object]:
    import shapely

    return [part for part in shapely.get_parts(shapes.to_numpy()) if not shapely.is_empty(part)]
