"""A watch, its broker or the store's server killed in the middle: nothing lost, nothing doubled.

Usage: python checks/feed_kills.py --kills 200 [--store sqlite|postgres] [--way file|mqtt] [--victim watch|server|broker]
       python checks/feed_kills.py --kills 200 --way mqtt --rate 50      (mosquitto saves its whole backlog at every change)

Boats send fixes into a growing file or to an MQTT broker (QoS 1). The victim is killed (SIGKILL; the database server: an
immediate stop) at random moments and started again; meanwhile what came is sealed every second. At the end the store must hold exactly the fixes sent, and `verify`
must find nothing. A client that was killed is started anew with the same command; one whose server or broker was killed
goes on by itself.

mosquitto acknowledges a message before it saves it, so a killed broker loses what it had acknowledged in its last moments.
With `--victim broker` there are two runs. In the first, senders take an acknowledgement at its word: nothing may be lost but
what the broker's log shows as acknowledged and never saved. In the second they repeat after every new connection what
was acknowledged in the seconds before the old one broke: nothing may be lost at all.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
START = 1_780_000_000_000  # ms UTC
UNITS = 40
TOPIC = "boats/#"
AGAIN_S = 5.0  # seconds before a break whose acknowledged fixes are sent again; a broker saves in far less
ANSWER_S = 120.0  # seconds until everything sent must have been acknowledged
QUIET_S = (
    45.0  # seconds without a new fix after which none will come (a lost connection is tried again after 30 at most)
)


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


LIFE = "--- a life"  # the line before each start in the broker's log


class Broker:
    """mosquitto on loopback, its sessions kept on the disk."""

    def __init__(self, folder: Path) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            self.port = free.getsockname()[1]
        self.folder = folder
        self.log, self.kept = folder / "log.txt", folder / "mosquitto.db"
        folder.mkdir()
        folder.chmod(0o777)
        (folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {folder}/\n"
            "autosave_on_changes true\nautosave_interval 1\nmax_queued_messages 0\nlog_type all\nlog_dest stderr\n"
            + ("user root\n" if os.geteuid() == 0 else "")
        )
        self.start()

    def start(self) -> None:
        """Starts it and waits until it listens."""
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        config = str(self.folder / "mosquitto.conf")
        with self.log.open("ab") as log:
            log.write(f"{LIFE}\n".encode())
            self.process = subprocess.Popen([program, "-c", config], stdout=log, stderr=log)
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

    def subscribed(self) -> None:
        """Waits until the subscription is on the disk: what is published before is for nobody."""
        end = time.time() + 120
        while not self.kept.exists() or TOPIC.encode() not in self.kept.read_bytes():
            if time.time() > end:
                raise SystemExit("the watch does not subscribe")
            time.sleep(0.2)

    def unsaved(self) -> set[int]:
        """Fixes that it acknowledged and never saved, being killed.

        It does one thing after the other: whatever line comes behind one of saving tells that the saving was done.
        """
        unsaved: set[int] = set()
        saved: set[int] = set()
        for life in self.log.read_text(errors="replace").split(LIFE):
            waiting: set[int] = set()
            saving = False
            number = -1
            for told in life.splitlines():
                if saving:
                    saved |= waiting
                    waiting = set()
                saving = "Saving in-memory database" in told
                if found := re.search(r"Received PUBLISH from sender .*'boats/(\d+)'", told):
                    number = int(found[1])
                elif "Sending PUBACK to sender" in told:
                    waiting.add(number)
            unsaved |= waiting
        return unsaved - saved


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


class Sender:
    """Publishes fixes with QoS 1, and keeps each until the broker has acknowledged it.

    again: it does not trust acknowledgements of the last seconds before a broken connection, and sends those fixes anew.
    """

    def __init__(self, port: int, again: bool) -> None:
        import paho.mqtt.client as mqtt

        self.again = again
        self.repeated = 0
        self.acknowledged: dict[int, float] = {}  # fix -> when last
        self._sent: dict[int, int] = {}  # message number -> fix, while it waits
        self._acks: deque[tuple[int, float]] = deque()
        self._broken: deque[float] = deque()  # moments of breaks after which the connection is there again
        self._since: float | None = None
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "sender", clean_session=False)
        client.max_queued_messages_set(0)
        client.reconnect_delay_set(1, 1)
        client.on_publish = lambda _client, _data, mid, _code, _properties: self._acks.append((mid, time.time()))
        client.on_disconnect = lambda *_: self._break()
        client.on_connect = lambda *_: self._join()
        client.connect("127.0.0.1", port)
        client.loop_start()
        self._client = client

    def _break(self) -> None:
        if self._since is None:
            self._since = time.time()

    def _join(self) -> None:
        if self._since is not None:
            self._broken.append(self._since)
            self._since = None

    def run(self, total: int, rate: float, stop: threading.Event) -> None:
        """Sends `total` fixes at about `rate` a second; returns once all are acknowledged, or `ANSWER_S` later."""
        for number in range(total):
            if stop.is_set():
                break
            self._publish(number)
            self._look()
            time.sleep(1 / rate)
        end = time.time() + ANSWER_S
        while time.time() < end:
            time.sleep(0.1)
            self._look()
            if not self._sent:
                break
        self._client.disconnect()
        self._client.loop_stop()

    def _publish(self, number: int) -> None:
        self._sent[self._client.publish(f"boats/{number}", line(number)[0], qos=1).mid] = number

    def _look(self) -> None:
        """Takes in what was acknowledged, and repeats where a connection had been lost."""
        while self._acks:
            mid, when = self._acks.popleft()
            self.acknowledged[self._sent.pop(mid)] = when
        while self._broken:
            since = self._broken.popleft() - AGAIN_S
            if self.again:
                late = [number for number, when in self.acknowledged.items() if when >= since]
                for number in sorted(set(late) - set(self._sent.values())):
                    self._publish(number)
                    self.repeated += 1


def run(
    store: str | None,
    way: str,
    victim: str,
    kills: int,
    total: int,
    rate: float,
    folder: Path,
    server: Any,
    again: bool,
) -> dict[str, Any]:
    """One run; gives what was sent, held, lost and doubled, and what `verify` found."""
    import sqlalchemy as sql

    from geo_monitor.store import Store, live
    from geo_monitor.store.schema import SQL
    from geo_monitor.store.verify import verify
    from geo_monitor.workspace import Workspace

    root = folder / "ws"
    Workspace.create(root, store)
    # sealed every second, so that kills fall into seals too
    (root / "settings.toml").write_text("feed_seal_s = 1.0\nfeed_seal_most_s = 1.0\n", encoding="utf-8")
    stop = threading.Event()
    broker = Broker(folder / "broker") if way == "mqtt" else None
    path = folder / "fixes.jsonl"
    path.touch()
    feed = f"mqtt://127.0.0.1:{broker.port}/{TOPIC}" if broker else str(path)
    watching = Watching(root, feed, folder)
    boats: Sender | None = None
    if broker:
        broker.subscribed()
        boats = Sender(broker.port, again)
    sender = threading.Thread(
        target=(lambda: boats.run(total, rate, stop)) if boats else (lambda: to_file(path, total, rate, stop))
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
        most, end = 0, time.time() + QUIET_S
        while most < total and time.time() < end:
            time.sleep(2)
            opened = Store(root)
            now = opened.positions(columns=["unit_id"]).num_rows
            opened.close()
            if now > most:
                most, end = now, time.time() + QUIET_S
        code = watching.end()
    finally:
        stop.set()
        for process in (watching.process, *([broker.process] if broker else [])):
            process.kill()
    wanted = {line(number)[1]: number for number in range(total)}
    opened = Store(root)
    table = opened.positions(columns=["unit_id", "time"])
    held = list(zip(table["unit_id"].to_pylist(), table["time"].cast("int64").to_pylist(), strict=True))
    left = live.count(opened)
    troubles = [trouble.code for trouble in verify(opened).troubles]
    broken = sum(1 for row in opened.rows(sql.select(SQL["audit"].c.action)) if row.action == "recover")
    sealed = len(opened.receipts_in_force(None, ["tracks"]))
    opened.close()
    kept = set(held)
    lost = {number for key, number in wanted.items() if key not in kept}
    told: dict[str, Any] = {}
    if broker and boats:
        unsaved = broker.unsaved()
        told = {
            "lost_by_broker": len(lost & unsaved), "acknowledged_unsaved": len(unsaved), "repeated": boats.repeated,
            "unacknowledged": total - len(boats.acknowledged),
        }  # fmt: skip
    return {
        "store": "postgres" if store else "sqlite", "way": way, "victim": victim, "kills": done, "sent": total,
        "held": len(held), "lost": len(lost), **told, "doubled": len(held) - len(kept),
        "strange": len(kept - set(wanted)), "unsealed": left, "seals": sealed, "seals_broken": broken, "exit": code, "verify": troubles,
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
        runs = {"senders_trust": False, "senders_repeat": True} if given.victim == "broker" else {"run": False}
        found: dict[str, dict[str, Any]] = {}
        for name, again in runs.items():
            place = folder / name
            place.mkdir()
            total = int(seconds * given.rate)
            found[name] = run(url, given.way, given.victim, given.kills, total, given.rate, place, server, again)
    print(json.dumps(found if len(found) > 1 else found["run"], indent=1, ensure_ascii=False))
    if any(wrong(one, again) for one, again in zip(found.values(), runs.values(), strict=True)):
        raise SystemExit(1)


def wrong(found: dict[str, Any], again: bool) -> bool:
    """Whether a run lost, doubled or made up anything; what the broker lost counts only where senders repeat."""
    lost = found["lost"] - (0 if again else found.get("lost_by_broker", 0))
    return bool(lost or found.get("unacknowledged") or found["doubled"] or found["strange"] or found["verify"])


if __name__ == "__main__":
    main()
