"""An analysis asked for on the page: runs in a process of its own, tells how far it is, can be stopped.

A process, so that the map of everybody else stays quick and a stop is a stop: the store undoes what was half written, as it
does after a fall. One at a time in a workspace. The child is told what to do on its standard input and tells its progress
as JSON lines:

    python -m geo_monitor.app.hotspots.job     {"root": …, "viewer": …, "asked": …} → {"stage": …, "share": …} … {"run_id": …}
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from geo_monitor.errors import GeoMonitorError
from geo_monitor.store.rights import Viewer

NICE = 10  # the child's priority: below the server's, which draws maps meanwhile
STOP_S = 10.0  # seconds a child may take to stop


@dataclass
class Job:
    """state: running, done, failed, stopped. `error`: code and params of what went wrong, None for a fault of ours."""

    who: str
    started: datetime
    process: subprocess.Popen[str]
    stage: str = "read"
    share: float = 0.0
    state: str = "running"
    run_id: str | None = None
    error: tuple[str, dict[str, Any]] | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def follow(self) -> None:
        """Reads what the child tells, until it ends (in a thread)."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            told = json.loads(line)
            if "stage" in told:
                self.stage, self.share = told["stage"], told["share"]
            self.run_id = told.get("run_id", self.run_id)
            if "error" in told:
                self.error = (told["error"], told["params"])
        code = self.process.wait()
        if self.state == "running":
            self.state = "done" if code == 0 and self.run_id else "failed"
        self.ended.set()

    def stop(self) -> None:
        """Stops the child; it leaves nothing behind."""
        if self.state != "running":
            return
        self.state = "stopped"
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.ended.wait(STOP_S)


class Jobs:
    """The job of each workspace, the last one kept until another is asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[str, Job] = {}

    def of(self, root: str) -> Job | None:
        return self._of.get(root)

    def start(self, root: str, viewer: Viewer, asked: dict[str, Any]) -> Job | None:
        """Starts an analysis as `viewer`; None where one is running. asked: arguments of `Workspace.analyse`.

        Raises `Denied("not_allowed")`.
        """
        viewer.needs("analyse")
        with self._lock:
            before = self._of.get(root)
            if before is not None and before.state == "running":
                return None
            process = subprocess.Popen(
                [sys.executable, "-m", "geo_monitor.app.hotspots.job"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
            )
            assert process.stdin is not None
            process.stdin.write(json.dumps({"root": root, "viewer": asdict(viewer), "asked": asked}))
            process.stdin.close()
            job = Job(viewer.account, datetime.now(UTC), process)
            self._of[root] = job
        threading.Thread(target=job.follow, daemon=True).start()
        return job


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """Those of this server."""
    return Jobs()


def main() -> int:
    """The child. Gives the exit code."""
    from geo_monitor.workspace import Workspace

    told = json.load(sys.stdin)
    os.nice(NICE)
    who = told["viewer"]
    viewer = Viewer(who["account"], who["agency"], tuple(who["roles"]), tuple(who["adcodes"]))

    def tell(stage: str, share: float) -> None:
        print(json.dumps({"stage": stage, "share": share}), flush=True)

    try:
        run = Workspace(told["root"], viewer).analyse(**told["asked"], tell=tell)
    except GeoMonitorError as error:
        params = {name: str(value) for name, value in error.params.items()}
        print(json.dumps({"error": error.code, "params": params}), flush=True)
        return 1
    print(json.dumps({"run_id": run.run_id}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
