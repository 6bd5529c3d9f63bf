"""The command `app` starts the page that is there."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from geo_monitor.cli.launch import PAGE, is_loopback
from geo_monitor.workspace import Workspace


def test_the_page_is_where_the_command_looks() -> None:
    assert PAGE.is_file()
    assert PAGE.parent.joinpath("static", "basemap").is_dir()


def test_loopback_addresses() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("localhost")
    assert not is_loopback("0.0.0.0")


def test_stopping_the_command_stops_the_server(tmp_path: Path) -> None:
    Workspace.create(tmp_path / "w")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "geo_monitor",
        "--workspace",
        str(tmp_path / "w"),
        "app",
        "--no-browser",
        "--port",
        str(port),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert until(lambda: answers(port))
    process.terminate()
    process.wait(timeout=60)
    assert until(lambda: not answers(port))


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(what: Callable[[], bool], seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.2)
    return False
