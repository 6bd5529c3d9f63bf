"""TCP, UDP, a serial line and HTTP, over the loopback."""

from __future__ import annotations

import base64
import http.client
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from geo_monitor.feeds import Fix, Source, open_source
from geo_monitor.settings import Settings
from tests.feeds.making import T0, gathered, row, some
from tests.feeds.test_files import numbers, rows
from tests.feeds.test_lines import rmc

QUICK = Settings(feed_pause_s=0.05, feed_pause_most_s=0.2)


@contextmanager
def opened(feed: str, settings: Settings = QUICK) -> Iterator[Any]:
    with closing(open_source(feed, settings)) as source:
        yield source


def test_a_server_that_drops_and_returns(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "geo_monitor")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with opened(f"tcp://127.0.0.1:{port}") as source:
            peer, _ = server.accept()
            peer.sendall((rows(0, 1) + row(2) + "\n" + row(3)[:50]).encode())
            peer.close()
            fixes, refused = gathered(source, some(4))
            assert numbers(fixes) == [0, 1, 2]
            assert [code for _, code in refused] == ["feed_json"]  # cut with the connection
            peer, _ = server.accept()
            server.close()  # and is away for a while
            peer.close()
            time.sleep(0.3)
            with socket.create_server(("127.0.0.1", port)) as again:
                peer, _ = again.accept()
                peer.sendall(rows(4).encode())
                assert numbers(gathered(source, some(1))[0]) == [4]
                peer.close()
    told = [record.getMessage() for record in caplog.records if "next try in" in record.getMessage()]
    pauses = [float(one.rsplit(" ", 2)[1]) for one in told]
    assert pauses[:2] == [0.05, 0.1]  # nothing came by the second connection
    assert max(pauses) <= 0.2


def test_a_reader_that_is_slow_makes_the_sender_wait() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        opened(f"tcp://127.0.0.1:{server.getsockname()[1]}", Settings(feed_queue_mb=0.1)) as source,
    ):
        peer, _ = server.accept()
        text = rows(*range(1000)).encode()
        sent = []

        def send() -> None:
            for _ in range(100):
                peer.sendall(text)
                sent.append(1)

        thread = threading.Thread(target=send)
        thread.start()
        thread.join(timeout=1)
        assert thread.is_alive()  # 12 MB do not fit into the queue and the system's buffers
        fixes, refused = gathered(source, some(100_000))
        thread.join()
        assert (len(fixes), refused) == (100_000, [])
        assert source.queue._size == 0
        peer.close()


def test_senders_that_connect_to_us() -> None:
    with opened("tcp-listen://127.0.0.1:0") as source:
        one, two = (socket.create_connection(("127.0.0.1", source.port)) for _ in range(2))
        text = row(0).encode()
        one.sendall(text[:20])
        two.sendall((row(1) + "\n").encode())
        assert numbers(gathered(source, some(1))[0]) == [1]
        one.sendall(text[20:] + b"\n" + rmc().encode() + b"\n")
        fixes, _ = gathered(source, some(2))
        assert numbers(fixes[:1]) == [0]
        assert fixes[1].unit_id == "tcp-listen://127.0.0.1:0 127.0.0.1"
        one.close()
        two.close()


def test_more_senders_than_are_let_in() -> None:
    with opened("tcp-listen://127.0.0.1:0", Settings(feed_senders=2)) as source:
        held = [socket.create_connection(("127.0.0.1", source.port)) for _ in range(3)]
        held[2].settimeout(10)
        assert held[2].recv(1) == b""
        held[0].sendall((row(0) + "\n").encode())
        assert numbers(gathered(source, some(1))[0]) == [0]
        for one in held:
            one.close()


def test_datagrams() -> None:
    with opened("udp://127.0.0.1:0") as source, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(rows(0, 1).encode() + row(2).encode(), ("127.0.0.1", source.port))
        sender.sendto(b"nonsense", ("127.0.0.1", source.port))
        fixes, refused = gathered(source, some(4))
        assert numbers(fixes) == [0, 1, 2]
        assert refused == [("nonsense", "feed_line_unknown")]


