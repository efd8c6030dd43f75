"""Many connections: those that wait cost nobody else an answer."""
import resource
import threading
import time

import pytest

from raw import Closed, get, post, readable, wait_until


@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 6000:
        pytest.skip("too few file descriptors allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def memory_kb(s):
    with open(f"/proc/{s.process.pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))


def test_2000_idle_connections(start, many_files):
    s = start(max_connections=4096)
    idle = []
    for i in range(2000):
        c = s.client()
        if i % 4 == 1:
            c.send(b"GET /no")
        elif i % 4 == 2:
            assert c.ask(get(b"/now")).status == 200
        elif i % 4 == 3:
            c.send(get(b"/silent"))
        idle.append(c)
    wait_until(lambda: s.open_files() > 2000, "all accepted")
    began = time.monotonic()
    for _ in range(100):
        assert s.ask(get(b"/later?ms=1")).body == b"later\n"
    assert time.monotonic() - began < 10
    before = s.cpu_ticks()
    deadline = time.monotonic() + 3  # three sweeps
    while time.monotonic() < deadline:
        time.sleep(0.1)
    assert s.cpu_ticks() - before < 60
    for c in idle[2::4]:
        assert c.ask(get(b"/now")).status == 200
    for c in idle:
        c.socket.close()


def test_the_limit_and_who_makes_room(start):
    """At the limit newcomers wait until those that have been idle longest are closed for them."""
    s = start(max_connections=32)
    busy = [s.client() for _ in range(8)]
    for c in busy:
        c.send(get(b"/later?ms=4000"))
    idle = [s.client() for _ in range(24)]
    for c in idle:
        assert c.ask(get(b"/now")).status == 200
    began = time.monotonic()
    newcomers = [s.client() for _ in range(4)]
    for c in newcomers:
        c.send(get(b"/now"))
    for c in newcomers:
        assert c.response().body == b"now\n"
    assert time.monotonic() - began < 5
    for c in busy:
        assert c.response().body == b"later\n"
    assert idle[0].closed() == b""
    for c in busy + idle + newcomers:
        c.socket.close()


def test_who_is_slow_makes_room(start):
    """Clients that keep a request or an answer unfinished have a sixth of the patience while others wait for their place."""
    s = start(max_connections=16, slow_grace=6)
    held = [s.client(receive_buffer=4096) for _ in range(16)]
    for i, c in enumerate(held):
        c.send([get(b"/now")[:-2], post(b"/echo", b"12345")[:-1], post(b"/spool", b"12345")[:-1],
                get(b"/large?n=15000000")][i % 4])
    began = time.monotonic()
    with s.client() as c:
        assert c.ask(get(b"/now")).body == b"now\n"
    assert time.monotonic() - began < 5
    # some made room, and were told why; as soon as there is room again the others have their time
    told = [c for i, c in enumerate(held) if i % 4 != 3 and readable(c.socket, 0)]
    assert told and {c.response().status for c in told} == {408}
    for c in held:
        c.socket.close()


def test_many_at_once(start):
    s = start()
    failures = []

    def client(i):
        try:
            with s.client() as c:
                for n in range(20):
                    if c.ask(get(b"/later?ms=%d" % ((i + n) % 7))).body != b"later\n":
                        failures.append(i)
        except (Closed, OSError) as e:
            failures.append(e)

    threads = [threading.Thread(target=client, args=(i,)) for i in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures, failures[:5]
    assert sum("/later" in line and line.endswith("completed") for line in s.end()) == 800
