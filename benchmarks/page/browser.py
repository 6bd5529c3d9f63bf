"""One Chromium with software drawing at the page: when it shows what, counted from the start of the navigation."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from benchmarks.page.server import wait
from geo_monitor.app.look import LOOKS

NEAR = 40  # steps of 255 by which a channel of a colour may be off
# Looks every 100 ms at the canvases of the map. Canvases keep their picture (preserveDrawingBuffer), else nobody could look.
PROBE = """
(() => {
  const get = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, more) {
    return get.call(this, kind, /webgl/.test(kind) ? Object.assign({}, more, {preserveDrawingBuffer: true}) : more);
  };
  const seen = window.seen = {}, hot = HOT, small = document.createElement('canvas');
  const note = name => { if (!(name in seen)) seen[name] = performance.now() / 1000; };
  const timer = setInterval(() => {
    if (document.querySelector('.clock')) note('words');
    for (const canvas of document.querySelectorAll('[data-testid=stDeckGlJsonChart] canvas')) {
      if (!canvas.width || !canvas.height) continue;
      note('canvas');
      const base = canvas.classList.contains('mapboxgl-canvas');
      if (base ? 'base' in seen : 'hot' in seen) continue;
      small.width = canvas.width; small.height = canvas.height;
      const paper = get.call(small, '2d', {willReadFrequently: true});
      paper.drawImage(canvas, 0, 0);
      const all = paper.getImageData(0, 0, small.width, small.height).data;
      for (let i = 0; i < all.length; i += 4) {
        if (!all[i + 3]) continue;
        note(base ? 'base' : 'drawn');
        if (base) break;
        if (all[i + 3] > 100 && hot.every((value, k) => Math.abs(all[i + k] - value) <= NEAR)) { note('hot'); break; }
      }
    }
    if ('hot' in seen && 'base' in seen) clearInterval(timer);
  }, 100);
})();
"""


@contextlib.contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    """A Chromium with an empty cache."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader"):
        options.add_argument(flag)
    options.add_argument("--window-size=1440,980")
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        probe = PROBE.replace("HOT", str(list(LOOKS["day"].hot))).replace("NEAR", str(NEAR))
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": probe})
        yield driver
    finally:
        driver.quit()


def opened(driver: webdriver.Chrome, url: str, seconds: float = 180) -> dict[str, float]:
    """Opens the page and waits for the base map and a pixel in the colour of a hot reach; what was `seen` when, in seconds:
    words (the clock), canvas, drawn (a first pixel of a layer), hot, base (a first pixel of the base map)."""
    driver.get(url)

    def seen() -> dict[str, Any]:
        told: dict[str, Any] = driver.execute_script("return window.seen || {}")
        return told

    wait(lambda: {"hot", "base"} <= set(seen()), seconds, "pixels of the map")
    return {name: round(float(value), 2) for name, value in seen().items()}
