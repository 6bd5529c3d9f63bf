"""A program that opens pages in a browser, run in a network namespace that holds nothing but loopback."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def cut_off(module: str, folder: Path) -> dict[str, Any]:
    """What `python -m module folder` tells as JSON. Fails where the browser, or what cuts the network off, is missing."""
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        pytest.fail("needs Debian's chromium and chromium-driver: apt-get install chromium chromium-driver")
    inside = f"ip link set lo up && exec {sys.executable} -m {module} {folder}"
    cut = ["unshare", "--net", "--map-root-user", "sh", "-c"]
    if subprocess.run([*cut, "ip link set lo up"], capture_output=True, check=False).returncode:
        pytest.fail(
            "needs unshare and ip to cut the network off: apt-get install util-linux iproute2, "
            "and a kernel that lets users make namespaces"
        )
    done = subprocess.run([*cut, inside], cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told
