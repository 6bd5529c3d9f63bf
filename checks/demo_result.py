"""Checks a finished demonstration (argument: folder with demo.json, hotspots.csv, reaches.gpkg, warnings.json) against what is promised.

All columns; all 16 river names; lakes as reaches; the main stem reaching lon 121; km falling from Panzhihua to Nantong with the
distances along the drawn line within 8 %; at least 70 % of reaches with a jurisdiction; at least one hot reach; none under 2 h
called anything but not_looked. Of the night: warnings that wait to be signed, none of them late; some closed with a case.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo_monitor.tables import table

RIVERS = {
    "沱江",
    "沱沱河",
    "通天河",
    "金沙江",
    "长江",
    "沅江",
    "汉江",
    "赣江",
    "大渡河",
    "岷江",
    "乌江",
    "湘江",
    "嘉陵江",
    "雅砻江",
    "楚玛尔河",
    "丹江",
}
CITIES = {  # seat near the river: lon, lat
    "攀枝花": (101.72, 26.58), "宜宾": (104.62, 28.77), "泸州": (105.44, 28.89), "重庆": (106.58, 29.56),
    "宜昌": (111.28, 30.70), "武汉": (114.29, 30.55), "九江": (115.99, 29.73), "安庆": (117.05, 30.51),
    "芜湖": (118.36, 31.34), "南京": (118.74, 32.09), "南通": (120.80, 31.97),
}  # fmt: skip
KM = [704, 113, 217, 613, 651, 243, 148, 195, 95]  # along the drawn line, from city to city as far as Nanjing


def main(folder: Path) -> None:
    """Print a line a check; exit 1 at the first that fails."""
    result = json.loads((folder / "demo.json").read_text(encoding="utf-8"))
    hotspots = pd.read_csv(folder / "hotspots.csv", encoding="utf-8-sig", dtype={"adcodes": str})
    reaches = gpd.read_file(folder / "reaches.gpkg")
    check("demo --json has timings", "timings" in json.dumps(result))
    check("hotspots has every column", list(hotspots.columns) == list(table("hotspots").names))
    missing = set(table("reaches").names) - set(reaches.columns)
    check("reaches has every column", not missing, str(missing))
    check("16 river names", set(reaches["river"]) >= RIVERS, str(RIVERS - set(reaches["river"])))
    check("lakes are reaches", (reaches["kind"] == "lake").sum() > 100)
    main_stem = reaches[(reaches["river"] == "长江") & (reaches["kind"] == "channel") & reaches["side"].isna()]
    check("main stem reaches lon 121", main_stem["lon"].max() >= 121, str(main_stem["lon"].max()))
    stem = reaches[reaches["river"].isin(["长江", "金沙江"]) & reaches["side"].isna()]
    flat = stem.to_crs("ESRI:102012")
    km = []
    for lon, lat in CITIES.values():
        point = gpd.GeoSeries.from_xy([lon], [lat], crs=4326).to_crs(flat.crs).iloc[0]
        km.append(float(stem["km_from"].iloc[int(flat.distance(point).to_numpy().argmin())]))
    check("km falls towards the sea", all(a > b for a, b in itertools.pairwise(km)), str(km))
    off = [abs(a - b - want) / want for a, b, want in zip(km[:-2], km[1:-1], KM, strict=True)]
    check("distances between cities within 8 %", max(off) < 0.08, str([round(value, 3) for value in off]))
    known = (reaches["adcode_left"].notna() | reaches["adcode_right"].notna()).mean()
    check("70 % of reaches with a jurisdiction", float(known) >= 0.7, f"{known:.3f}")
    check(
        "at least one hot reach",
        bool((hotspots["state"] == "hot").any()),
        str(hotspots["state"].value_counts().to_dict()),
    )
    quiet = hotspots["patrol_h"] < 2
    check("under 2 h is not_looked", bool((hotspots.loc[quiet, "state"] == "not_looked").all()))

    night = json.loads((folder / "warnings.json").read_text(encoding="utf-8"))["warnings"]
    waiting = [row for row in night if row["state"] == "open"]
    check("warnings wait to be signed", len(waiting) >= 1, str(len(night)))
    check("none of them is late", all(row["left_s"] > 0 for row in waiting))
    outcomes = {row["outcome"] for row in night if row["state"] == "closed"}
    check("some were closed with a case", "case" in outcomes, str(outcomes))


def check(what: str, holds: bool, detail: str = "") -> None:
    print(f"{'ok  ' if holds else 'FAIL'} {what} {detail}", flush=True)
    if not holds:
        sys.exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
