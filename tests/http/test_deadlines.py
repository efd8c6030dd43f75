"""Slow, silent and half-open clients. Each case waits for real seconds, so all run at once against servers of one setting."""
import concurrent.futures
import threading
import time

import pytest

from raw import HOST, Closed, get, post, readable

HEADER, IDLE = 2, 3
GRACE = 3
SLACK = 2.5  # a sweep a second, and a busy machine


@pytest.fixture(scope="module")
def slow(program):
    from raw import Server
    s = Server(program, header_timeout=HEADER, idle_timeout=IDLE)
    yield s
    s.end()


@pytest.fixture(scope="module")
def patient(program):
    """Waits long for who is silent, but not for who is slow."""
    from raw import Server
    s = Server(program, slow_grace=GRACE)
    yield s
    s.end()


def drip(client, data, pause=0.2, patience=20):
    """Sends byte by byte until the server says something or ends; the seconds that took."""
    began = time.monotonic()
    for i in range(len(data)):
        try:
            client.send(data[i:i + 1])
        except ConnectionError:
            break
        if readable(client.socket, pause) or time.monotonic() - began > patience:
            break
    return time.monotonic() - began


def ends(client):
    began = time.monotonic()
    try:
        status = client.response().status
    except Closed:
        status = None
    if status:
        client.closed()
    return status, time.monotonic() - began


def silent(s):
    with s.client() as c:
        status, took = ends(c)
        assert status is None and IDLE - 1 < took < IDLE + SLACK, (status, took)


def first_bytes_only(s):
    with s.client() as c:
        c.send(b"G")
        status, took = ends(c)
        assert status == 408 and HEADER - 1 < took < HEADER + SLACK, (status, took)


def request_line_only(s):
    with s.client() as c:
        c.send(b"GET /now HTTP/1.1\r\nHost: x\r\n")
        status, took = ends(c)
        assert status == 408 and HEADER - 1 < took < HEADER + SLACK, (status, took)


def dripping_head(s):
    with s.client() as c:
        took = drip(c, get(b"/now", b"A: " + b"a" * 200 + b"\r\n"))
        assert HEADER - 1 < took < HEADER + SLACK, took
        assert ends(c)[0] == 408


def dripping_next_head(s):
    with s.client() as c:
        assert c.ask(get(b"/now")).status == 200
        assert c.ask(post(b"/echo", b"12345")).status == 200
        took = drip(c, get(b"/now", b"A: " + b"a" * 200 + b"\r\n"))
        assert HEADER - 1 < took < HEADER + SLACK, took
        assert ends(c)[0] == 408


def part_of_the_next_with_the_first(s):
    with s.client() as c:
        c.send(get(b"/now") + post(b"/echo", b"12345") + b"GET /no")
        assert c.response().status == 200 and c.response().status == 200
        status, took = ends(c)
        assert status == 408 and HEADER - 1 < took < HEADER + SLACK, (status, took)


