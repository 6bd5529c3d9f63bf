"""The example in docs/simulate.md runs, and its folder holds what its table names."""

from __future__ import annotations

import re
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "docs" / "simulate.md").read_text(encoding="utf-8")


def test_example_runs(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.S)
    names = {"effort": None, "hotspots": None}
    exec(compile(code, "simulate.md", "exec"), names)  # the documentation's own example
    written = {path.relative_to(tmp_path / "world7").as_posix() for path in (tmp_path / "world7").rglob("*")}
    for kind in re.findall(r"`([a-z]+)_…", TEXT):
        assert any(name.startswith(f"{kind}_") for name in written), kind
    assert {"truth/reaches.csv", "truth/totals.json", "manifest.json"} <= written
