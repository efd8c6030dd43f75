"""The change feed as a stream of server-sent events, read from the bare socket."""

import re
import resource
import selectors
import signal
import socket
import threading
import time

import pytest

from cluster import Cluster
from lodebase import eventually, loads, new_epoch, shareholder, unique

STREAMS = 1000


class Stream:
    """GET /v1/changes/stream; what has come so far is taken apart line by line."""

    def __init__(self, service, query="", key=None, headers=(), method="GET", receive=None):
        self.socket = socket.socket()
        if receive:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        self.socket.connect((service.host, service.port))
        lines = [f"{method} /v1/changes/stream{query} HTTP/1.1", "Host: localhost", *headers]
        if key:
            lines.append(f"Authorization: Bearer {key}")
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.raw, self.body, self.status, self.head = b"", b"", None, ""
        self.closed, self.whole = False, False
        self.events, self.comments, self.ids = [], 0, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def take(self, seconds):
        """Waits for more bytes, or the end. False: nothing came in that time."""
        self.socket.settimeout(max(seconds, 0.001))
        try:
            data = self.socket.recv(1 << 16)
        except (TimeoutError, BlockingIOError):
            return False
        except ConnectionResetError:
            data = b""
        self.feed(data)
        return True

    def feed(self, data):
        self.closed = self.closed or not data
        self.raw += data
        if self.status is None and b"\r\n\r\n" in self.raw:
            head, self.raw = self.raw.split(b"\r\n\r\n", 1)
            self.head = head.decode()
            self.status = int(self.head.split()[1])
        if self.status == 200:
            self._chunks()

    def _chunks(self):
        while b"\r\n" in self.raw:
            size, rest = self.raw.split(b"\r\n", 1)
            n = int(size, 16)
            if len(rest) < n + 2:
                break
            assert rest[n:n + 2] == b"\r\n"
            self.whole = self.whole or n == 0
            self.body, self.raw = self.body + rest[:n], rest[n + 2:]
        while b"\n\n" in self.body:
            block, self.body = self.body.split(b"\n\n", 1)
            self._block(block.decode())

    def _block(self, block):
        assert "\r" not in block
        fields = {}
        for line in block.split("\n"):
            if line.startswith(":"):
                self.comments += 1
                continue
            name, value = line.split(": ", 1)
            assert name not in fields, block
            fields[name] = value
        if fields:
            assert list(fields) == ["id", "event", "data"] and fields["event"] == "change", block
            item = loads(fields["data"])
            assert item["position"] == fields["id"]
            self.events.append(item)

    def until(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition(self):
            assert not self.closed, f"the stream ended after {len(self.events)} events: {self.head} {self.raw[:500]!r}"
            assert time.monotonic() < end, f"not within {seconds} s; {len(self.events)} events, {self.comments} comments\n{self.head}"
            self.take(end - time.monotonic())
        return self

    def begun(self):
        """The headers and the greeting are there."""
        return self.until(lambda s: s.status == 200 and s.comments > 0)

    def wait(self, n, seconds=20):
        self.until(lambda s: len(s.events) >= n, seconds)
        return self.events

    def ended(self, seconds):
        end = time.monotonic() + seconds
        while not self.closed and time.monotonic() < end:
            self.take(end - time.monotonic())
        return self.closed

    def header(self, name):
        found = re.search(rf"^{name}: (.*?)\r?$", self.head, re.I | re.M)
        return found and found.group(1)


def write(api, n=1):
    return [api.post("/v1/shareholders", shareholder(), expect=201).json for _ in range(n)]


def position(api, **params):
    return api.get("/v1/changes", {"after": "now", **params}, expect=200).json["next_after"]


@pytest.fixture(scope="module")
def base(own_service):
    return own_service.conninfo.split("dbname=")[1].split()[0]


# --- what it says ----------------------------------------------------------------------------------------------------

def test_a_stream_tells_what_the_feed_tells(own, own_service):
    after = position(own)
    with Stream(own_service).begun() as s:
        assert s.header("Content-Type") == "text/event-stream" and s.header("Transfer-Encoding") == "chunked"
        assert s.header("X-Request-Id") and s.header("Server-Timing") and s.header("Vary") and s.header("Cache-Control") == "no-store"
        made = write(own, 3)
        changed = own.patch(f"/v1/shareholders/{made[0]['id']}", {"name": "Line\nend", "description": "a\r\n\r\nb\u2028c"}, expect=200).json
        own.delete(f"/v1/shareholders/{made[1]['id']}", expect=204)
        events = s.wait(5)
        assert [e["record"] for e in events] == [*made, changed, None]
        assert events[-1]["slug"] == made[1]["slug"]
    assert own.get("/v1/changes", {"after": after}, expect=200).items == events


def test_where_it_begins(own, own_service):
    first, second, third = (write(own)[0] for _ in range(3))
    items = eventually(lambda: [i for i in own.get("/v1/changes", {"after": after_of(own, first)}, expect=200).items], what="the rest")
    eventually(lambda: len(own.get("/v1/changes", {"after": after_of(own, first)}, expect=200).items) == 2)
    one = after_of(own, first)
    items = own.get("/v1/changes", {"after": one}, expect=200).items
    two = items[0]["position"]
    with Stream(own_service, f"?after={one}") as s:
        assert [e["record"] for e in s.wait(2)] == [second, third]
    with Stream(own_service, f"?after={one}", headers=[f"Last-Event-ID: {two}"]) as s:  # what was seen counts more
        assert s.wait(1)[0]["record"] == third
    with Stream(own_service, headers=[f"last-event-id: {two}"]) as s:
        assert s.wait(1)[0]["record"] == third
    for query in ("", "?after=now"):
        with Stream(own_service, query).begun() as s:
            fourth = write(own)[0]
            assert s.wait(1)[0]["record"] == fourth
    everything = own.get("/v1/changes", {"limit": 500}, expect=200).items
    base_, given = everything[0]["position"].split("-")[:2]
    with Stream(own_service, f"?after={base_}-{given}-0-0-0") as s:
        assert s.wait(len(everything))[:len(everything)] == everything


def after_of(api, record):
    items, after = [], None
    while True:
        body = api.get("/v1/changes", {"limit": 500, **({"after": after} if after else {})}, expect=200).json
        for i in body["items"]:
            if i["id"] == record["id"]:
                return i["position"]
        after = body["next_after"]


def test_resources(own, own_service):
    with Stream(own_service, "?resource=projects,stakes").begun() as s, Stream(own_service, "?resource=shareholders").begun() as t:
        holder = write(own)[0]
        plant = own.post("/v1/projects", {"slug": unique("pr"), "name": "P", "kind": "mine", "status": "proposed"}, expect=201).json
        own.post("/v1/stakes", {"holder_id": holder["id"], "project_id": plant["id"], "instrument": "option", "stage": "loi"}, expect=201)
        assert [e["resource"] for e in s.wait(2)] == ["projects", "stakes"]
        last = write(own)[0]
        assert [e["record"]["id"] for e in t.wait(2)] == [holder["id"], last["id"]]
        assert len(s.events) == 2


def test_after_a_disconnect_nothing_is_missed(own, own_service):
    seen, made, last = [], [], position(own)
    for round_ in range(4):
        made += write(own, 2)
        with Stream(own_service, headers=[f"Last-Event-ID: {last}"]) as s:
            s.wait(2)
            made += write(own, 2)
            seen += s.wait(3 if round_ % 2 else 4)  # sometimes gone before the last one came
        last = seen[-1]["position"]
    with Stream(own_service, headers=[f"Last-Event-ID: {last}"]) as s:
        missing = len(made) - len({e["id"] for e in seen})
        seen += s.wait(missing) if missing else []
    assert [e["record"] for e in seen] == made


def test_faults(own, own_service, closed):
    foreign = closed.client(closed.key("read")).get("/v1/changes", {"after": "now"}, expect=200).json["next_after"]
    path = "/v1/changes/stream"
    for params in ({"after": "x"}, {"resource": "nothing"}, {"limit": "1"}, {"known_at": "now"}, {"resource": ","}):
        assert own.get(path, params, expect=400).places == set(params)
    assert own.get(path, headers={"Last-Event-ID": "x"}, expect=400).places == {"Last-Event-ID"}
    assert own.get(path, headers={"Last-Event-ID": "now"}, expect=400).places == {"Last-Event-ID"}
    assert own.get(path, {"after": foreign}, expect=410).type == "position-expired"
    assert own.get(path, headers={"Last-Event-ID": foreign}, expect=410).type == "position-expired"
    own.get(path, headers={"Accept": "application/json"}, expect=406)
    closed.client().get(path, expect=401)
    own.post(path, {}, expect=405)
    assert own.head(path, headers={"Accept": "text/event-stream"}, expect=200).body == b""
    own.head(path + "?after=x", expect=400)
    with Stream(own_service, method="HEAD") as s:
        s.until(lambda s: s.status == 200)
        assert "text/event-stream" in s.head


def test_large_records_do_not_stop_a_stream(own, own_service):
    """More than a page of them is more than what may wait for a client."""
    last = position(own)
    big = {"description": "\U0001f30d" * 20000, "aliases": [f"{i:03d}" + "\U0001f30d" * 200 for i in range(900)]}
    own.post("/v1/import", {"shareholders": [shareholder(**big) for _ in range(12)]}, expect=200)
    with Stream(own_service, f"?after={last}") as s:
        assert len({e["id"] for e in s.wait(12, 60)}) == 12
        assert all(e["record"]["aliases"] == big["aliases"] for e in s.events)


# --- keeping up, silence, going away ------------------------------------------------------------------------------------

def test_a_comment_comes_at_least_every_15_seconds(own_service):
    with Stream(own_service).begun() as s:
        before = s.comments
        s.until(lambda s: s.comments > before, 16)


def test_half_closed_and_gone_clients(own, own_service):
    """A client that sends no more may still read; one that went is let go of."""
    with Stream(own_service).begun() as half, Stream(own_service).begun() as good:
        half.socket.shutdown(socket.SHUT_WR)
        for how in ("close", "reset"):
            s = Stream(own_service).begun()
            if how == "reset":
                s.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            s.socket.close()
        made = write(own, 2)
        assert [e["record"] for e in good.wait(2)] == made
        while len(half.events) < 2 and not half.closed:  # served on, or ended: never left hanging
            assert half.take(20)
        assert [e["record"] for e in half.events] in (made, [])


def open_connections(service):
    text = service.client(calm=False).get("/metrics").body.decode()
    return int(float(re.search(r"^lodebase_http_connections(?:\{.*\})? (\S+)", text, re.M).group(1)))


def test_a_slow_reader_hurts_nobody(own, own_service):
    """One takes nothing at all; the others get everything at once; when it reads on it has lost nothing, or was cut off."""
    last = position(own)
    with Stream(own_service, receive=4096).begun() as slow, Stream(own_service).begun() as quick:
        rounds = 12
        for _ in range(rounds):
            own.post("/v1/import", {"shareholders": [shareholder(description="x" * 20000) for _ in range(50)]}, expect=200)
            started = time.monotonic()
        made = rounds * 50
        quick.wait(made, 60)
        assert time.monotonic() - started < 20
        while len(slow.events) < made and not slow.closed:
            assert slow.take(30)
        assert slow.events == quick.events[:len(slow.events)]
        with Stream(own_service, headers=[f"Last-Event-ID: {slow.events[-1]['position'] if slow.events else last}"]) as again:
            rest = again.wait(made - len(slow.events)) if made > len(slow.events) else []
        assert slow.events + rest == quick.events


def test_a_revoked_key_ends_its_stream(own, own_service):
    key, other = own_service.key("read", "to-go"), own_service.key("read", "to-stay")
    with Stream(own_service, key=key).begun() as s, Stream(own_service, key=other).begun() as stays, Stream(own_service).begun() as open_:
        own_service.revoke(key)
        revoked = time.monotonic()
        assert s.ended(3)
        assert time.monotonic() - revoked < 2  # a second, and what this machine takes
        assert not s.whole, "cut, not ended"
        made = write(own)
        assert [e["record"] for e in stays.wait(1)] == [e["record"] for e in open_.wait(1)] == made

    def status():
        with Stream(own_service, key=key) as again:
            return again.until(lambda s: s.status).status

    eventually(lambda: status() == 401, 3, "the key to be unknown on every worker")


def test_several_instances_tell_the_same(own, own_service, start, cluster, base):
    with start(cluster.conninfo(base), "stream-second", "--workers", "2") as second:
        other = second.client(own.key)
        with Stream(own_service).begun() as a, Stream(second).begun() as b, Stream(second).begun() as c:
            made = []
            for i in range(10):
                made += write(own if i % 2 else other)
            assert [e["record"] for e in a.wait(10)] == made
            assert a.events == b.wait(10) == c.wait(10)
            began = time.monotonic()
            write(own)
            a.wait(11)
            here = time.monotonic() - began
            b.wait(11)
            print(f"an event took {here * 1000:.0f} ms here, {(time.monotonic() - began) * 1000:.0f} ms at the other instance")


def test_writers_and_streams_at_once(own, own_service):
    """Every stream tells every change once, in one order, also those that come and go."""
    last, made, lock = position(own), [], threading.Lock()

    def writer(n):
        for _ in range(n):
            record = write(own)[0]
            with lock:
                made.append(record["id"])

    seen = [[] for _ in range(4)]
    threads = [threading.Thread(target=writer, args=(25,)) for _ in range(4)]

    def reader(i):
        at = last
        while len(seen[i]) < 100:
            with Stream(own_service, headers=[f"Last-Event-ID: {at}"]) as s:
                wanted = 100 - len(seen[i])
                seen[i].extend(s.wait(min(wanted, 10 + 20 * i)))
                at = seen[i][-1]["position"]

    threads += [threading.Thread(target=reader, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert all(not t.is_alive() for t in threads)
    assert [s["id"] for s in seen[0]] == [s["id"] for s in seen[1]] == [s["id"] for s in seen[2]] == [s["id"] for s in seen[3]]
    assert sorted(s["id"] for s in seen[0]) == sorted(made)


# --- many, and the end ------------------------------------------------------------------------------------------------

def rss(service):
    with open(f"/proc/{service.process.pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < STREAMS + 200:
        pytest.skip("the system gives too few files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, STREAMS + 200), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_thousand_idle_streams(own, own_service, cluster, base, many_files):
    def database():
        return cluster.execute("select count(*) from pg_stat_activity where datname = %s", (base,))[0][0]

    key = own_service.key("read", "many")
    write(own)
    connections, memory = database(), rss(own_service)
    streams = [Stream(own_service, key=key if i % 2 else None) for i in range(STREAMS)]  # all at once, as after a restart
    try:
        for s in streams:
            s.begun()
        per_stream = (rss(own_service) - memory) / STREAMS
        assert database() <= connections + 2, "streams hold connections"
        made, began = write(own)[0], time.monotonic()
        waiting, first = selectors.DefaultSelector(), None
        for s in streams:
            s.socket.setblocking(False)
            waiting.register(s.socket, selectors.EVENT_READ, s)
        while waiting.get_map():
            assert time.monotonic() - began < 30
            for event, _ in waiting.select(1):
                s = event.data
                s.take(0)
                if s.events:
                    first = first or time.monotonic() - began
                    waiting.unregister(s.socket)
                assert not s.closed
        took = time.monotonic() - began
        assert all(s.events[0]["record"] == made for s in streams)
        print(f"{STREAMS} streams: {per_stream:.1f} KiB each, {database() - connections:+d} database connections; "
              f"an event was there after {first * 1000:.0f} ms, everywhere after {took * 1000:.0f} ms")
        assert per_stream < 100  # the sanitizers' own included
    finally:
        for s in streams:
            s.socket.close()
    eventually(lambda: open_connections(own_service) < STREAMS // 10, 30, "the service to let go of those that went")


def test_sigterm_ends_streams_whole(start, cluster, base):
    with start(cluster.conninfo(base), "ending", "--workers", "2") as s:
        idle = [Stream(s).begun() for _ in range(20)]
        slow = Stream(s, receive=4096).begun()
        began = time.monotonic()
        s.process.send_signal(signal.SIGTERM)
        for i in idle:
            assert i.ended(15)
            assert i.whole, "ended, not cut"
        s.stop()
        assert time.monotonic() - began < 15
        assert slow.ended(5)


def test_postgresql_away_and_back(start):
    with Cluster() as lone:
        lone.create_database("streamed")
        with start(lone.conninfo("streamed"), "streamed", "--workers", "1") as s:
            api = s.client(s.key("write"))
            with Stream(s).begun() as stream:
                first = write(api)
                last = stream.wait(1)[0]["position"]
                lone.stop("fast")
                lone.start()
                eventually(lambda: api.get("/v1/changes", {"limit": 1}, expect=(200, 503)).status == 200, 20, "the feed again")
                second = eventually(lambda: (a := api.post("/v1/shareholders", shareholder(), expect=(201, 503))).status == 201 and a.json,
                                    20, "writes again")
                # goes on, or was cut so that its client comes again
                while len(stream.events) < 2 and not stream.closed:
                    assert stream.take(20)
                if stream.closed:
                    with Stream(s, headers=[f"Last-Event-ID: {last}"]) as again:
                        stream.events += again.wait(1)
                assert [e["record"] for e in stream.events] == [*first, second]


def test_a_stream_of_an_old_epoch_ends_and_its_position_is_410(own, own_service, cluster, base):
    write(own)
    with Stream(own_service).begun() as s:
        write(own)
        last = s.wait(1)[0]["position"]
        new_epoch(cluster, base)
        made = write(own)[0]
        assert s.ended(20) and not s.whole and len(s.events) == 1
    own.get("/v1/changes/stream", headers={"Last-Event-ID": last}, expect=410)
    with Stream(own_service).begun() as s:
        made = write(own)
        assert [e["record"] for e in s.wait(1)] == made
