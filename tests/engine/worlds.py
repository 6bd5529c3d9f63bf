"""A small river and twelve days of boats on it, in a workspace: several receipts a day, duplicates, traffic, moorings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geo_monitor.workspace import Workspace

START = pd.Timestamp("2026-05-30T16:00:00Z")  # midnight in Shanghai
DAYS = 12


def tracks(day: int, seed: int = 0) -> pd.DataFrame:
    """The fixes of one Shanghai day: U0 and U1 patrol under names, U2 is moored for weeks, U3 patrols by night with two
    recorders, S1 is a ship."""
    rng = np.random.default_rng((seed, day))
    rows: list[dict[str, Any]] = []

    def track(unit: str, first_h: float, last_h: float, step_s: float, metres_s: float, **more: Any) -> None:
        t = np.arange(first_h * 3600, last_h * 3600, step_s) + rng.uniform(0, 5)
        along = 112.0 + ((day * 0.013 + np.cumsum(rng.normal(metres_s, 0.5, len(t)) * step_s) / 96_000) % 0.35)
        lat = 30.0 + rng.normal(0, 0.0004, len(t))
        rows.extend({"unit_id": unit, "time": START + pd.Timedelta(days=day, seconds=float(s)), "lon": x, "lat": y, **more}
                    for s, x, y in zip(t, along, lat, strict=True))  # fmt: skip

    track("U0", 6, 11.5, 60, 3.0, patrol_id=f"P{day // 3}")
    track("U1", 22, 24, 45, 2.0, patrol_id=f"N{day}")
    track("U1", 0, 2.2, 45, 2.0, patrol_id=f"N{day - 1}")
    track("U2", 0, 24, 240, 0.0)
    track("U3", 20, 24, 30, 1.5)
    track("U3", 20.1, 24, 90, 1.5, patrol_id=f"R{day}")
    track("S1", 3, 9, 120, 4.0, role="traffic")
    frame = pd.DataFrame(rows)
    frame.loc[frame["unit_id"] == "U2", "lon"] = 112.1 + rng.normal(0, 0.0002, int((frame["unit_id"] == "U2").sum()))
    return frame.assign(lon=frame["lon"].round(6), lat=frame["lat"].round(6))


def send(workspace: Workspace, folder: Path, kind: str, frame: pd.DataFrame, name: str) -> str:
    """Imports rows as an agency would; gives the receipt's id."""
    path = folder / f"{name}.csv"
    if "time" in frame:
        frame = frame.assign(time=frame["time"].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    frame.to_csv(path, index=False)
    receipt = workspace.import_file(kind, path)
    assert receipt.status.startswith("accepted"), receipt.to_json("en")
    return receipt.receipt_id


def border(workspace: Workspace, folder: Path) -> None:
    """U8 patrols for twenty minutes before and after midnights at which blocks meet, and never in the blocks beside; there
    are reports on the other side of each, the last of which is in a block in which nobody was."""
    rows = [
        {"unit_id": "U8", "time": START + pd.Timedelta(days=day, minutes=minute), "lon": 112.15, "lat": 30.0}
        for day, minutes in ((4, range(-20, -9, 5)), (12, range(-20, -9, 5)), (0, range(10, 21, 5)))
        for minute in minutes
    ]
    send(workspace, folder, "tracks", pd.DataFrame(rows), "border")
    reports = {
        "report_id": ["B1", "B2", "B3"],
        "time": START + pd.to_timedelta([4 * 24 + 0.15, 12 * 24 + 0.15, -0.1], unit="h"),
        "lon": [112.152, 112.152, 112.151],
        "lat": [30.0, 30.0, 30.0],
        "origin": ["tip", "tip", "tip"],
    }
    send(workspace, folder, "seizures", pd.DataFrame(reports), "border-seizures")


def made(folder: Path, days: range = range(DAYS)) -> Workspace:
    """The workspace, with `days` sent one by one."""
    workspace = Workspace.create(folder / "w")
    line = {"type": "LineString", "coordinates": [[112.4, 30.0], [112.2, 30.0005], [111.9, 30.0]]}
    write(folder / "river.geojson", [({"river": "长江", "accuracy_m": 200, "mouth": True}, line)])
    boxes = {
        "Z1": [[112.02, 29.99], [112.06, 29.99], [112.06, 30.01], [112.02, 30.01], [112.02, 29.99]],
        "Z2": [[112.09, 29.99], [112.2, 29.99], [112.2, 30.0], [112.09, 30.01], [112.09, 29.99]],
    }
    write(folder / "zones.geojson", [({"zone_id": name}, {"type": "Polygon", "coordinates": [ring]})
                                     for name, ring in boxes.items()])  # fmt: skip
    for kind in ("river", "zones"):
        assert workspace.import_file(kind, folder / f"{kind}.geojson").status.startswith("accepted")
    for day in days:
        send(workspace, folder, "tracks", tracks(day), f"day{day}")
    # late: part of the third day again, from somebody else's recorder
    late = tracks(2).iloc[:40]
    late = late.assign(patrol_id="L", time=late["time"] + pd.Timedelta(seconds=20), lon=late["lon"] + 0.0003)
    send(workspace, folder, "tracks", late, "late")
    reports = pd.DataFrame(
        {
            "report_id": ["S1", "S2", "S3"],
            "time": START + pd.to_timedelta([7.0, 23.9 + 24 * 3, 24 * 5 + 0.05], unit="h"),
            "lon": [112.05, 112.1, 112.1001],
            "lat": [30.001, 30.0, 30.0],
            "origin": ["patrol", "tip", "tip"],
        }
    )
    send(workspace, folder, "seizures", reports, "seizures")
    told = pd.DataFrame(
        {
            "patrol_id": ["W1"], "unit_id": ["U0"], "started_at": ["2026-06-01 05:30"], "ended_at": ["2026-06-02 00:30"],
            "river": ["长江"], "km_from": [5], "km_to": [12],
        }
    )  # fmt: skip
    send(workspace, folder, "patrols", told, "patrols")
    return workspace


def write(path: Path, shapes: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """Writes GeoJSON."""
    import json

    features = [{"type": "Feature", "properties": told, "geometry": shape} for told, shape in shapes]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