def after_chunks(s):
    with s.client() as c:
        c.send(b"POST /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
        assert c.response().status == 200
        c.send(b"GET")
        status, took = ends(c)
        assert status == 408 and HEADER - 1 < took < HEADER + SLACK, (status, took)


def dripping_line_ends(s):
    with s.client() as c:
        took = drip(c, b"\r\n" * 100)  # one version of the library takes any number of them, another no second one
        assert took < HEADER + SLACK, took


def idle_keep_alive(s):
    with s.client() as c:
        for data in (get(b"/now"), post(b"/echo", b"12345"), get(b"/later?ms=1"), get(b"/large?n=1000000")):
            c.ask(data)
        status, took = ends(c)
        assert status is None and IDLE - 1 < took < IDLE + SLACK, (status, took)


def slow_but_alive(s):
    with s.client() as c:
        for _ in range(4):
            readable(c.socket, IDLE - 1.5)
            assert c.ask(get(b"/now")).status == 200


def stalled_body(s):
    for path in (b"/echo", b"/spool"):
        with s.client() as c:
            c.send(post(path, b"12345")[:-1])
            status, took = ends(c)
            assert status == 408 and IDLE - 1 < took < IDLE + SLACK, (status, took)


def body_never_begun(s):
    with s.client() as c:
        c.send(get(b"/echo", b"Content-Length: 5\r\nExpect: 100-continue\r\n", b"POST"))
        assert c.head()[0] == 100
        status, took = ends(c)
        assert status == 408 and IDLE - 1 < took < IDLE + SLACK, (status, took)


def stalled_chunk(s):
    with s.client() as c:
        c.send(b"POST /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel")
        status, took = ends(c)
        assert status == 408 and IDLE - 1 < took < IDLE + SLACK, (status, took)


def dripping_trailers(s):
    with s.client() as c:
        c.send(b"POST /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n")
        took = drip(c, b"A: " + b"a" * 200)
        assert took < IDLE + SLACK, took
        assert ends(c)[0] == 408


def body_that_makes_progress(s):
    with s.client() as c:
        c.send(get(b"/echo", b"Content-Length: 5\r\n", b"POST"))
        for byte in (b"h", b"e", b"l", b"l", b"o"):
            readable(c.socket, IDLE - 1.8)
            c.send(byte)
        assert c.response().body == b"hello"


def dripping_body(s):
    for path in (b"/echo", b"/gate?shut", b"/now"):  # kept, shut out, not wanted
        with s.client() as c:
            c.send(get(path, b"Content-Length: 200\r\n", b"POST"))
            took = drip(c, b"a" * 200)
            assert GRACE - 1 < took < GRACE + SLACK, (path, took)
            assert ends(c)[0] == 408


def dripping_chunks(s):
    with s.client() as c:
        c.send(b"POST /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
        took = drip(c, b"1\r\na\r\n" * 40)
        assert GRACE - 1 < took < GRACE + SLACK, took
        assert ends(c)[0] == 408


def dripping_file(s):
    """What is spooled may take its time."""
    with s.client() as c:
        c.send(get(b"/spool", b"Content-Length: 40\r\n", b"POST"))
        assert drip(c, b"a" * 40) > GRACE + SLACK
        assert c.response().body == b"40 3880\n"


def slow_body(s):
    with s.client() as c:
        c.send(get(b"/echo", b"Content-Length: 400000\r\n", b"POST"))
        for _ in range(40):
            c.send(b"a" * 10000)
            readable(c.socket, 0.25)
        assert len(c.response().body) == 400000


def read_slowly(c, at_once, pause, patience):
    """Seconds until the server ends it, or until so much time is over."""
    began = time.monotonic()
    try:
        while time.monotonic() - began < patience and c.socket.recv(at_once):
            threading.Event().wait(pause)
    except ConnectionError:
        pass
    return time.monotonic() - began


def slow_reader(s):
    with s.client(receive_buffer=4096) as c:  # what is in it can be read after the end
        c.send(get(b"/large?n=15000000"))
        took = read_slowly(c, 800, 0.2, 20)
        assert GRACE - 1 < took < GRACE + 2 * SLACK, took


def reader_that_is_fast_enough(s):
    with s.client(receive_buffer=65536) as c:
        c.send(get(b"/large?n=15000000"))
        assert read_slowly(c, 16384, 0.2, GRACE + 3) >= GRACE + 3


def waiting_for_an_answer_is_not_idle(s):
    with s.client() as c:
        assert c.ask(get(b"/later?ms=%d" % (1000 * IDLE + 2500))).body == b"later\n"


def waiting_at_the_gate_is_not_idle(s):
    with s.client() as c:
        assert c.ask(post(b"/gate?ms=%d" % (1000 * IDLE + 2500), b"hello")).body == b"hello"


def who_does_not_read_is_cut(s):
    with s.client() as c:
        c.send(get(b"/large?n=15000000"))
        readable(c.socket, 1)
        began = time.monotonic()
        while time.monotonic() - began < IDLE + 2 * SLACK:
            readable(c.socket, 0)
            time.sleep(0.5)
        with pytest.raises(Closed):
            c.response()


CASES = [silent, first_bytes_only, request_line_only, dripping_head, dripping_next_head, part_of_the_next_with_the_first,
         after_chunks, dripping_line_ends, idle_keep_alive, slow_but_alive, stalled_body, body_never_begun, stalled_chunk,
         dripping_trailers, body_that_makes_progress, waiting_for_an_answer_is_not_idle, waiting_at_the_gate_is_not_idle,
         who_does_not_read_is_cut]
OF_THE_PATIENT = [dripping_body, dripping_chunks, dripping_file, slow_body, slow_reader, reader_that_is_fast_enough]


@pytest.fixture(scope="module")
def running(slow, patient):
    with concurrent.futures.ThreadPoolExecutor(len(CASES) + len(OF_THE_PATIENT)) as pool:
        yield {case: pool.submit(case, patient if case in OF_THE_PATIENT else slow) for case in CASES + OF_THE_PATIENT}


@pytest.mark.parametrize("case", CASES + OF_THE_PATIENT, ids=lambda case: case.__name__)
def test_deadline(running, slow, case):
    running[case].result(timeout=60)
    assert slow.ask(get(b"/now")).body == b"now\n"
