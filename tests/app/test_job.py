"""Long work asked for on a page, on a real workspace and in a real process."""

import json
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from geo_monitor.app.job import Jobs
from geo_monitor.errors import Denied
from geo_monitor.store import unfinished
from geo_monitor.store.rights import OWNER, Viewer
from geo_monitor.workspace import Workspace
from tests import counties
from tests.app import fake

SENDER = Viewer("报", "荆州渔政", ("uploader",), ("421000",))
READER = Viewer("指挥", None, ("commander",), ("100000",))
REPORT = "案件编号,查获时间,经度,纬度,渔获重量,渔具\n甲1,2026-05-01 23:00,112.0,30.0,5,地笼\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return counties.office(tmp_path_factory.mktemp("job")).root


@pytest.fixture(scope="module")
def long_file(tmp_path_factory):
    return fake.long_file(tmp_path_factory.mktemp("sent") / "长.csv")


@pytest.fixture
def empty(tmp_path):
    return Workspace.create(tmp_path / "w").root


def ended(job, seconds=120):
    assert job.ended.wait(seconds), (job.state, job.stage)
    assert not psutil.pid_exists(job.process.pid)  # not as a zombie either
    return job


def until(job, *stages):
    """Waits for the job to be past its beginning, at one of these stages."""
    end = time.monotonic() + 60
    while job.stage not in stages and job.state == "running" and time.monotonic() < end:
        time.sleep(0.005)
    assert job.stage in stages, (job.state, job.stage, job.error)


def upload(jobs, root, file, viewer=OWNER, kind="tracks", lasting=None, **given):
    return jobs.start(str(root), viewer, "upload", {"kind": kind, "file": str(file), "given": given}, lasting)


def runs(root):
    return Workspace(root, OWNER).table("runs")["run_id"].tolist()


def files(root):
    """What lies in a workspace beside the database: names, as a reader of the folder sees them."""
    parts = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return sorted(part for part in parts if not part.startswith(("geo_monitor.sqlite", ".lock")))


# --- an analysis ----------------------------------------------------------------------------------------------------


def test_an_analysis_runs_to_its_end_as_whoever_asked(root):
    before = runs(root)
    viewer = Viewer("分析员", None, ("analyst",), ("100000",))
    job = ended(Jobs().start(str(root), viewer, "analyse", {"methods": "rates,gistar"}))
    assert (job.state, job.error) == ("done", None)
    assert runs(root) == [*before, job.result]
    book = Workspace(root, OWNER).table("audit")
    assert book.loc[book["action"] == "analyse", "who"].iloc[-1] == "分析员"


def test_a_stopped_one_leaves_nothing_and_the_next_one_runs(root):
    before = runs(root)
    held = Jobs()
    job = held.start(str(root), OWNER, "analyse", {"methods": "all"})
    other = Viewer("分析员", None, ("analyst",), ("100000",))
    assert held.start(str(root), other, "analyse", {"methods": "all"}) is None  # one at a time, of everybody
    assert held.of(str(root), "analyse", other) is job
    end = time.monotonic() + 60
    while job.stage in ("begin", "read") and job.state == "running" and time.monotonic() < end:
        time.sleep(0.01)
    job.stop()  # in the middle, however quick the machine
    assert ended(job, 20).state == "stopped"
    assert runs(root) == before
    assert not [path for path in (root / "runs").iterdir() if path.name not in before]
    assert ended(held.start(str(root), OWNER, "analyse", {})).state == "done"


def test_what_is_wrong_with_the_question_is_told(root):
    job = ended(Jobs().start(str(root), OWNER, "analyse", {"start": "2026-05-02", "end": "2026-05-01"}))
    assert job.state == "failed"
    assert job.error is not None
    assert job.error[0] == "period_empty"


@pytest.mark.parametrize(
    ("viewer", "work"), [(SENDER, "analyse"), (SENDER, "rule"), (READER, "upload")], ids=["analyse", "rule", "upload"]
)
def test_who_may_not_is_refused_and_what_should_have_lasted_goes(root, viewer, work):
    with ExitStack() as lasting:
        closed = []
        lasting.callback(closed.append, True)
        with pytest.raises(Denied):
            Jobs().start(str(root), viewer, work, {}, lasting)
        assert closed


