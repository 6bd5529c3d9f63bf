"""A PostgreSQL server of the tests' own: in a temporary folder, on loopback, gone with them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
numbers = count(1)


class Server:
    """`gm` owns the database `gm` and may make roles; `postgres` is the superuser. Nobody needs a password here."""

    def __init__(self, port: int, run: Callable[..., None], data: Path, options: str, log: Path) -> None:
        self.port = port
        self._run, self._data, self._options, self._log = run, data, options, log

    def restart(self) -> None:
        """Stops the server as a power cut would (it recovers from its log), and starts it again."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")
        self._run("pg_ctl", "-D", str(self._data), "-o", self._options, "-l", str(self._log), "-w", "start")

    def url(self, schema: str | None = None, user: str = "gm") -> str:
        """An address; every call without `schema` gives an empty workspace's own."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/gm?schema={schema or f't{next(numbers)}'}"

    def end_others(self) -> None:
        """Ends every connection of `gm`, as a restart of the server would."""
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gm'"
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", "gm"]
        subprocess.run([str(PLACES[0] / "psql"), *where, "-qc", end], check=True, capture_output=True)


@contextmanager
def started() -> Iterator[Server]:
    """A server until the block ends. Fails where Debian's postgresql and PostGIS are not installed."""
    assert PLACES, "the tests need PostgreSQL: ./test.sh installs it"
    # not below pytest's folder: that is closed to the user the server runs as
    with TemporaryDirectory(prefix="geo-monitor-postgres-") as folder:
        yield from _started(Path(folder))


def _started(folder: Path) -> Iterator[Server]:
    programs, data = PLACES[0], folder / "data"
    folder.chmod(0o755)
    who: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        who = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(program: str, *arguments: str) -> None:
        command = [*who, str(programs / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    run("initdb", "-D", str(data), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync")
    options = f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    run("pg_ctl", "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        for database, statement in (
            ("postgres", "CREATE ROLE gm LOGIN CREATEROLE"),
            ("postgres", "CREATE DATABASE gm OWNER gm"),
            ("gm", "CREATE EXTENSION postgis"),
        ):
            run("psql", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-d", database, "-qc", statement)
        yield Server(port, run, data, options, folder / "log")
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
