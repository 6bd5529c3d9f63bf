"""Signing in by OpenID Connect, in a real browser and a network namespace that holds nothing but loopback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("vouching")
    inside = f"ip link set lo up && exec {sys.executable} -m tests.app.vouching {folder}"
    cut = ["unshare", "--net", "--map-root-user", "sh", "-c", inside]
    done = subprocess.run(cut, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


def test_an_identity_without_an_account_is_told_so_and_sees_nothing(seen: dict[str, str]) -> None:
    assert "http://127.0.0.1:18532|u-9999" in seen["stranger"]
    assert "accounts add" in seen["stranger"]
    assert "试河" not in seen["stranger"]


def test_what_the_provider_said_an_hour_ago_opens_nothing(seen: dict[str, str]) -> None:
    assert "试河" not in seen["stale"]
    assert "统一员" not in seen["stale"]


def test_an_identity_with_an_account_sees_its_water(seen: dict[str, str]) -> None:
    assert "统一员" in seen["in"]


def test_signing_out_ends_both(seen: dict[str, str]) -> None:
    assert seen["sessions_ended"] == 3
    assert "退出统一认证" not in seen["out"]
    assert "试河" not in seen["out"]


def test_the_audit_book_names_who_came_in_and_who_did_not(seen: dict[str, str]) -> None:
    *refused, came = [line for line in seen["audit"].splitlines() if ",provider," in line]
    assert refused  # once for each page that the stranger opened
    assert all("sign_in_refused" in row and "u-9999" in row for row in refused)
    assert "统一员,sign_in," in came


def test_no_token_stands_in_the_log(seen: dict[str, str]) -> None:
    assert "id_token" not in seen["log"]
    assert "eyJ" not in seen["log"]  # how a signed token begins