def test_datagrams_that_do_not_fit_are_dropped_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    with opened("udp://127.0.0.1:0", Settings(feed_queue_mb=0.01)) as source:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            deadline = time.monotonic() + 60
            sent = 0
            while source.dropped < 10 and time.monotonic() < deadline:
                sender.sendto((row(sent) + "\n").encode(), ("127.0.0.1", source.port))
                sent += 1
                time.sleep(0.001)
        time.sleep(1)
        fixes, _ = gathered(source, some(sent - source.dropped))
        assert len(fixes) + source.dropped == sent
        assert any("datagrams dropped" in record.getMessage() for record in caplog.records)


def test_a_serial_line() -> None:
    master, slave = os.openpty()
    try:
        with opened(f"serial://{os.ttyname(slave)}?baud=4800") as source:
            fixes: list[Fix] = []
            deadline = time.monotonic() + 30
            while len(fixes) < 2 and time.monotonic() < deadline:  # opening a port forgets what came before
                os.write(master, (rmc() + "\r\n" + rmc("151001") + "\r\n").encode())
                fixes += source.read(0.3).fixes
            assert {fix.unit_id for fix in fixes} == {source.name}
            assert len(fixes) >= 2
    finally:
        os.close(master)
        os.close(slave)


# --- HTTP --------------------------------------------------------------------------------------------------------
@pytest.fixture
def phones() -> Iterator[Source]:
    with opened("http://127.0.0.1:0/phones", Settings(feed_body_mb=0.01, feed_answer_s=20)) as source:
        yield source


def post(
    source: Any, body: bytes | str, path: str = "/phones", method: str = "POST", **headers: str
) -> tuple[int, Any]:
    line = http.client.HTTPConnection("127.0.0.1", source.port, timeout=60)
    data = body.encode() if isinstance(body, str) else body
    line.request(method, path, body=data, headers=headers)
    answer = line.getresponse()
    told = answer.read()
    line.close()
    return answer.status, json.loads(told) if told else None


def posted(source: Any, *posts: str | bytes, store: bool = True) -> tuple[list[Any], list[int]]:
    """What senders are answered, while somebody reads and stores."""
    answers: list[Any] = [None] * len(posts)

    def one(i: int) -> None:
        answers[i] = post(source, posts[i])

    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(posts))]
    for thread in threads:
        thread.start()
    fixes = []
    while any(thread.is_alive() for thread in threads):
        batch = source.read(0.05)
        fixes += batch.fixes
        if store:
            source.stored(batch)
    return answers, numbers(fixes)


def test_posts_are_answered_once_they_are_stored(phones: Source) -> None:
    pretty = json.dumps(json.loads(row(4)), indent=2)
    answers, fixes = posted(phones, row(0), rows(1, 2), f"[{row(3)}]", pretty, rmc())
    assert [status for status, _ in answers] == [200] * 5
    assert [told["accepted"] for _, told in answers] == [1, 2, 1, 1, 1]
    assert sorted(fixes)[:5] == [0, 1, 2, 3, 4]


def test_a_post_is_not_answered_before_it_is_stored() -> None:
    with opened("http://127.0.0.1:0", Settings(feed_answer_s=0.5)) as source:
        answers, fixes = [], []
        thread = threading.Thread(target=lambda: answers.append(post(source, row(0), "/")))
        thread.start()
        fixes, _ = gathered(source, some(1), store=False)
        thread.join()
        assert numbers(fixes) == [0]
        assert answers[0][0] == 503
        assert answers[0][1]["code"] == "feed_http_busy"


def test_refused_lines_are_told_and_the_others_kept(phones: Source) -> None:
    ((status, told),), fixes = posted(phones, rows(0) + "nonsense\n" + rows(1))
    assert status == 400
    assert told["accepted"] == 2
    assert told["refused"] == [
        {"line": "nonsense", "code": "feed_line_unknown", "zh": "既不是 NMEA 语句，也不是 JSON。",
         "en": "The line is neither an NMEA sentence nor JSON."}
    ]  # fmt: skip
    assert fixes == [0, 1]


