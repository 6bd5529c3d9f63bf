"""Starts the commanders' map: `streamlit run` on `geo_monitor/app/served.py`, on this machine only."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from geo_monitor.cli.people import PASSWORD
from geo_monitor.errors import Usage

if TYPE_CHECKING:
    from geo_monitor.workspace import Workspace

PAGE = Path(__file__).parents[1] / "app" / "served.py"


def serve(workspace: Workspace, host: str, port: int, lang: str, browser: bool, ready: Callable[[str], None]) -> int:
    """Runs the map until it is stopped and gives its exit code; `ready(url)` is called once it answers.

    Raises `Usage("app_host")` for a host that other machines reach while there are no accounts, `Usage("app_port")`
    where the port is taken.
    """
    if not is_loopback(host) and not workspace.accounts.any():
        raise Usage("app_host", host=host)
    if _open(host, port):
        raise Usage("app_port", host=host, port=port)
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    os.environ.pop(PASSWORD, None)  # neither the server nor the browser has need of it
    env = {**os.environ, "GEO_MONITOR_WORKSPACE": str(workspace.root.resolve()), "GEO_MONITOR_LANG": lang}
    process = subprocess.Popen(command(host, port), env=env, stdout=sys.stderr)

    def announce() -> None:
        while process.poll() is None:
            if _answers(host, port):
                ready(url)
                if browser:
                    webbrowser.open(url)
                return
            time.sleep(0.2)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    threading.Thread(target=announce, daemon=True).start()
    # a service manager stops us by SIGTERM: the server must not live on without us
    signal.signal(signal.SIGTERM, stop)
    try:
        return process.wait()
    except KeyboardInterrupt:  # how people stop it
        process.terminate()
        process.wait()
        return 0


def command(host: str, port: int) -> list[str]:
    """The command that serves the page; nothing of it asks the internet for anything."""
    options = {
        "server.address": host,
        "server.port": str(port),
        "server.headless": "true",  # we open the browser; Streamlit would ask for an e-mail address first
        "browser.gatherUsageStats": "false",
        "server.enableStaticServing": "true",
        "server.fileWatcherType": "none",
    }
    given = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(PAGE), *given]


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`.

    >>> [is_loopback(host) for host in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "10.0.0.5", "example.org")]
    [True, True, True, False, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _open(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _answers(host: str, port: int) -> bool:
    """Whether whoever listens there also answers: while the first page is made, visitors wait at the open port."""
    try:
        with socket.create_connection((host, port), timeout=1) as there:
            there.sendall(b"GET /_stcore/health HTTP/1.0\r\n\r\n")
            there.recv(1)  # whatever it is: behind TLS it is no HTTP
            return True
    except OSError:
        return False
