"""MQTT against a real broker (mosquitto) on the loopback; it, and we, are killed without warning."""

from __future__ import annotations

import logging
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from geo_monitor.errors import Refused
from geo_monitor.feeds import Sorter, open_source
from geo_monitor.settings import Settings
from tests.feeds.making import gathered, row, some
from tests.feeds.test_files import numbers

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto here")
QUICK = Settings(feed_pause_s=1, feed_pause_most_s=2)
ROOT = Path(__file__).parents[2]


class Mosquitto:
    """A broker whose sessions are on the disk soon after every change."""

    def __init__(
        self,
        folder: Path,
        lines: str = "allow_anonymous true\n",
        saves: str = "autosave_on_changes true\nautosave_interval 1\n",
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.kept = folder / "mosquitto.db"
        self.config = folder / "mosquitto.conf"
        self.config.write_text(
            f"listener {self.port} 127.0.0.1\n{lines}persistence true\npersistence_location {folder}/\n"
            f"{saves}max_queued_messages 0\nuser root\n"
        )
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen([str(MOSQUITTO), "-c", str(self.config)], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("mosquitto does not start")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def saved(self) -> None:
        """Waits until what the broker has acknowledged is on its disk."""
        before = self.kept.stat().st_mtime_ns if self.kept.exists() else 0
        publish(self, "other", ["x"], retain=True)  # a change, so that it saves
        deadline = time.monotonic() + 30
        while not self.kept.exists() or self.kept.stat().st_mtime_ns == before:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    @property
    def feed(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}/boats/#"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    running = Mosquitto(tmp_path)
    yield running
    running.kill()


def publish(broker: Mosquitto, topic: str, texts: list[str], retain: bool = False) -> None:
    """QoS 1; returns once the broker has acknowledged all."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    sent = [client.publish(topic, text.encode(), qos=1, retain=retain) for text in texts]
    for one in sent:
        one.wait_for_publish(30)
    client.disconnect()
    client.loop_stop()


def connected(broker: Mosquitto) -> None:
    """Makes our session at the broker, and waits until it holds the subscription."""
    source = open_source(broker.feed, QUICK)
    deadline = time.monotonic() + 30
    while not source._ready:  # type: ignore[attr-defined]
        assert time.monotonic() < deadline
        source.read(0.05)
    source.close()


def test_messages_come_by_topic_as_objects_lists_and_lines(broker: Mosquitto) -> None:
    connected(broker)
    publish(broker, "boats/7", [row(0), f"[{row(1)}, {row(2)}]", f"{row(3)}\n{row(4)}", "nonsense"])
    source = open_source(broker.feed, QUICK)
    fixes, refused = gathered(source, some(6))
    source.close()
    assert numbers(fixes) == [0, 1, 2, 3, 4]
    assert refused == [("nonsense", "feed_line_unknown")]


def test_what_was_stored_does_not_come_again_and_what_was_not_does(broker: Mosquitto) -> None:
    connected(broker)
    publish(broker, "boats/7", [row(i) for i in range(10)])
    source = open_source(broker.feed, QUICK)
    gathered(source, some(10), store=False)
    source.close()
    source = open_source(broker.feed, QUICK)
    assert numbers(gathered(source, some(10))[0]) == list(range(10))
    time.sleep(0.5)
    source.close()
    publish(broker, "boats/7", [row(10)])
    source = open_source(broker.feed, QUICK)
    assert numbers(gathered(source, some(1))[0]) == [10]
    source.close()


READER = """
import sys, time
from geo_monitor.feeds import open_source
from geo_monitor.settings import Settings
source, n = open_source(sys.argv[1], Settings()), 0
while True:
    batch = source.read(0.2)
    n += len(batch.fixes)
    if n >= 10:
        print(n, flush=True)
        time.sleep(60)
"""


def test_a_reader_killed_before_it_stored_gets_all_again(broker: Mosquitto) -> None:
    connected(broker)
    publish(broker, "boats/7", [row(i) for i in range(50)])
    reader = subprocess.Popen([sys.executable, "-c", READER, broker.feed], stdout=subprocess.PIPE, cwd=ROOT)
    assert reader.stdout is not None
    assert int(reader.stdout.readline()) >= 10
    reader.kill()
    reader.communicate()
    source = open_source(broker.feed, QUICK)
    fixes, _ = gathered(source, lambda fixes, _: len(set(fixes)) == 50)
    source.close()
    assert sorted(set(numbers(fixes))) == list(range(50))


def test_a_broker_killed_and_started_again_loses_nothing(broker: Mosquitto) -> None:
    connected(broker)
    publish(broker, "boats/7", [row(i) for i in range(50)])
    source = open_source(broker.feed, QUICK)
    before, _ = gathered(source, some(10), store=False)  # held by us, not acknowledged
    batch = source.read(0)
    broker.saved()
    broker.kill()
    broker.start()
    if batch is not None:
        source.stored(batch)  # of the connection before: not told, its numbers may mean other messages
    publish(broker, "boats/7", [row(i) for i in range(50, 60)])
    fixes, _ = gathered(source, lambda fixes, _: set(numbers(fixes)) == set(range(60)), limit=90)
    source.close()
    assert before
    assert set(numbers(fixes)) == set(range(60))


def test_what_a_broker_acknowledged_and_lost_comes_when_its_sender_repeats_and_counts_once(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path, saves="autosave_interval 0\n")  # saves only when told to
    try:
        connected(broker)
        publish(broker, "boats/7", [row(i) for i in range(3)])
        broker.process.send_signal(signal.SIGUSR1)  # session and three fixes are on the disk
        deadline = time.monotonic() + 30
        while not broker.kept.exists() or b"boats/#" not in broker.kept.read_bytes():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        publish(broker, "boats/7", [row(i) for i in range(3, 6)])  # acknowledged, and not on the disk
        broker.kill()
        broker.start()
        publish(broker, "boats/7", [row(6)])
        source = open_source(broker.feed, QUICK)
        came, _ = gathered(source, some(4))
        assert numbers(came) == [0, 1, 2, 6]
        publish(broker, "boats/7", [row(i) for i in range(7)])
        again, _ = gathered(source, some(7))
        source.close()
        counted = Sorter(QUICK).sort(came + again, None).fixes
        assert sorted(numbers(counted)) == list(range(7))
    finally:
        broker.kill()


def test_a_broker_that_forgot_our_session_is_told(broker: Mosquitto, caplog: pytest.LogCaptureFixture) -> None:
    connected(broker)
    source = open_source(broker.feed, QUICK)
    publish(broker, "boats/7", [row(0)])
    gathered(source, some(1))
    broker.saved()
    broker.kill()
    broker.kept.unlink()
    with caplog.at_level(logging.WARNING, "geo_monitor"):
        broker.start()
        deadline = time.monotonic() + 30
        while "has lost our session" not in caplog.text:
            assert time.monotonic() < deadline
            source.read(0.05)
    deadline = time.monotonic() + 30  # it subscribes anew: from here on nothing is missed
    while not broker.kept.exists() or b"boats/#" not in broker.kept.read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    publish(broker, "boats/7", [row(1)])
    assert numbers(gathered(source, some(1))[0]) == [1]
    source.close()


def test_a_wrong_password_is_told_at_the_start(tmp_path: Path) -> None:
    running = Mosquitto(tmp_path, "allow_anonymous false\n")
    try:
        source = open_source(f"mqtt://li:wrong@127.0.0.1:{running.port}/boats", QUICK)
        with pytest.raises(Refused, match="refuses"):
            gathered(source, some(1), limit=30)
        source.close()
        assert "wrong" not in source.name
    finally:
        running.kill()
