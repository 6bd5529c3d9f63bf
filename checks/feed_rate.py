"""Many units at 1 Hz through `watch`: is every fix stored, and how long after it was sent?

Usage: python checks/feed_rate.py --units 2000 --minutes 60 [--store sqlite|postgres]

Boats sail along the river and send a JSON line each second over TCP; `geo-monitor watch` stores them, finds events and
keeps warnings, as on a night of duty. Once a second the store is asked, as the map would, for the newest fix it shows.
Prints the lag from fix to store as the watch measured it (of every fix) and as the reader saw it, fixes sent and stored,
processor time and memory of the watch, and what comparison the machine allows: a bare insert of the same rows.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))


class Boats:
    """Boats up and down the main stem of the shipped river, a position a second each; one in ten works slowly, one in
    ten is a patrol, one in ten lies at its moorings. `course` (n, 2): places along the river, lon, lat, 500 m apart."""

    def __init__(self, units: int, course: np.ndarray, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.names = [f"艇{i:04d}" for i in range(units)]
        self.course, self.rng = course, rng
        self.at = rng.uniform(0, len(course) - 1, units)
        kind = rng.random(units)
        speed = np.where(kind < 0.1, 0.7, np.where(kind < 0.2, 0.0, rng.uniform(2.0, 6.0, units)))
        self.speed = speed * rng.choice([-1.0, 1.0], units)
        self.role = np.where(rng.random(units) < 0.1, "patrol", "traffic")
        self.step()

    def step(self) -> None:
        """One second on; at an end of the river it turns."""
        self.at += self.speed / 500.0
        over = (self.at < 0) | (self.at > len(self.course) - 1)
        self.speed[over] *= -1
        self.at = np.clip(self.at, 0, len(self.course) - 1)
        low = np.minimum(self.at.astype(int), len(self.course) - 2)
        part = (self.at - low)[:, None]
        place = self.course[low] * (1 - part) + self.course[low + 1] * part
        self.lon, self.lat = (place + self.rng.normal(0, 5.0 / 111_195, place.shape)).T

    def lines(self, ms: int) -> bytes:
        """A JSON line a boat."""
        return "".join(
            f'{{"unit_id":"{name}","time":{ms},"lon":{lon:.6f},"lat":{lat:.6f},"speed":{abs(speed):.1f},"role":"{role}"}}\n'
            for name, lon, lat, speed, role in zip(self.names, self.lon, self.lat, self.speed, self.role, strict=True)
        ).encode()


def stem(workspace: Any) -> np.ndarray:
    """Middles of the reaches of the longest river, (n, 2), lon, lat, from the mouth up."""
    from geo_monitor.loop.ground import shared

    reaches = shared(workspace._store, workspace.settings).network.reaches
    main = reaches[(reaches["kind"] == "channel") & (reaches["river"] == "长江") & reaches["side"].isna()]
    return main.sort_values("km_from")[["lon", "lat"]].to_numpy()


def square(lon: float, lat: float) -> dict[str, Any]:
    """About 4 km across."""
    west, east, south, north = lon - 0.02, lon + 0.02, lat - 0.02, lat + 0.02
    return {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
    }


def send(port: int, boats: Boats, seconds: float, sent: list[int], slots: int = 10) -> None:
    """Serves one client: every boat once a second, spread over the second in `slots` parts as on the air."""
    with closing(socket.create_server(("127.0.0.1", port))) as server:
        peer, _ = server.accept()
        with closing(peer):
            begin = time.time()
            part = -(-len(boats.names) // slots)
            tick = 0
            while time.time() - begin < seconds:
                if tick % slots == 0:
                    boats.step()
                at = begin + tick / slots
                time.sleep(max(0.0, at - time.time()))
                low = tick % slots * part
                lines = boats.lines(round(time.time() * 1000)).splitlines(keepends=True)[low : low + part]
                peer.sendall(b"".join(lines))
                sent[0] += len(lines)
                tick += 1
            time.sleep(1.0)


def run(units: int, minutes: float, url: str | None, folder: Path, seed: int = 1) -> dict[str, Any]:
    """One run; gives what was measured."""
    from geo_monitor.store import Store, live
    from geo_monitor.workspace import Workspace

    root = folder / "ws"
    workspace = Workspace.create(root, url)
    course = stem(workspace)
    zones = [
        {"type": "Feature", "properties": {"zone_id": f"Z{i}", "name": f"禁捕区{i}"}, "geometry": square(*place)}
        for i, place in enumerate(course[:: max(1, len(course) // 100)])
    ]
    (folder / "zones.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": zones}), encoding="utf-8"
    )
    workspace.import_file("zones", folder / "zones.geojson")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    sent = [0]
    sender = threading.Thread(target=send, args=(port, Boats(units, course, seed), minutes * 60, sent), daemon=True)
    sender.start()
    command = [
        sys.executable,
        "-m",
        "geo_monitor",
        "--workspace",
        str(root),
        "--json",
        "watch",
        f"tcp://127.0.0.1:{port}",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    out, err = folder / "out.json", folder / "err.txt"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        watch = subprocess.Popen(
            [*command, "--until-idle", "5"], stdout=stdout, stderr=stderr, env=environment, cwd=folder
        )
    store = Store(root)
    seen = []
    while watch.poll() is None:
        time.sleep(1.0)
        newest = live.newest(store, None)
        if newest is not None and sender.is_alive():
            seen.append(time.time() - newest / 1000)
    sender.join(5)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    if watch.returncode != 0:
        raise SystemExit(err.read_text(encoding="utf-8"))
    told = json.loads(out.read_text(encoding="utf-8"))
    held = sum(1 for _ in store.positions(columns=["unit_id", "time"])["unit_id"])
    store.close()
    ages = np.array(seen[2:])
    return {
        "units": units,
        "minutes": minutes,
        "sent": sent[0],
        "stored": told["stored"],
        "held": held,
        "lag": told["lag"],
        "seen_lag_s": {"median": float(np.median(ages)), "p99": float(np.quantile(ages, 0.99))} if len(ages) else None,
        "events": told["events"],
        "processor_share": (used.ru_utime + used.ru_stime) / (minutes * 60),
        "peak_mb": used.ru_maxrss / 1024,
    }


def main() -> None:
    """Runs as told and prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="geo-monitor-rate-")))
        url = None
        if given.store == "postgres":
            from tests import postgres

            url = stack.enter_context(postgres.started()).url()
        print(json.dumps(run(given.units, given.minutes, url, folder), indent=1))


if __name__ == "__main__":
    main()
