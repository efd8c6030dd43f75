"""SIGTERM: whoever got a connection gets an answer, and the end comes in time whatever clients do."""
import socket
import threading
import time

import pytest

from raw import HOST, Closed, Client, get, post, wait_until


class Load(threading.Thread):
    """Asks again and again, on kept-alive connections or on new ones, until nobody listens any more. A connection that ends
    without having said `Connection: close` in its last answer is a failure, and so is a refused answer."""

    def __init__(self, s, number):
        super().__init__()
        self.port, self.number = s.port, number
        self.answers, self.failures, self.over = 0, [], threading.Event()

    def run(self):
        while not self.over.is_set():
            try:
                c = Client(self.port)
            except (ConnectionRefusedError, TimeoutError):
                return
            with c:
                self.ask(c)

    def ask(self, c):
        kinds = (get(b"/now"), get(b"/later?ms=3"), post(b"/echo", b"x" * 5000), post(b"/spool", b"x" * 70000),
                 get(b"/large?n=200000"))
        for n in range(7 if self.number % 2 else 1):
            try:
                r = c.ask(kinds[(self.number + n) % len(kinds)])
            except (Closed, OSError) as e:
                self.failures.append(f"{self.number}: {e!r} in request {n} of a connection")
                return
            self.answers += 1
            if r.status != 200:
                self.failures.append(r)
            if r.headers.get("connection") == ["close"]:
                return


@pytest.mark.parametrize("limit", [4096, 8])
def test_under_load(start, limit):
    s = start(max_connections=limit)
    clients = [Load(s, i) for i in range(16)]
    for c in clients:
        c.start()
    wait_until(lambda: sum(c.answers for c in clients) > 300, "load")
    began = time.monotonic()
    s.terminate()
    for c in clients:
        c.join(15)
        c.over.set()
    lines = s.end()
    assert time.monotonic() - began < 10
    failures = [f for c in clients for f in c.failures]
    assert not failures, failures[:5]
    assert sum(line.endswith("completed") for line in lines) == sum(c.answers for c in clients)
    assert not [line for line in lines if not line.endswith("completed")]


def test_waiting_requests_finish(start):
    s = start()
    with s.client() as a, s.client() as b, s.client() as c:
        a.send(get(b"/later?ms=1500") + get(b"/now"))
        b.send(post(b"/gate?ms=1000", b"hello"))
        c.send(post(b"/echo", b"hello")[:-2])
        assert s.ask(get(b"/now")).status == 200
        s.terminate()
        # The socket stays open for handshakes under way, then closes: nobody new gets in.
        wait_until(lambda: refused(s.port), "the port closed")
        c.send(b"lo")
        for client, body in ((c, b"hello"), (b, b"hello"), (a, b"later\n")):
            r = client.response()
            assert r.body == body and r.headers["connection"] == ["close"]
            assert client.closed() == b""
    s.end()


def refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=3).close()
    except (ConnectionRefusedError, TimeoutError):
        return True
    return False


def test_idle_connections_are_closed_soon(start):
    s = start(drain_ms=8000)
    idle = [s.client() for _ in range(20)]
    for c in idle[::2]:
        c.ask(get(b"/now"))
    assert s.ask(get(b"/now")).status == 200
    began = time.monotonic()
    s.terminate()
    # A kept-alive connection on which something comes is still served, once.
    assert idle[0].ask(get(b"/now")).headers["connection"] == ["close"]
    for c in idle:
        assert c.closed() == b""
    s.end()
    assert time.monotonic() - began < 5


def test_what_never_ends_is_ended(start):
    s = start(drain_ms=1500)
    silent, body, spool, head, gate, reader = (s.client() for _ in range(6))
    silent.send(get(b"/silent"))
    body.send(post(b"/echo", b"hello")[:-2])
    spool.send(get(b"/spool", b"Content-Length: 1000000\r\n", b"POST") + b"x" * 500000)
    head.send(b"GET /now HT")
    gate.send(post(b"/gate?ms=100000", b"hello"))
    reader.send(get(b"/large?n=15000000"))
    assert s.ask(get(b"/later?ms=100")).status == 200
    began = time.monotonic()
    s.terminate()
    for c in (silent, body, spool, gate):
        r = c.response()
        assert r.status == 503 and r.headers["connection"] == ["close"], r
    assert head.closed() == b""
    lines = s.end()
    assert 1 < time.monotonic() - began < 6
    assert sum(" 503 " in line for line in lines) == 4
    assert [line for line in lines if "/large" in line][0].endswith("aborted")
    for c in (silent, body, spool, head, gate, reader):
        c.socket.close()


def test_dripping_clients_do_not_hold_it(start):
    s = start(drain_ms=1500)
    c, stop = s.client(), threading.Event()

    def drip():
        try:
            c.send(b"GET /now HTTP/1.1\r\n" + HOST + b"A: ")
            while not stop.is_set():
                c.send(b"a")
                stop.wait(0.05)
        except OSError:
            pass

    t = threading.Thread(target=drip)
    t.start()
    assert s.ask(get(b"/now")).status == 200
    began = time.monotonic()
    s.end()
    stop.set()
    t.join()
    assert time.monotonic() - began < 6
    c.socket.close()


def test_the_queue_behind_the_limit_is_served(start):
    """More have connected than may be served at once: those who wait in the accept queue are not lost."""
    s = start(max_connections=4, drain_ms=8000)
    clients = [s.client() for _ in range(24)]
    for c in clients:
        c.send(get(b"/later?ms=100"))
    assert clients[0].response().body == b"later\n"
    s.terminate()
    for c in clients[1:]:
        assert c.response().body == b"later\n"
    for c in clients:
        c.socket.close()
    s.end()


def test_end_without_anybody(start):
    s = start()
    began = time.monotonic()
    s.end()
    assert time.monotonic() - began < 3
