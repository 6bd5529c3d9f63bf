"""Long work asked for on a page: runs in a process of its own, tells how far it is, can be stopped.

A process, so that the pages of everybody else stay quick and a stop is a stop: the store undoes what was half written, as
it does after a fall. The child is told what to do, and for whom, on its standard input and tells its progress as JSON lines;
a fault of ours stands on the standard error of the server:

    python -m geo_monitor.app.job     {"root": …, "viewer": …, "work": …, "asked": …} → {"stage": …, "share": …} … {"result": …}
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_monitor.errors import GeoMonitorError
from geo_monitor.stages import Tell
from geo_monitor.store.database import milliseconds
from geo_monitor.store.rights import Viewer
from geo_monitor.store.schema import SQL

if TYPE_CHECKING:
    from geo_monitor.workspace import Workspace

NICE = 10  # the child's priority: below the server's, which draws maps meanwhile
STOP_S = 10.0  # seconds a child may take to stop

Asked = dict[str, Any]


@dataclass
class Job:
    """state: running, done, failed, stopped. `result`: what the work gave (see `WORKS`), once done. `error`: code and params
    of what went wrong, None for a fault of ours. `until`: what must last as long as the child, closed after it."""

    root: str
    work: str
    who: str
    asked: Asked
    started: datetime
    process: subprocess.Popen[str]
    until: ExitStack
    stage: str = "begin"
    share: float = 0.0
    state: str = "running"
    result: Any = None
    error: tuple[str, dict[str, Any]] | None = None
    stopping: bool = False
    ended: threading.Event = field(default_factory=threading.Event)

    def follow(self) -> None:
        """Reads what the child tells, until it ends (in a thread)."""
        state = "failed"
        try:
            with self.until, self.process:  # whose end waits for it: a child nobody waits for stays as a zombie
                assert self.process.stdout is not None
                for line in self.process.stdout:
                    told = json.loads(line)
                    if "stage" in told:
                        self.stage, self.share = told["stage"], told["share"]
                    self.result = told.get("result", self.result)
                    if "error" in told:
                        self.error = (told["error"], told["params"])
            if self.result is None and self.error is None:
                self.result = self._left()
            state = "done" if self.result is not None else "stopped" if self.stopping else "failed"
        finally:
            self.state = state
            self.ended.set()

    def _left(self) -> Any:
        """Tidies up after a child that did not come to its end. Gives its result where it had come through all the same:
        a stop may fall into the moment behind the commit."""
        from geo_monitor.workspace import Workspace

        held = Workspace(self.root)  # opening it sweeps
        kept = WORKS[self.work].kept
        return None if kept is None else kept(held, self)

    def stop(self) -> None:
        """Stops the child; it leaves nothing behind. One that had just come through is `done` all the same."""
        if self.state != "running":
            return
        self.stopping = True
        self.process.terminate()
        if not self.ended.wait(STOP_S):
            self.process.kill()
            self.ended.wait(STOP_S)


class Jobs:
    """The last job of each work in each workspace: one of all (`Work.shared`), or one of each account."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[tuple[str, str, str], Job] = {}

    def of(self, root: str, work: str, viewer: Viewer) -> Job | None:
        """The job under way, or the last one that ended and was not put away."""
        return self._of.get(_slot(root, work, viewer))

    def start(self, root: str, viewer: Viewer, work: str, asked: Asked, until: ExitStack | None = None) -> Job | None:
        """Starts a work of `WORKS` as `viewer`; None where one is running. until: what must last as long as it; closed
        at once where nothing starts.

        Raises `Denied("not_allowed")`.
        """
        with until or ExitStack() as until, self._lock:
            viewer.needs(WORKS[work].right)
            before = self.of(root, work, viewer)
            if before is not None and before.state == "running":
                return None
            process = subprocess.Popen(
                [sys.executable, "-m", "geo_monitor.app.job"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
            assert process.stdin is not None
            started = datetime.now(UTC)
            asked = {"now": started.isoformat(), **asked}
            process.stdin.write(json.dumps({"root": root, "viewer": asdict(viewer), "work": work, "asked": asked}))
            process.stdin.close()
            job = Job(root, work, viewer.account, asked, started, process, until.pop_all())
            self._of[_slot(root, work, viewer)] = job
        threading.Thread(target=job.follow, daemon=True).start()
        return job

    def forget(self, job: Job) -> None:
        """Puts away a job that ended."""
        with self._lock:
            self._of = {slot: held for slot, held in self._of.items() if held is not job}


def _slot(root: str, work: str, viewer: Viewer) -> tuple[str, str, str]:
    return root, work, "" if WORKS[work].shared else viewer.account


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """Those of this server."""
    return Jobs()


# --- what may be asked ----------------------------------------------------------------------------------------------


def _analyse(held: Workspace, asked: Asked, tell: Tell) -> str:
    return held.analyse(**{**asked, "now": datetime.fromisoformat(asked["now"])}, tell=tell).run_id


def _upload(held: Workspace, asked: Asked, tell: Tell) -> dict[str, Any]:
    # asked to end it unwinds: the parser ends with it, and its scratch folder goes, on every system
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    now = datetime.fromisoformat(asked["now"])
    receipt = held.import_file(asked["kind"], asked["file"], **asked["given"], now=now, tell=tell)
    held.build_river(receipt, tell)
    return {lang: receipt.to_json(lang) for lang in ("zh", "en")}


def _received(held: Workspace, job: Job) -> dict[str, Any] | None:
    """The receipt of an upload as the book holds it: no two of an account are asked for in one moment."""
    of = SQL["receipts"].c
    mine = (of.received_at == milliseconds(job.asked["now"])) & (of.file == Path(job.asked["file"]).name)
    found = held._store.book("receipts", mine)["receipt"].tolist()
    return json.loads(found[0]) if found else None


def _rule(held: Workspace, asked: Asked, tell: Tell) -> dict[str, Any]:
    now = datetime.fromisoformat(asked["now"])
    if not asked["propose"]:
        return {"backtest": held.desk.test_rule(asked["given"], now, tell).told()}
    row, found = held.desk.propose(asked["given"], now, tell)
    rule = {name: row[name] for name in ("rule", "version", "state")}
    return {"backtest": found.told(), "proposed": rule}


@dataclass(frozen=True)
class Work:
    """A work: the right it needs; what the child does with what was asked, giving what JSON can hold; whether it is one
    for all; and how a result is found that a child had written down but not told."""

    right: str
    do: Callable[[Workspace, Asked, Tell], Any]
    shared: bool = False
    kept: Callable[[Workspace, Job], Any] | None = None


WORKS = {
    # asked: arguments of `Workspace.analyse`. Gives the run's id
    "analyse": Work("analyse", _analyse, shared=True),
    # asked: kind, file (a path that lasts), given: options of `Workspace.import_file`. Gives the receipt by language
    "upload": Work("import", _upload, kept=_received),
    # asked: given (YAML), propose, now (as the page has it). Gives backtest and, of a proposal, proposed
    "rule": Work("rules", _rule),
}


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
        result = WORKS[told["work"]].do(Workspace(told["root"], viewer), told["asked"], tell)
    except GeoMonitorError as error:
        print(json.dumps({"error": error.code, "params": error.params}, default=str), flush=True)
        return 1
    print(json.dumps({"result": result}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
