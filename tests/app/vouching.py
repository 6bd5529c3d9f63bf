"""Signs in by an identity provider, in Chromium, and tells as JSON what the pages said. Run by `test_provider.py`.

python -m tests.app.vouching FOLDER
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests import counties
from tests.app.provider import CLIENT, SECRET, Provider, provider
from tests.app.signing import click
from tests.app.visit import Visit, answers, browser, wait

PORT, OTHER = 18531, 18532
SECRETS = """[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "0123456789abcdef0123456789abcdef0123456789"
client_id = "{client}"
client_secret = "{secret}"
server_metadata_url = "{issuer}/.well-known/openid-configuration"
"""


def enter(visit: Visit, who: str) -> None:
    click(visit, "统一认证登录")
    wait(lambda: visit.driver.find_elements("id", who), 30, "the provider's page")
    visit.driver.find_element("id", who).click()


def run(folder: Path) -> dict[str, object]:
    with provider(OTHER) as made:
        return visited(folder, made)


def visited(folder: Path, made: Provider) -> dict[str, object]:
    office = counties.office(folder)
    office.json("管理员", "accounts", "add", "统一员", "--role", "commander", "--agency", "荆州渔政",
                "--identity", f"{made.issuer}|u-1001")  # fmt: skip
    (folder / ".streamlit").mkdir()
    told = SECRETS.format(port=PORT, client=CLIENT, secret=SECRET, issuer=made.issuer)
    (folder / ".streamlit" / "secrets.toml").write_text(told, encoding="utf-8")
    url = f"http://127.0.0.1:{PORT}/"
    command = [sys.executable, "-m", "geo_monitor", "--workspace", str(office.root), "app", "--no-browser"]
    log = (folder / "server.log").open("w")
    server = subprocess.Popen([*command, "--port", str(PORT)], cwd=folder, stdout=log, stderr=log)
    driver = browser()
    seen: dict[str, object] = {}
    try:
        wait(lambda: answers(url + "_stcore/health"), 60, "the server")
        visit = Visit(driver, folder)
        driver.get(url)
        visit.until("统一认证登录")
        enter(visit, "u-9999")
        visit.until("没有对应账号")
        seen["stranger"] = visit.text()
        driver.get(url)
        visit.until("退出统一认证")
        click(visit, "退出统一认证")
        wait(lambda: made.signed_out == 1, 30, "the end of the stranger's session")
        visit.until("统一认证登录")
        made.age_s = 3600  # what a cookie of an hour ago says opens nothing
        enter(visit, "u-1001")
        visit.until("退出统一认证")
        seen["stale"] = visit.text()
        click(visit, "退出统一认证")
        wait(lambda: made.signed_out == 2, 30, "the end of the stale session")
        visit.until("统一认证登录")
        made.age_s = 0
        enter(visit, "u-1001")
        visit.until(r"\d+ 段中", 120)
        visit.until("统一员")
        seen["in"] = visit.text()
        driver.get(url + "?lang=zh")
        visit.until(r"\d+ 段中", 120)
        click(visit, "退出")
        wait(lambda: made.signed_out == 3, 30, "the end of the session")
        visit.until("统一认证登录")
        driver.get(url)
        visit.until("统一认证登录")
        seen["out"] = visit.text()
        seen["sessions_ended"] = made.signed_out
    except BaseException:
        visit.shot("failed")
        print(visit.text()[:3000], file=sys.stderr)
        raise
    finally:
        driver.quit()
        server.terminate()
        server.wait()
        log.close()
    out = folder / "audit.csv"
    office.json("管理员", "export", "audit", "-o", out)
    seen["audit"] = out.read_text(encoding="utf-8-sig")
    seen["log"] = (folder / "server.log").read_text(encoding="utf-8")
    return seen


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1])), ensure_ascii=False))
