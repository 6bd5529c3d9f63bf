"""How fast, how heavy and how late the live page is with many people at it.

    python -m benchmarks.page                                the demonstration made anew (minutes), 30 users, 2,000 units
    python -m benchmarks.page --demo build/demo              a copy of a demonstration that is there and analysed
    python -m benchmarks.page --users 3 --units 200 --seconds 15

On the whole river with 300 ban zones and a year of seizures, all simulated. A server as `geo-monitor app` starts it, once for
the very first visitor, who comes as soon as it answers, and once for all else; Chromium with software drawing, alone and
then beside users - 1 websocket clients that tick as browsers do, half of them at
the basin and half at cities; while these are there, a new fix of every unit is stored every 10 s. All of it shares the
processors of this machine with the server; ticks, filters and memory are those after the browser has gone.

| figure | what is waited for or counted |
| --- | --- |
| server answers | from its start, until it answers: by then it has made the first page |
| seen | a pixel of the colour of a hot reach on the canvas of the layers, from the start of the navigation |
| bytes | on the wire, compressed, headers included; program: Streamlit's own files; base map: `/app/static`; connection: all that the police know |
| tick | from the moment a client's clock asks for it to the end of the run; one that is overtaken by the next is answered with it, and counts from the first |
| filter | from a choice in the side bar to the end of the run, told by a client that does not tick |
| fix to map | from the return of the import to the arrival of a map with the new place of a marked unit at a client |

Into the folder of `-o`: page.json, page.md (the table it also prints), the log of the server, the workspace (made once, kept).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.page import browser, tables, world
from benchmarks.page.client import Looker
from benchmarks.page.server import Memory, served, wait
from benchmarks.page.wire import Wire
from geo_monitor.app.situation import ASIDE_S, HOURS_S, PICTURE_S
from geo_monitor.app.situation.clock import LIVE

CITIES = ("421000", "420100", "500100", "320100", "430600", "340100", "360400", "511500")
APART_S = 0.7  # seconds between two arrivals
FEED_S = 10.0
ALONE_S = 15.0  # seconds of ticks of one client alone
VISITS = 3  # browsers that come one after the other beside all the others; the middle one is told of
CITY, BASIN = 2, 0  # places in the list of areas


def queries(count: int) -> list[str]:
    """Half at the basin, half at cities, the city of the marked unit among them."""
    city = [f"area={quote(f'city|{code}')}" for code in CITIES]
    return ["" if i % 2 else city[i // 2 % len(city)] for i in range(count)]


async def ticks(url: str, query: str, seconds: float) -> list[dict[str, Any]]:
    """What one client alone sees of its ticks; the first entry is its opening."""
    looker = Looker(url, query)
    await looker.open()
    await looker.settled(120)
    await asyncio.sleep(seconds)
    await looker.close()
    return [told(run) for run in looker.noted.runs]


def told(run: Any) -> dict[str, Any]:
    """A run as plain values."""
    return {"tick": run.tick, "seconds": round(run.seconds, 3), "payload": run.payload, "wire": run.wire,
            "map_s": round(run.map - run.asked, 3) if run.map else None}  # fmt: skip


async def filters(url: str) -> list[dict[str, Any]]:
    """Choices of a client that does not tick: layers off and on, the area to a city and back; twice, the second counts."""
    looker = Looker(url, ticking=False)
    await looker.open()
    await looker.settled(120)
    found = []
    for again in (False, True):
        everything = range(len(looker.options["situation-layers"]))
        for what, key, numbers in (
            ("a layer off", "situation-layers", everything[:-1]),
            ("a layer on", "situation-layers", everything),
            ("to a city", "area-kind", [CITY]),
            ("to the basin", "area-kind", [BASIN]),
        ):
            looker.choose(key, *numbers, many=key == "situation-layers")
            await looker.ask()
            run = await looker.settled(180)
            if again:
                found.append({"choice": what, **told(run)})
    await looker.close()
    return found


def fresh(root: Path, log: Path) -> dict[str, Any]:
    """The very first visitor of a server, who stood at the door when it was started; `answers`: s until it did."""
    with browser.browser() as driver:
        begun = time.monotonic()
        with served(root, log) as (url, _), Wire(int(url.rstrip("/").rpartition(":")[2])) as wire:
            answers = round(time.monotonic() - begun, 2)
            found = {"answers": answers, **visited(driver, wire)}
            driver.get("about:blank")  # goes before the door is shut
            return found


def visited(driver: Any, wire: Wire) -> dict[str, Any]:
    """What a browser sees when, and what it is sent for it."""
    wire.taken()
    seen = browser.opened(driver, wire.url)
    time.sleep(2)  # the rest of what an opening asks for
    return {"seen": seen, "bytes": wire.taken()}


def alone(url: str, wire: Wire) -> dict[str, Any]:
    """One browser, and then one client, with nobody else there."""
    found: dict[str, Any] = {}
    with browser.browser() as driver:
        found["second visitor"] = visited(driver, wire)
        driver.get("about:blank")
        found["same browser again"] = visited(driver, wire)
    found["ticks basin"] = asyncio.run(ticks(url, "", ALONE_S))
    found["ticks city"] = asyncio.run(ticks(url, queries(1)[0], ALONE_S))
    found["filters"] = asyncio.run(filters(url))
    return found


def crowded(url: str, wire: Wire, root: Path, asked: argparse.Namespace, memory: Memory) -> dict[str, Any]:
    """The same beside all the others, with fixes coming in."""
    stop = asked.output / "stop"
    stop.unlink(missing_ok=True)
    count = asked.users - 1
    marker = f"{world.MARKED}{round(time.time())}"  # new in every run: an old one still lies where it was last
    plans = {
        "client": {"url": url, "queries": queries(count), "seconds": 3600, "apart_s": APART_S, "marker": marker},
        "feed": {"root": str(root), "units": asked.units, "every_s": FEED_S, "marker": marker},
    }
    processes, outputs = [], {}
    for name, plan in plans.items():
        outputs[name] = asked.output / f"{name}.json"
        file = asked.output / f"{name}-plan.json"
        file.write_text(json.dumps({**plan, "stop": str(stop), "output": str(outputs[name])}), encoding="utf-8")
        line = [sys.executable, "-m", f"benchmarks.page.{name}", str(file)]
        processes.append(subprocess.Popen(line, stdin=subprocess.DEVNULL))
    found: dict[str, Any] = {}
    try:
        time.sleep(count * APART_S + 5)
        came = time.time()
        found["visitors"] = []
        for _ in range(VISITS):  # each with nothing kept
            with browser.browser() as driver:
                found["visitors"].append(visited(driver, wire))
        found["visitor"] = sorted(found["visitors"], key=lambda one: one["seen"]["hot"])[VISITS // 2]
        # its software drawing takes a processor from the server, which an office computer of its own would not
        begun, cpu = time.time(), memory.cpu_s()
        found["filters"] = asyncio.run(filters(url))
        time.sleep(max(begun + asked.seconds - time.time(), 0))
        ended = time.time()
        found |= {"seconds": ended - begun, "cpu_s": memory.cpu_s() - cpu}
    finally:
        stop.touch()
        for process in processes:
            process.wait(120)
    seen = json.loads(outputs["client"].read_text(encoding="utf-8"))
    for name, since, until in (("", begun, ended), (" beside the browser", came, begun)):
        for place, of_city in (("basin", False), ("city", True)):
            found[place + name] = [
                {"seconds": round(run["ended"] - run["asked"], 3), "run_s": round(run["ended"] - run["begun"], 3),
                 "payload": run["payload"], "wire": run["wire"]}
                for one in seen for run in one["runs"]
                if run["tick"] and bool(one["query"]) == of_city and since <= run["ended"] <= until
            ]  # fmt: skip
    found["errors"] = sorted({error for one in seen for error in one["errors"]})
    found["feeds"] = json.loads(outputs["feed"].read_text(encoding="utf-8"))
    # of the last feeds nobody can know yet whether they will be seen
    fed = [fed for fed in found["feeds"] if begun < fed["stored"] < ended - FEED_S]
    found["late"] = late(fed, seen)
    beats = sum(1 / every[LIVE] for every in (PICTURE_S, ASIDE_S, HOURS_S))
    found["due"] = round(count * found["seconds"] * beats)
    return found


def late(feeds: list[dict[str, Any]], seen: list[dict[str, Any]]) -> list[float]:
    """Seconds from the return of an import to the first map that knows of it (or of a later one), at each client that
    looks at the city of the marked unit; infinite where none did."""
    out = []
    for one in seen:
        if one["query"] != queries(1)[0]:
            continue
        marks = [(float(lon), moment) for lon, moment in one["marks"].items()]
        for fed in feeds:
            first = [moment for lon, moment in marks if lon > fed["lon"] - world.MARK_STEP / 2]
            out.append(round(min(first, default=math.inf) - fed["stored"], 2))
    return out


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, help="a workspace to copy; default: the demonstration made anew")
    parser.add_argument("--users", type=int, default=30)
    parser.add_argument("--units", type=int, default=2000)
    parser.add_argument("--zones", type=int, default=300)
    parser.add_argument("--seizures", type=int, default=3000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("-o", "--output", type=Path, default=Path("build/page"))
    asked = parser.parse_args(arguments)
    asked.output.mkdir(parents=True, exist_ok=True)
    root = asked.output / "workspace"
    workspace = world.build(root, asked.demo, asked.zones, asked.seizures, asked.units)
    world.start(workspace, world.fleet(workspace, asked.units))
    answer: dict[str, Any] = {name: getattr(asked, name) for name in ("users", "units", "zones", "seizures")}
    answer["reaches"] = len(workspace.table("reaches", run=str(workspace.table("runs")["run_id"].iloc[-1])))
    print("first visitor", file=sys.stderr, flush=True)
    first = fresh(root, asked.output / "first.log")
    with (
        served(root, asked.output / "server.log") as (url, memory),
        Wire(int(url.rstrip("/").rpartition(":")[2])) as wire,
    ):
        print("alone", file=sys.stderr, flush=True)
        answer["alone"] = {"first visitor": first, **alone(url, wire)}
        wait(lambda: memory.peak_mb > 0, 5, "the first look at the memory")
        answer["alone"]["peak_mb"] = round(memory.peak_mb)
        print(f"{asked.users} users", file=sys.stderr, flush=True)
        answer["crowded"] = crowded(url, wire, root, asked, memory)
        answer["crowded"]["peak_mb"] = round(memory.peak_mb)
    (asked.output / "page.json").write_text(json.dumps(answer, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    text = tables.table(answer)
    (asked.output / "page.md").write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
