"""What goes over the wire packed, asked as browsers ask: every answer unpacks to the file."""

from __future__ import annotations

import asyncio
import gzip
import re
from pathlib import Path

import brotli
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import FileResponse, PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient
from streamlit import file_util

from geo_monitor.app import packed

OURS = Path(packed.__file__).parent / "static"
FILE = b"const river = 'Yangtze'\n" * 500
HEAD = '<html><head><link rel="stylesheet" href="./a.css"></head>'


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is packed here is kept nowhere else."""
    monkeypatch.setattr(packed.warm, "folder", lambda: tmp_path / "cache")


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    (tmp_path / "a.js").write_bytes(FILE)
    (tmp_path / "tiny.js").write_bytes(b"1")
    (tmp_path / "page.html").write_text(HEAD + "<p>page</p>" * 500)
    routes = [
        Route("/static/gone.js", lambda _: FileResponse(tmp_path / "page.html")),
        Route("/situation", lambda _: FileResponse(tmp_path / "page.html")),
        Route("/live.json", lambda _: PlainTextResponse("x" * 5000)),
        Mount("/app/static", StaticFiles(directory=OURS)),
        Mount("/static", StaticFiles(directory=tmp_path)),
    ]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(packed.Packed)]))


def raw(client: TestClient, path: str, **headers: str) -> tuple[bytes, dict[str, str]]:
    """The body as it came, not unpacked, and the headers."""
    with client.stream("GET", path, headers=headers) as answer:
        return b"".join(answer.iter_raw()), dict(answer.headers)


@pytest.mark.parametrize(
    ("asked", "how", "unpack"),
    [
        ("gzip, deflate, br, zstd", "br", brotli.decompress),
        ("gzip, deflate", "gzip", gzip.decompress),  # what browsers send over plain HTTP to another machine
    ],
)
def test_a_file_comes_as_the_browser_takes_it(client: TestClient, asked: str, how: str, unpack) -> None:
    for _ in range(2):  # packed, and as kept
        body, headers = raw(client, "/static/a.js", **{"accept-encoding": asked})
        assert headers["content-encoding"] == how
        assert int(headers["content-length"]) == len(body) < len(FILE) / 10
        assert headers["vary"] == "Accept-Encoding"
        assert unpack(body) == FILE


def test_one_that_takes_nothing_or_a_part_gets_the_file_itself(client: TestClient) -> None:
    assert raw(client, "/static/a.js", **{"accept-encoding": "identity"})[0] == FILE
    body, headers = raw(client, "/static/a.js", **{"accept-encoding": "br", "range": "bytes=0-4"})
    assert (body, "content-encoding" in headers) == (FILE[:5], False)
    assert raw(client, "/static/tiny.js", **{"accept-encoding": "br"})[0] == b"1"


def test_who_has_the_file_is_told_so(client: TestClient) -> None:
    tag = client.get("/static/a.js").headers["etag"]
    assert tag.startswith("W/")
    assert client.get("/static/a.js", headers={"if-none-match": tag}).status_code == 304


def test_a_changed_file_is_packed_anew(client: TestClient, tmp_path: Path) -> None:
    client.get("/static/a.js")
    (tmp_path / "a.js").write_bytes(FILE + b"more")
    assert client.get("/static/a.js").content == FILE + b"more"


def test_a_file_that_is_kept_is_not_read_again(client: TestClient, monkeypatch) -> None:
    read = []
    call = FileResponse.__call__

    async def reading(self, scope, receive, send) -> None:
        read.append(scope["method"])
        await call(self, scope, receive, send)

    monkeypatch.setattr(FileResponse, "__call__", reading)
    for _ in range(3):
        assert client.get("/static/a.js").content == FILE
    assert read == ["GET", "HEAD", "HEAD"]


def test_what_every_opening_asks_for_is_packed_beforehand(monkeypatch) -> None:
    routes = [
        Mount("/static", StaticFiles(directory=Path(file_util.get_static_dir()) / "static")),
        Mount("/app/static", StaticFiles(directory=OURS)),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(packed.Packed)])
    monkeypatch.setattr(packed, "PACKERS", {"br": lambda raw: raw[:9], "gzip": lambda raw: raw[:8]})
    asyncio.run(packed.beforehand(app))

    def never(_: bytes) -> bytes:
        raise AssertionError

    monkeypatch.setattr(packed, "PACKERS", {"br": never, "gzip": never})
    client = TestClient(app)
    page = (Path(file_util.get_static_dir()) / "index.html").read_text()
    (program,) = re.findall(r'src="\.(/static/js/index[^"]+)"', page)
    for path in (program, "/app/static/basemap/land.geojson"):
        for how, size in (("br", 9), ("gzip", 8)):
            assert len(raw(client, path, **{"accept-encoding": how})[0]) == size


def test_pages_under_any_name_and_live_answers_are_not_kept(client: TestClient, monkeypatch) -> None:
    def never(_: bytes) -> bytes:
        raise AssertionError

    monkeypatch.setattr(packed, "PACKERS", {"br": never, "gzip": never})
    assert client.get("/static/gone.js").text.startswith("<html>")
    assert client.get("/live.json").text == "x" * 5000


def test_the_page_asks_for_the_map_at_once(client: TestClient) -> None:
    answer = client.get("/situation", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert '<link rel="stylesheet" href="./a.css">' in answer.text
    assert "etag" not in answer.headers
    (named,) = re.findall(r'<link rel="modulepreload" crossorigin href="./static/js/([^"]+)"></head>', answer.text)
    assert (Path(file_util.get_static_dir()) / "static/js" / named).is_file()


def test_the_page_of_this_streamlit_has_the_place_for_it(client: TestClient, tmp_path: Path) -> None:
    page = (Path(file_util.get_static_dir()) / "index.html").read_text()
    assert page.count("</head>") == 1
    assert 'as="font"' in page
    (tmp_path / "page.html").write_text(page)
    sent = client.get("/situation", headers={"accept": "text/html"}).text
    assert 'as="font"' not in sent
    assert sent.index('rel="stylesheet"') < sent.index("font-family:'Source Sans'")  # of two of a name the last counts
    assert 'rel="shortcut icon"' in sent
    assert sent.count('rel="modulepreload"') == page.count('rel="modulepreload"') + 1


def test_the_icons_of_this_streamlit_are_answered_with_ours(client: TestClient) -> None:
    (sheet,) = Path(file_util.get_static_dir()).glob("static/css/index.*.css")
    (named,) = re.findall(r"url\(\.\.(/media/MaterialSymbols[^)]*)\)", sheet.read_text(encoding="utf-8"))
    assert client.get("/static" + named).content == (OURS / "fonts" / "material-symbols.woff2").read_bytes()


def test_a_file_is_packed_once_an_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []

    def gzipped(raw: bytes) -> bytes:
        done.append(raw)
        return gzip.compress(raw, mtime=0)

    monkeypatch.setitem(packed.PACKERS, "gzip", gzipped)
    assert [gzip.decompress(packed.pack("gzip", FILE)) for _ in range(2)] == [FILE, FILE]
    assert len(done) == 1
    (kept,) = (tmp_path / "cache").rglob("*.arrow")
    kept.write_bytes(kept.read_bytes()[:-1])  # a fall while it was written
    assert gzip.decompress(packed.pack("gzip", FILE)) == FILE
    assert len(done) == 2
    (tmp_path / "taken").write_text("no folder")
    monkeypatch.setattr(packed.warm, "folder", lambda: tmp_path / "taken" / "cache")
    assert gzip.decompress(packed.pack("gzip", FILE)) == FILE  # nowhere to keep anything
    assert len(done) == 3