def test_nothing_of_the_viewer_stands_on_the_command_line(root):
    job = Jobs().start(str(root), OWNER, "analyse", {})
    told = json.dumps(job.process.args)
    ended(job)
    assert "local" not in told
    assert str(root) not in told
    assert job.started <= datetime.now(UTC)


# --- an upload ------------------------------------------------------------------------------------------------------


def test_an_upload_gives_its_receipt_and_is_recorded_for_whoever_asked(empty, tmp_path):
    held = Workspace(empty, OWNER)
    held.accounts.add_agency("荆州渔政", "421000", datetime.now(UTC), "local")
    file = tmp_path / "案件.csv"
    file.write_text(REPORT, encoding="utf-8")
    jobs = Jobs()
    job = ended(upload(jobs, empty, file, SENDER, "seizures"))
    assert (job.state, job.error) == ("done", None)
    assert job.result["zh"]["status"].startswith("accepted") and job.result["en"]["agency"] == "荆州渔政"
    book = held.table("audit")
    assert book.loc[book["action"] == "import", "who"].tolist() == ["报"]
    assert jobs.of(str(empty), "upload", SENDER) is job
    assert jobs.of(str(empty), "upload", OWNER) is None  # another's is nobody's business
    # had it been stopped after its commit and before it told, the receipt in the book would tell
    assert job._left() == {**job.result, "counts": job._left()["counts"]}
    jobs.forget(job)
    assert jobs.of(str(empty), "upload", SENDER) is None


def test_an_upload_in_the_name_of_another_is_refused_in_the_process_too(empty, tmp_path):
    file = tmp_path / "案件.csv"
    file.write_text(REPORT, encoding="utf-8")
    job = ended(upload(Jobs(), empty, file, SENDER, "seizures", agency="别家"))
    assert job.state == "failed"
    assert job.error is not None and job.error[1]
    assert not len(Workspace(empty, OWNER).table("receipts"))


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_an_upload_that_is_stopped_or_killed_leaves_nothing(empty, long_file, how):
    before = files(empty)
    jobs, lasting = Jobs(), ExitStack()
    folder = lasting.enter_context(TemporaryDirectory())
    job = upload(jobs, empty, long_file, lasting=lasting)
    until(job, "parse", "keep")
    assert upload(jobs, empty, long_file) is None  # one at a time of one account
    children = psutil.Process(job.process.pid).children()
    job.stop() if how == "stop" else job.process.kill()
    assert ended(job, 30).state == {"stop": "stopped", "kill": "failed"}[how]
    assert (job.result, job.error) == (None, None)
    assert not len(Workspace(empty, OWNER).table("receipts"))
    assert unfinished.found(empty) is None
    _, alive = psutil.wait_procs(children, 10)
    assert not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]  # of a killed one: init's to bury
    assert not [one for one in files(empty) if one not in before and ".tmp-parse-" not in one]
    if how == "stop":
        assert not list(empty.glob(".tmp-*")) and not alive
    assert not Path(folder).exists()
    again = ended(upload(jobs, empty, long_file))
    assert again.result["zh"]["status"].startswith("accepted")  # no duplicate: nothing had been kept
    assert not list(empty.glob(".tmp-*"))


def test_an_upload_waits_for_its_turn_and_another_of_somebody_else_waits_beside_it(empty, tmp_path):
    file = tmp_path / "案件.csv"
    file.write_text(REPORT, encoding="utf-8")
    jobs, other = Jobs(), Viewer("分析员", None, ("analyst",), ("100000",))
    with ExitStack() as writer:
        writer.enter_context(Workspace(empty, OWNER)._store.writing())
        mine, theirs = (upload(jobs, empty, file, viewer, "seizures") for viewer in (OWNER, other))
        until(mine, "turn")
        until(theirs, "turn")
        mine.stop()
        assert ended(mine).state == "stopped"
        assert theirs.state == "running"
    assert ended(theirs).state == "done"
    assert Workspace(empty, OWNER).table("receipts")["receipt_id"].tolist() == [theirs.result["en"]["receipt_id"]]
