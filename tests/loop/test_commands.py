"""The loop from the command line, as people type it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.loop.conftest import MS, line, make, poacher, write

ROOT = Path(__file__).parents[2]


def run(root: Path, *given: str, code: int = 0, words: bool = False) -> Any:
    """What a command says, as JSON or in words."""
    command = [sys.executable, "-m", "geo_monitor", "--workspace", str(root), *given, *([] if words else ["--json"])]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False, timeout=300
    )
    assert done.returncode == code, done.stderr
    return done.stdout if words else json.loads(done.stdout)


def test_from_a_recorded_night_to_a_closed_warning(tmp_path: Path) -> None:
    root = make(tmp_path / "ws").root
    done = run(
        root, "watch", str(write(tmp_path / "n.jsonl", poacher()[:200])), "--clock", "event", "--until-idle", "1"
    )
    assert done["stored"] == 200 and done["events"] >= 2 and done["warnings"] >= 2
    assert run(root, "detect")["new"] == 0
    said = {one["check"]: one["state"] for one in run(root, "doctor")["checks"]}
    assert said["feeds"] == "look"  # nobody watches any more
    rows = run(root, "warnings", "list")["warnings"]
    assert {row["state"] for row in rows} == {"open"}
    assert rows[0]["opened_at"].endswith("+08:00") and rows[0]["left_s"] > 0  # by the clock of the replay
    for table in ("events", "warnings"):  # points, before any analysis
        file = tmp_path / f"{table}.geojson"
        run(root, "export", table, "-o", str(file))
        shapes = {one["geometry"]["type"] for one in json.loads(file.read_text(encoding="utf-8"))["features"]}
        assert shapes == {"Point"}
    name = next(row["warning_id"] for row in rows if row["class"] == "gear")
    assert run(root, "warnings", "sign", name)["state"] == "signed"
    assert run(root, "warnings", "sign", name, code=3)["error"]["code"] == "warning_state_wrong"
    assert run(root, "warnings", "sign", "nobody", code=2)["error"]["code"] == "warning_unknown"
    assert run(root, "warnings", "dispatch", name, code=2)["error"]["code"] == "dispatch_unit_or_none"
    for lang, words in (("en", "a rule that comes with the program"), ("zh", "随程序提供的规则")):
        run(root, "--lang", lang, "export", "rules", "-o", str(tmp_path / "rules.csv"))
        told = (tmp_path / "rules.csv").read_text(encoding="utf-8-sig")
        assert words in told and "@alerts" not in told
    assert run(root, "warnings", "dispatch", name, "--none", "无艇可派")["state"] == "no_unit"
    assert run(root, "taskings", "list", "--all")["taskings"][0]["text"] == "无艇可派"
    assert run(root, "warnings", "close", name, code=3)["error"]["code"] == "warning_outcome_missing"
    closed = run(root, "warnings", "close", name, "--outcome", "education", "--reason", "劝离")
    assert (closed["state"], closed["outcome"]) == ("closed", "education")
    counted = run(root, "warnings", "counts")
    assert sum(row["education"] for row in counted["counts"]) == 1


def test_a_crew_that_is_recalled_reads_it_in_its_list(tmp_path: Path) -> None:
    root = make(tmp_path / "ws").root
    patrols = [line("巡1", MS + s * 1000, 112.1, role="patrol") for s in range(0, 2400, 20)]
    file = write(tmp_path / "n.jsonl", [*poacher()[:200], *patrols])
    run(root, "watch", str(file), "--clock", "event", "--until-idle", "1")
    name = next(row["warning_id"] for row in run(root, "warnings", "list")["warnings"] if row["class"] == "gear")
    order = run(root, "warnings", "dispatch", name, "--unit", "巡1")["tasking_id"]
    run(root, "taskings", "accept", order)
    run(root, "warnings", "recall", name, "--reason", "报案人撤回")
    told = run(root, "taskings", "list")["taskings"]
    assert [(row["tasking_id"], row["state"], row["text"]) for row in told] == [(order, "recalled", "报案人撤回")]
    plain = run(root, "--lang", "zh", "taskings", "list", words=True)
    assert "已撤回" in plain and "预警已撤回，不必再去" in plain and "报案人撤回" in plain
    assert run(root, "taskings", "depart", order, code=3)["error"]["code"] == "tasking_wrong_step"
    none = run(root, "warnings", "dispatch", name, "--none", "无艇可派", code=3)
    assert none["error"]["code"] == "warning_state_wrong"


def test_rules_from_the_command_line(tmp_path: Path) -> None:
    root = make(tmp_path / "ws").root
    assert len(run(root, "rules", "list")["rules"]) == 9
    rule = tmp_path / "rule.yaml"
    rule.write_text("rule: slow_long\nkind: slow\nclass: gear\nvalues: {slow_s: 1200}\n", encoding="utf-8")
    assert run(root, "rules", "test", str(rule), code=2)["error"]["code"] == "rule_no_history"
    run(root, "watch", str(write(tmp_path / "n.jsonl", poacher())), "--clock", "event", "--until-idle", "1")
    told = run(root, "rules", "test", str(rule))
    assert (told["events"], told["warnings"]) == (1, 1)
    rule.write_text("rule: x\nkind: slow\nclass: gear\ncode: print(1)\n", encoding="utf-8")
    assert run(root, "rules", "add", str(rule), code=3)["error"]["code"] == "rule_field_unknown"
    assert run(root, "rules", "retire", "slow", "--reason", "停用试试")["state"] == "retired"
    assert run(root, "rules", "retire", "slow", "--reason", "再停", code=3)["error"]["code"] == "rule_state_wrong"
