"""The page as `geo-monitor app` serves it, on a free port of this machine, and what memory its processes hold."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from geo_monitor.cli.launch import command

EVERY_S = 0.5  # seconds between two looks at the memory


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def served(root: Path, log: Path, lang: str = "zh") -> Iterator[tuple[str, Memory]]:
    """Address of the page of a workspace, and the memory of its server."""
    port = free_port()
    env = {**os.environ, "GEO_MONITOR_WORKSPACE": str(root.resolve()), "GEO_MONITOR_LANG": lang}
    with started(command("127.0.0.1", port), env, Path.cwd(), log, port) as (url, memory):
        yield url, memory


@contextlib.contextmanager
def started(line: list[str], env: dict[str, str], folder: Path, log: Path, port: int) -> Iterator[tuple[str, Memory]]:
    """A Streamlit server of that command line, until the block ends."""
    with log.open("w") as told:
        process = subprocess.Popen(
            line, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=told, stderr=subprocess.STDOUT
        )
        memory = Memory(process.pid)
        try:
            url = f"http://127.0.0.1:{port}/"
            wait(lambda: answers(url + "_stcore/health"), 60, "the server")
            memory.start()
            yield url, memory
        finally:
            memory.stop()
            process.terminate()
            process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:  # noqa: S310  an address of our own
            return bool(reply.status == 200)
    except OSError:
        return False


def wait(done: Callable[[], object], seconds: float, what: str) -> None:
    """Until `done` says so; raises `TimeoutError` after `seconds`."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.1)


class Memory:
    """Resident memory and processor time of a process and all below it."""

    def __init__(self, pid: int) -> None:
        self._pid, self._end = pid, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.peak_mb = 0.0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.set()

    def _look(self) -> None:
        while not self._end.wait(EVERY_S):
            self.peak_mb = max(self.peak_mb, self.now_mb())

    def now_mb(self) -> float:
        """MB at this moment."""
        return sum(_pages(pid) for pid in family(self._pid)) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu_s(self) -> float:
        """Seconds of processor time so far, of processes still there."""
        return sum(_ticks(pid) for pid in family(self._pid)) / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and all below it."""
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                below.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += below.get(one, [])
    return found


def _pages(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return 0


def _ticks(pid: int) -> int:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])
    return 0
