"""Bodies in memory and in files, bounds, the gate."""
import os
import random
import subprocess
import time

import pytest

from raw import HOST, get, post, wait_until

MIB = 1 << 20


def chunked(path, chunks):
    body = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + b"0\r\n\r\n"
    return b"POST %s HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n" % (path, HOST) + body


def test_sizes(server):
    with server.client() as c:
        for n in (0, 1, 4095, 4096, 16384, 20479, 20480, 40960, 65537, MIB - 1, MIB):
            body = random.Random(n).randbytes(n)
            assert c.ask(post(b"/echo", body)).body == body
            assert c.ask(post(b"/spool", body)).body == b"%d %d\n" % (n, sum(body))


def test_chunks(server):
    for sizes in ((1,) * 200, (100000, 1, 65536), (0x10, 0xabc, 0xfffff - 0xacc)):
        chunks = [random.Random(i).randbytes(n) for i, n in enumerate(sizes)]
        data = chunked(b"/echo", chunks)
        assert server.ask(data).body == b"".join(chunks)
        with server.client() as c:
            for i in range(0, len(data), 50021):
                c.send(data[i:i + 50021])
            assert c.response().body == b"".join(chunks)


def test_no_body_is_told_from_an_empty_one(server):
    assert b"body 0 0" in server.ask(get(b"/seen")).body
    assert b"body 1 0" in server.ask(post(b"/seen", b"")).body
    assert b"body 1 0" in server.ask(chunked(b"/seen", [])).body


