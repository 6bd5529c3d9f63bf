"""A watch, its broker or the store's server killed in the middle: nothing lost, nothing doubled.

Usage: python checks/feed_kills.py --kills 200 [--store sqlite|postgres] [--way file|mqtt] [--victim watch|server|broker]

Boats send fixes, each once, into a growing file or to an MQTT broker (QoS 1). The victim is killed (SIGKILL; the database
server: an immediate stop) at random moments and started again. At the end the store must hold exactly the fixes sent, and
`verify` must find nothing. A client that was killed is started anew with the same command; one whose server or broker was
killed goes on by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
START = 1_780_000_000_000  # ms UTC
UNITS = 40


def line(number: int) -> tuple[str, tuple[str, int]]:
    """Fix `number`: its JSON line, and unit and moment."""
    unit, moment = f"船{number % UNITS}", START + number // UNITS * 1000
    told = {"unit_id": unit, "time": moment, "lon": 112.0 + number % UNITS * 0.01, "lat": 30.0 + number * 1e-7}
    return json.dumps({**told, "role": "traffic"}, ensure_ascii=False), (unit, moment)


class Watching:
    """`geo-monitor watch`, started again whenever it ends by a kill."""

    def __init__(self, root: Path, feed: str, folder: Path) -> None:
        self.command = [sys.executable, "-m", "geo_monitor", "--workspace", str(root), "watch", feed]
        self.log = folder / "watch.txt"
        self.start()

    def start(self) -> None:
        """Starts it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=self.log.parent
            )

    def kill(self) -> None:
        """kill -9, then a new start."""
        self.process.kill()
        self.process.wait()
        self.start()

    def end(self) -> int:
        """Asks it to stop; gives its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(120)


class Broker:
    """mosquitto on loopback, its sessions kept on the disk."""

    def __init__(self, folder: Path) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            self.port = free.getsockname()[1]
        self.folder = folder
        folder.mkdir()
        folder.chmod(0o777)
        (folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {folder}/\n"
            "autosave_on_changes true\nautosave_interval 1\nmax_queued_messages 0\n"
            + ("user root\n" if os.geteuid() == 0 else "")
        )
        self.start()

    def start(self) -> None:
        """Starts it and waits until it listens."""
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        config = str(self.folder / "mosquitto.conf")
        self.process = subprocess.Popen([program, "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit("the broker does not listen")

    def kill(self) -> None:
        """kill -9, then a new start."""
        self.process.kill()
        self.process.wait()
        self.start()


def to_file(path: Path, total: int, rate: float, stop: threading.Event) -> None:
    """Appends `total` lines at about `rate` a second, in pieces that do not end with lines."""
    rng = random.Random(3)  # noqa: S311  where lines are cut, no secret
    text = "".join(line(number)[0] + "\n" for number in range(total)).encode()
    each = len(text) / total
    with path.open("ab", buffering=0) as out:
        at = 0
        while at < len(text) and not stop.is_set():
            size = rng.randint(1, int(2 * each * rate / 20))
            out.write(text[at : at + size])
            at += size
            time.sleep(1 / 20)


def to_broker(port: int, total: int, rate: float, stop: threading.Event) -> None:
    """Publishes `total` messages with QoS 1 and waits until the broker has answered for each."""
    import paho.mqtt.client as mqtt

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "sender", clean_session=False)
    client.max_queued_messages_set(0)
    client.reconnect_delay_set(1, 1)
    client.connect("127.0.0.1", port)
    client.loop_start()
    waiting: set[int] = set()
    client.on_publish = lambda _client, _data, mid, _code, _properties: waiting.discard(mid)
    for number in range(total):
        if stop.is_set():
            break
        told = client.publish("boats/a", line(number)[0], qos=1)  # kept by the client while the broker is away
        waiting.add(told.mid)
        time.sleep(1 / rate)
    end = time.time() + 60
    while waiting and time.time() < end:
        time.sleep(0.1)
    client.loop_stop()


def run(
    store: str | None, way: str, victim: str, kills: int, total: int, rate: float, folder: Path, server: Any
) -> dict[str, Any]:
    """One run; gives what was sent, held, lost and doubled, and what `verify` found."""
    from geo_monitor.store import Store, live
    from geo_monitor.store.verify import verify
    from geo_monitor.workspace import Workspace

    root = folder / "ws"
    Workspace.create(root, store)
    stop = threading.Event()
    broker = Broker(folder / "broker") if way == "mqtt" else None
    path = folder / "fixes.jsonl"
    path.touch()
    feed = f"mqtt://127.0.0.1:{broker.port}/boats/#" if broker else str(path)
    watching = Watching(root, feed, folder)
    if broker:  # its session must be there before anything is published
        time.sleep(6)
    sender = threading.Thread(
        target=(lambda: to_broker(broker.port, total, rate, stop))
        if broker
        else (lambda: to_file(path, total, rate, stop))
    )
    sender.start()
    rng = random.Random(7)  # noqa: S311  moments of kills, no secret
    strike: dict[str, Callable[[], None]] = {"watch": watching.kill}
    if broker:
        strike["broker"] = broker.kill
    if server is not None:
        strike["server"] = server.restart
    done = 0
    try:
        for _ in range(kills):
            time.sleep(rng.uniform(0.2, 2.5 if victim != "watch" else 6.0))
            strike[victim]()
            done += 1
        sender.join(600)
        held: list[tuple[str, int]] = []
        end = time.time() + 120
        while time.time() < end:
            time.sleep(2)
            opened = Store(root)
            table = opened.positions(columns=["unit_id", "time"])
            opened.close()
            moments = table["time"].cast("int64").to_pylist()
            held = list(zip(table["unit_id"].to_pylist(), moments, strict=True))
            if len(held) >= total:
                break
        code = watching.end()
    finally:
        stop.set()
        for process in (watching.process, *([broker.process] if broker else [])):
            process.kill()
    wanted = {line(number)[1] for number in range(total)}
    opened = Store(root)
    table = opened.positions(columns=["unit_id", "time"])
    held = list(zip(table["unit_id"].to_pylist(), table["time"].cast("int64").to_pylist(), strict=True))
    left = live.count(opened)
    troubles = [trouble.code for trouble in verify(opened).troubles]
    opened.close()
    return {
        "store": "postgres" if store else "sqlite", "way": way, "victim": victim, "kills": done, "sent": total,
        "held": len(held), "lost": len(wanted - set(held)), "doubled": len(held) - len(set(held)),
        "strange": len(set(held) - wanted), "unsealed": left, "exit": code, "verify": troubles,
    }  # fmt: skip


def main() -> None:
    """Runs as told and prints one JSON document; exit code 1 where anything is lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--way", choices=("file", "mqtt"), default="file")
    parser.add_argument("--victim", choices=("watch", "server", "broker"), default="watch")
    parser.add_argument("--rate", type=float, default=400.0)
    given = parser.parse_args()
    if (given.victim == "server" and given.store != "postgres") or (given.victim == "broker" and given.way != "mqtt"):
        parser.error("a server needs --store postgres, a broker --way mqtt")
    seconds = given.kills * (3.2 if given.victim == "watch" else 1.5)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="geo-monitor-kills-")))
        folder.chmod(0o755)
        server = None
        if given.store == "postgres":
            from tests import postgres

            server = stack.enter_context(postgres.started())
        url = server.url() if server else None
        found = run(url, given.way, given.victim, given.kills, int(seconds * given.rate), given.rate, folder, server)
    print(json.dumps(found, indent=1, ensure_ascii=False))
    if found["lost"] or found["doubled"] or found["strange"] or found["verify"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
