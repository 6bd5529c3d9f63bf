"""An analysis asked for on the page, on a real workspace and in a real process."""

import json
import time
from datetime import UTC, datetime

import pytest

from geo_monitor.app.hotspots.job import Jobs
from geo_monitor.errors import Denied
from geo_monitor.store.rights import OWNER, Viewer
from geo_monitor.workspace import Workspace
from tests import counties

SENDER = Viewer("报", None, ("uploader",), ("421000",))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return counties.office(tmp_path_factory.mktemp("job")).root


def ended(job, seconds=120):
    assert job.ended.wait(seconds), (job.state, job.stage)
    return job


def runs(root):
    return Workspace(root, OWNER).table("runs")["run_id"].tolist()


def test_an_analysis_runs_to_its_end_as_whoever_asked(root):
    before = runs(root)
    viewer = Viewer("分析员", None, ("analyst",), ("100000",))
    job = ended(Jobs().start(str(root), viewer, {"methods": "rates,gistar"}))
    assert (job.state, job.error) == ("done", None)
    assert runs(root) == [*before, job.run_id]
    book = Workspace(root, OWNER).table("audit")
    assert book.loc[book["action"] == "analyse", "who"].iloc[-1] == "分析员"


def test_a_stopped_one_leaves_nothing_and_the_next_one_runs(root):
    before = runs(root)
    held = Jobs()
    job = held.start(str(root), OWNER, {"methods": "all"})
    assert held.start(str(root), OWNER, {"methods": "all"}) is None  # one at a time
    end = time.monotonic() + 60
    while job.stage == "read" and job.state == "running" and time.monotonic() < end:
        time.sleep(0.01)
    job.stop()  # in the middle, however quick the machine
    assert ended(job, 20).state == "stopped"
    assert runs(root) == before
    assert not [path for path in (root / "runs").iterdir() if path.name not in before]
    assert ended(held.start(str(root), OWNER, {})).state == "done"


def test_what_is_wrong_with_the_question_is_told(root):
    job = ended(Jobs().start(str(root), OWNER, {"start": "2026-05-02", "end": "2026-05-01"}))
    assert job.state == "failed"
    assert job.error is not None
    assert job.error[0] == "period_empty"


def test_who_only_sends_files_may_not_ask(root):
    with pytest.raises(Denied):
        Jobs().start(str(root), SENDER, {})


def test_nothing_of_the_viewer_stands_on_the_command_line(root):
    job = Jobs().start(str(root), OWNER, {})
    told = json.dumps(job.process.args)
    ended(job)
    assert "local" not in told
    assert str(root) not in told
    assert job.started <= datetime.now(UTC)
