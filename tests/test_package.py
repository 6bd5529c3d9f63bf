"""The package as installed: cheap to import, whole in the wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys, geo_monitor\n"
        "heavy = {'streamlit', 'pyspark', 'geopandas', 'pandas', 'numba', 'scipy', 'pandera', 'rasterio'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_wheel_holds_app_data_and_base_map(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run(command, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for wanted in (
        "geo_monitor/app/main.py",
        "geo_monitor/data/NOTICE.md",
        "geo_monitor/data/natural-earth/rivers_10m.geojson",
        "geo_monitor/data/divisions/localities.geojson",
    ):
        assert wanted in names
    assert any(name.startswith("geo_monitor/app/static/basemap/") for name in names)
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests/")]