def test_posts_that_are_turned_away(phones: Source) -> None:
    assert post(phones, row(0), path="/else")[0] == 404
    assert post(phones, b"x" * 10_001)[0] == 413
    assert post(phones, "", method="GET")[0] == 405
    assert post(phones, row(0), **{"Transfer-Encoding": "chunked"})[0] == 411
    assert post(phones, row(0), **{"Content-Length": "-5"})[0] == 411
    assert post(phones, "")[0] == 200
    batch = phones.read(0.1)
    assert batch is not None
    assert batch.lines == 0


def test_a_full_queue_turns_away() -> None:
    with opened("http://127.0.0.1:0", Settings(feed_queue_mb=0.001, feed_answer_s=20)) as source:
        first = threading.Thread(target=post, args=(source, row(0), "/"))
        first.start()
        deadline = time.monotonic() + 30
        while not source.queue._size and time.monotonic() < deadline:
            time.sleep(0.01)
        assert post(source, rows(*range(10)), "/")[0] == 503
        gathered(source, some(1))
        first.join()


def test_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEO_MONITOR_FEED_TOKEN", "令牌")
    with opened("http://127.0.0.1:0/phones") as source:
        assert post(source, row(0))[0] == 401
        assert post(source, row(0), Authorization="Bearer x")[0] == 401
    monkeypatch.setenv("GEO_MONITOR_FEED_TOKEN", "abc")
    with opened("http://127.0.0.1:0/phones") as source:
        assert post(source, row(0))[0] == 401
        thread = threading.Thread(target=gathered, args=(source, some(1)))
        thread.start()
        assert post(source, row(0), Authorization="Bearer abc")[0] == 200
        thread.join()
        basic = {name: f"Basic {base64.b64encode(name.encode()).decode()}" for name in ("船:abc", "abc:x", "abc")}
        assert post(source, row(0), Authorization=basic["abc:x"])[0] == 401
        assert post(source, row(0), Authorization=basic["abc"])[0] == 401
        assert post(source, row(0), Authorization="Basic ???")[0] == 401
        assert post(source, row(0), Authorization="Digest abc")[0] == 401
        thread = threading.Thread(target=gathered, args=(source, some(1)))
        thread.start()
        assert post(source, row(1), Authorization=basic["船:abc"])[0] == 200
        thread.join()


def taken(source: Any, body: str, path: str = "/phones", **headers: str) -> tuple[tuple[int, Any], list[Fix]]:
    """What one sender is answered while somebody reads and stores, and what was read."""
    answers: list[tuple[int, Any]] = []
    thread = threading.Thread(target=lambda: answers.append(post(source, body, path, **headers)))
    thread.start()
    fixes, _ = gathered(source, some(1))
    thread.join()
    return answers[0], fixes


def test_a_phone_may_post_a_query_or_a_form(phones: Source) -> None:
    """As Traccar's older clients, OsmAnd and GPSLogger do; which unit their speed has nobody says."""
    query = "id=86123&lat=30.001&lon=112.1&timestamp=1780240260&speed=6.2&bearing=90&batt=80"
    wanted = [Fix("86123", T0 + 60_000, 112.1, 30.001, None, 90.0, "patrol", None, None)]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    stored = (200, {"result": "ok", "accepted": 1, "refused": []})
    assert taken(phones, "", f"/phones?{query}") == (stored, wanted)
    assert taken(phones, query, **form) == (stored, wanted)
    answer, fixes = taken(phones, row(2), **form)  # what curl calls whatever it sends
    assert (answer, numbers(fixes)) == (stored, [2])


def test_a_query_that_is_no_position_is_not_told_as_stored(phones: Source) -> None:
    (status, told), _ = taken(phones, "", "/phones?id=86123&lat=30.0")
    assert status == 400
    assert [one["code"] for one in told["refused"]] == ["feed_no_time"]


def test_a_sender_that_never_ends_its_post_is_let_go() -> None:
    with opened("http://127.0.0.1:0", Settings(feed_answer_s=0.3)) as source:
        with socket.create_connection(("127.0.0.1", source.port), timeout=30) as slow:
            slow.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
            while slow.recv(1000):
                pass
        batch = source.read(0)
        assert batch.lines == 0
