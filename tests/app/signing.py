"""Signs in as one county and then as the other, in Chromium, and tells as JSON what the pages said. Run by `test_door.py`.

python -m tests.app.signing FOLDER
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests import counties
from tests.app.visit import Visit, answers, browser, wait

PORT = 18517


def enter(visit: Visit, name: str, word: str) -> None:
    fields = visit.driver.find_elements(By.CSS_SELECTOR, "[data-testid=stForm] input")
    for field, text in zip(fields, (name, word), strict=True):
        field.send_keys(Keys.CONTROL + "a")
        field.send_keys(text)
    fields[-1].send_keys(Keys.ENTER)


def run(folder: Path) -> dict[str, object]:
    office = counties.office(folder)
    url = f"http://127.0.0.1:{PORT}/"
    command = [sys.executable, "-m", "geo_monitor", "--workspace", str(office.root), "app", "--no-browser"]
    server = subprocess.Popen([*command, "--port", str(PORT)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shots = Path(os.environ.get("GEO_MONITOR_SHOTS", folder))
    driver = browser()
    seen: dict[str, object] = {}
    try:
        wait(lambda: answers(url + "_stcore/health"), 60, "the server")
        visit = Visit(driver, shots)
        driver.get(url)
        visit.until("密码")
        seen["before"] = visit.text()
        visit.shot("sign-in")
        enter(visit, "荆州员", "猜一个不对的密码")
        visit.until("不正确")
        enter(visit, "荆州员", counties.WORD)
        visit.until(r"\d+ 段中", 120)
        visit.until("荆州员")
        seen["here"] = visit.text()
        visit.shot("signed-in")
        driver.get(url + "?lang=zh")
        visit.until(r"\d+ 段中", 120)  # the cookie carries the session over a reload
        visit.until("荆州员")
        driver.find_element("xpath", "//button[.//p[text()='退出']]").click()
        visit.until("密码")
        driver.get(url)
        visit.until("密码")  # the old cookie opens nothing any more
        enter(visit, "宜昌员", counties.WORD)
        visit.until(r"\d+ 段中", 120)
        seen["there"] = visit.text()
    finally:
        driver.quit()
        server.terminate()
        server.wait()
    return seen


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1])), ensure_ascii=False))