@pytest.mark.parametrize("n", [MIB + 1, 2_000_000, 16 * MIB])
def test_too_large_is_drained_and_goes_on(server, n):
    with server.client() as c:
        for data in (post(b"/echo", b"x" * n), chunked(b"/echo", [b"x" * 50000] * (n // 50000 + 1))):
            assert c.ask(data).status == 413
            if b"chunked" in data[:200]:
                break
            assert c.ask(get(b"/now")).body == b"now\n"


def test_a_body_that_was_not_planned_is_drained(server):
    with server.client() as c:
        assert c.ask(post(b"/nowhere", b"x")).status == 413
        assert c.ask(post(b"/nowhere", b"")).status == 404
        assert c.ask(get(b"/now")).body == b"now\n"


def test_far_too_large_is_refused_at_the_head(server):
    with server.client() as c:
        r = c.ask(get(b"/echo", b"Content-Length: %d\r\n" % (17 * MIB + 1), b"POST"))
        assert r.status == 413 and r.headers["connection"] == ["close"]
        assert c.closed() == b""
    with server.client() as c:
        c.send(get(b"/echo", b"Content-Length: 9223372036854775807\r\nExpect: 100-continue\r\n", b"POST"))
        assert c.response().status == 413


def test_far_too_large_in_chunks_is_cut(server):
    """Never more is read than 16 MiB beyond what is allowed."""
    sent = 0
    with server.client() as c:
        c.send(b"POST /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(64):
                c.send(b"100000\r\n" + b"x" * MIB + b"\r\n")
                sent += 1
        except ConnectionError:
            pass
        r = c.response()
        assert r.status == 413 and r.headers["connection"] == ["close"] and r.headers["date"]
    assert 17 <= sent < 64


def test_spooled_bodies_are_bounded_by_the_disk_alone(server):
    n, block = 80, b"y" * MIB
    with server.client() as c:
        c.send(get(b"/spool", b"Content-Length: %d\r\n" % (n * MIB), b"POST"))
        for _ in range(n):
            c.send(block)
        assert c.response().body == b"%d %d\n" % (n * MIB, n * MIB * ord("y"))


def test_spool_files_have_no_name(start, tmp_path):
    s = start(spool_dir=str(tmp_path))
    before = s.open_files()
    with s.client() as c:
        c.send(get(b"/spool", b"Content-Length: 1000000\r\n", b"POST") + b"x" * 500000)
        wait_until(lambda: os.listdir(tmp_path) == [] and any(
            str(tmp_path) in os.readlink(f"/proc/{s.process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{s.process.pid}/fd")),
            "an open file without a name")
    wait_until(lambda: s.open_files() <= before, "the file closed with its request")


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False).returncode:
        pytest.skip("mounting needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_disk_full(start, small_disk):
    s = start(spool_dir=str(small_disk))
    with s.client() as c:
        for _ in range(2):
            r = c.ask(post(b"/spool", b"x" * 3_000_000))
            assert (r.status, r.body) == (503, b"disk full\n")
            assert c.ask(post(b"/spool", b"x" * 500_000)).status == 200
    s.end()


def test_no_folder_to_spool_to(start):
    s = start(spool_dir="/nonexistent")
    with s.client() as c:
        assert c.ask(post(b"/spool", b"x")).status == 503
        assert c.ask(post(b"/spool", b"")).body == b"0 0\n"


@pytest.mark.parametrize("path", [b"/gate", b"/import"])
@pytest.mark.parametrize("wait", [b"", b"&ms=100"])
def test_gate(server, path, wait):
    body = b"z" * 300_000
    answer = body if path == b"/gate" else b"%d %d\n" % (len(body), sum(body))
    for headers in (b"", b"Expect: 100-continue\r\n"):
        with server.client() as c:
            c.send(get(path + b"?x=1" + wait, headers + b"Content-Length: %d\r\n" % len(body), b"POST"))
            if headers:
                assert c.head()[0] == 100
            c.send(body)
            assert c.response().body == answer
            assert c.ask(get(b"/now")).body == b"now\n"
            c.send(post(path + b"?x=1" + wait, b""))  # nothing follows: the gate is not asked
            assert c.response().status == 200
            assert c.ask(chunked(path + b"?x=1" + wait, [body[:100000], body[100000:]])).body == answer


@pytest.mark.parametrize("path", [b"/gate", b"/import"])
@pytest.mark.parametrize("wait", [b"", b"&ms=100"])
def test_gate_shut(server, path, wait):
    with server.client() as c:
        assert c.ask(post(path + b"?shut" + wait, b"z" * 100_000)).status == 503
        assert c.ask(get(b"/now")).body == b"now\n"


@pytest.mark.parametrize("wait", [b"", b"&ms=100"])
def test_gate_shut_to_more_than_is_worth_reading(server, wait):
    with server.client() as c:
        c.send(get(b"/import?shut" + wait, b"Content-Length: 1000000000\r\n", b"POST") + b"z" * 1000)
        began = time.monotonic()
        assert c.response().body == b"not now\n"
        assert c.closed() == b""
        assert time.monotonic() - began < 5
    with server.client() as c:  # without a length that is seen only when it has come
        c.send(b"POST /import?shut" + wait + b" HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(64):
                c.send(b"100000\r\n" + b"x" * MIB + b"\r\n")
        except ConnectionError:
            pass
        assert c.response().body == b"not now\n"


def test_a_gate_holds_the_sender_back(server):
    """What waits at a gate is not read into the server's memory."""
    with server.client() as c:
        c.socket.settimeout(1)
        c.send(get(b"/import?ms=1500", b"Content-Length: 100000000\r\n", b"POST"))
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 100_000_000:
                sent += c.socket.send(b"x" * 65536)
        assert sent < 30_000_000


def test_all_is_freed(start):
    s = start()
    before = s.open_files()
    for data in (post(b"/spool", b"x" * 100000)[:-1], post(b"/echo", b"x" * 100000)[:-1], post(b"/import?ms=50", b"x" * 100000)[:-1],
                 post(b"/import?ms=50", b"x" * 100000)):
        with s.client() as c:
            c.send(data)
    assert s.ask(get(b"/now")).status == 200  # whoever came before was accepted before
    wait_until(lambda: s.open_files() <= before, "all closed")
    assert sum(line.endswith("aborted") for line in s.end()) >= 3


def test_a_large_chunked_body_may_end_its_connection(server):
    """Where the library does not mind how chunks are framed and the body did not come with its head, nothing behind it counts."""
    with server.client() as c:
        r = c.ask(chunked(b"/echo", [b"x" * 100_000]) + get(b"/hidden", method=b"DELETE"))
        assert r.status == 200 and len(r.body) == 100_000
        if server.library < (1, 0, 0):
            assert r.headers["connection"] == ["close"] and c.closed() == b"" and server.hidden() == 0
