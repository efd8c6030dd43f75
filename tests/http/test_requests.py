"""What well-behaved clients may expect: targets, queries, keep-alive, pipelines, half-closing, HEAD, Expect."""
import re
import time

import pytest

from raw import Closed, HOST, get, post, readable

UUID7 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")


def seen(server, data):
    r = server.ask(data)
    assert r.status == 200, r
    fields, params = {}, []
    for text in r.body.decode().splitlines():
        name, value = text.split(" ", 1)
        if name == "param":
            params.append(value)
        else:
            fields[name] = value
    return fields, params


def test_origin_form(server):
    fields, params = seen(server, get(b"/seen?a=1"))
    assert fields["method"] == "GET 0" and fields["path"] == "/seen" and fields["raw_path"] == "/seen"
    assert fields["raw_query"] == "a=1" and params == ["[a] [1] 1"] and fields["fault"] == "(none)"
    assert fields["peer"] == "127.0.0.1 1" and fields["body"] == "0 0"


@pytest.mark.parametrize("target, path, raw_path, query", [
    (b"/%73een", "/seen", "/%73een", None),
    (b"http://h/seen?a", "/seen", "/seen", "a"),
    (b"HTTP://h:1/%73een", "/seen", "/%73een", None),
    (b"https://[::1]:8080/seen", "/seen", "/seen", None),
])
def test_forms(server, target, path, raw_path, query):
    fields, _ = seen(server, get(target))
    assert (fields["path"], fields["raw_path"]) == (path, raw_path)
    assert fields["raw_query"] == (query or "(none)")


@pytest.mark.parametrize("method, target, path, raw_path", [
    (b"OPTIONS", b"*", "*", "*"),
    (b"OPTIONS", b"http://h", "*", "*"),
    (b"CONNECT", b"h:443", "/", "h:443"),
    (b"TRACE", b"/a%2Fb", "/a/b", "/a%2Fb"),
    (b"get", b"/x", "/x", "/x"),
    (b"PURGE", b"/a+b", "/a+b", "/a+b"),
    (b"LOCK", b"http://h", "/", "/"),
    (b"LOCK", b"http://h?x", "/", "/"),
    (b"LOCK", b"/%C3%A4/\xc3\xa4", "/ä/ä", "/%C3%A4/ä"),
    (b"LOCK", b"/a//b/../c;d=e,f", "/a//b/../c;d=e,f", "/a//b/../c;d=e,f"),
])
def test_other_methods(server, method, target, path, raw_path):
    data = get(target, method=method)
    if method == b"CONNECT":
        r = server.ask(data)
        assert r.status == 405 and b"path /\nraw_path h:443\n" in r.body
        return
    fields, _ = seen(server, data)
    assert (fields["path"], fields["raw_path"]) == (path, raw_path)


def test_query(server):
    fields, params = seen(server, get(b"/seen?b&c=&d=a+b%20c&a=1&a=2&%C3%A4=%c3%a4&e=f=g&h=%2B%26%3D"))
    assert fields["fault"] == "(none)"
    assert params == ["[b] [] 0", "[c] [] 0", "[d] [a b c] 5", "[a] [1] 1", "[a] [2] 1", "[ä] [ä] 2", "[e] [f=g] 3",
                      "[h] [+&=] 3"]


def test_empty_query(server):
    fields, params = seen(server, get(b"/seen?"))
    assert fields["raw_query"] == "" and params == [] and fields["fault"] == "(none)"


@pytest.mark.parametrize("query, fault", [
    (b"a=%zz", "percent sign"), (b"a=%2", "percent sign"), (b"a=%", "percent sign"), (b"%4=1", "percent sign"),
    (b"a=%00", "%00"), (b"%00", "%00"), (b"a=%ff", "UTF-8"), (b"a=%ed%a0%80", "UTF-8"), (b"%c0%80=1", "UTF-8"),
    (b"=v", "without a name"), (b"&&", "without a name"), (b"a=1&", "without a name"), (b"a=1&&b=2", "without a name"),
    (b"a&" * 1001, "1,000 parameters"),
])
def test_faults_of_a_query(server, query, fault):
    fields, _ = seen(server, get(b"/seen?" + query))
    assert fault in fields["fault"], fields
    assert fields["path"] == "/seen"


def test_repeated_headers_are_joined(server):
    fields, _ = seen(server, get(b"/seen", b"X-Test: a\r\nx-test: b, c\r\nX-TEST:\r\n"))
    assert fields["test"] == "3 a, b, c, "


@pytest.mark.parametrize("own", [b"a", b"A-b_c.d:e", b"x" * 128, b"0"])
def test_own_request_id(server, own):
    assert server.ask(get(b"/now", b"X-Request-Id: " + own + b"\r\n")).headers["x-request-id"] == [own.decode()]


@pytest.mark.parametrize("own", [b"", b"a b", b"x" * 129, b"a,b", b"a\xc3\xa4", b"a\"b", b"<a>", b"a\r\nX-Request-Id: b"])
def test_bad_request_id_is_replaced(server, own):
    ids = server.ask(get(b"/now", b"X-Request-Id: " + own + b"\r\n")).headers["x-request-id"]
    assert len(ids) == 1 and UUID7.match(ids[0])


def test_refusals_have_the_request_id_too(server):
    r = server.ask(get(b"/%00", b"X-Request-Id: mine\r\n"))
    assert r.status == 400 and r.headers["x-request-id"] == ["mine"] and r.headers["connection"] == ["close"]


def test_keep_alive(server):
    with server.client() as c:
        for i in range(50):
            r = c.ask(get(b"/now") if i % 2 else get(b"/later?ms=1"))
            assert r.status == 200 and "connection" not in r.headers
        assert c.ask(get(b"/now", b"Connection: close\r\n")).headers["connection"] == ["close"]
        assert c.closed() == b""


def test_http_1_0(server):
    with server.client() as c:
        assert c.ask(b"GET /now HTTP/1.0\r\n\r\n").body == b"now\n"
        assert c.closed() == b""
    with server.client() as c:
        for _ in range(3):
            assert c.ask(b"GET /now HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").body == b"now\n"


def test_pipelines(server):
    chunked = b"POST /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    asked = [(get(b"/now"), b"now\n"), (get(b"/later?ms=30"), b"later\n"), (post(b"/echo", b"hello"), b"hello"),
             (get(b"/later?ms=1"), b"later\n"), (chunked, b"abcde"), (post(b"/gate?ms=20", b"gate"), b"gate"),
             (get(b"/large?n=100000"), b"x" * 100000), (chunked, b"abcde"), (post(b"/spool", b"\1\2"), b"2 3\n"),
             (get(b"/now"), b"now\n")]
    with server.client() as c:
        c.send(b"".join(data for data, _ in asked))
        for _, body in asked:
            assert c.response().body == body
        c.send(get(b"/later?ms=1") * 100)
        assert [c.response().body for _ in range(100)] == [b"later\n"] * 100


def test_pipeline_in_odd_pieces(server):
    data = (get(b"/now") + post(b"/echo", b"0123456789") + get(b"/later?ms=2")) * 20
    with server.client() as c:
        for i in range(0, len(data), 37):
            c.send(data[i:i + 37])
        for _ in range(20):
            assert [c.response().body for _ in range(3)] == [b"now\n", b"0123456789", b"later\n"]


@pytest.mark.parametrize("others", [0, 3])
@pytest.mark.parametrize("data, body", [
    (get(b"/now"), b"now\n"), (get(b"/later?ms=100"), b"later\n"), (post(b"/echo", b"hello"), b"hello"),
    (post(b"/gate?ms=100", b"hello"), b"hello"), (get(b"/large?n=3000000"), b"x" * 3000000),
    (get(b"/later?ms=50") + get(b"/later?ms=50"), b"later\n"),
])
@pytest.mark.parametrize("pause", [0, 0.05])
def test_half_closed_clients_get_their_answer(server, data, body, pause, others):
    """Also beside connections that were silent for longer: the library treats the one that was silent longest differently."""
    older = [server.client() for _ in range(others)]
    for c in older:
        c.ask(get(b"/now"))
    with server.client() as c:
        c.send(data)
        if pause:
            readable(c.socket, pause)
        c.half_close()
        for _ in range(data.count(HOST)):
            assert c.response().body == body
        began = time.monotonic()
        assert c.closed() == b""
        assert time.monotonic() - began < 0.8
    for c in older:
        c.socket.close()


def test_head(server):
    with server.client() as c:
        for _ in range(2):
            r = c.ask(get(b"/large?n=1000", method=b"HEAD"), bodyless=True)
            assert r.status == 200 and r.headers["content-length"] == ["1000"]
        assert c.ask(get(b"/now")).body == b"now\n"


def test_answers_without_a_body(server):
    with server.client() as c:
        r = c.ask(get(b"/nothing"))
        assert r.status == 204 and "content-length" not in r.headers and "transfer-encoding" not in r.headers
        r = c.ask(get(b"/unchanged"))
        assert r.status == 304 and r.headers.get("content-length", ["0"]) == ["0"]
        assert c.ask(get(b"/now")).body == b"now\n"


def test_expect_100_continue(server):
    with server.client() as c:
        for value in (b"100-continue", b"100-Continue"):
            c.send(get(b"/echo", b"Content-Length: 5\r\nExpect: " + value + b"\r\n", b"POST"))
            assert c.head()[0] == 100
            assert c.ask(b"hello").body == b"hello"


def test_expect_answered_without_the_body(server):
    with server.client() as c:
        r = c.ask(get(b"/early", b"Content-Length: 5\r\nExpect: 100-continue\r\n", b"POST"))
        assert r.status == 401
        assert c.closed() == b""


def test_an_early_answer_reaches_who_is_still_sending(server):
    for _ in range(5):
        with server.client() as c:
            c.send(get(b"/early", b"Content-Length: 8000000\r\n", b"POST"))
            try:
                c.send(b"x" * 8000000)
            except ConnectionError:
                pass
            assert c.response().status == 401


def test_large_answers(server):
    with server.client() as c:
        for n in (0, 1, 65536, 5_000_000):
            assert len(c.ask(get(b"/large?n=%d" % n)).body) == n


def test_who_reads_nothing_harms_nobody(server):
    stuck = [server.client() for _ in range(20)]
    for c in stuck:
        c.send(get(b"/large?n=15000000") + get(b"/now") * 50)
    for _ in range(20):
        assert server.ask(get(b"/later?ms=1")).body == b"later\n"
    for c in stuck:
        c.socket.close()


def test_who_leaves_early_harms_nobody(server):
    for data in (b"", b"GE", get(b"/later?ms=20"), post(b"/echo", b"hello")[:-2], post(b"/gate?ms=20", b"hello"),
                 get(b"/large?n=5000000"), get(b"/later?ms=20") * 5):
        for linger in (False, True):
            c = server.client()
            c.send(data)
            if linger:  # a reset instead of an end
                c.socket.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")
            c.socket.close()
    assert server.ask(get(b"/later?ms=60")).body == b"later\n"


def test_no_busy_waiting(server):
    """A connection that waits costs nothing, whatever it waits for."""
    waiting = [server.client() for _ in range(6)]
    for c, data in zip(waiting, (get(b"/later?ms=900"), b"GET /now HT", get(b"/now"), post(b"/echo", b"hello")[:-1],
                                 post(b"/gate?ms=900", b"hello"), get(b"/large?n=15000000"))):
        c.send(data)
    readable(waiting[0].socket, 0.2)
    before = server.cpu_ticks()
    assert waiting[0].response().body == b"later\n"
    assert server.cpu_ticks() - before <= 10
    for c in waiting:
        c.socket.close()


def test_ipv6(start):
    try:
        s = start(address="::1")
    except AssertionError:
        pytest.skip("no IPv6 here")
    from raw import Client
    with Client(s.port, host="::1") as c:
        assert b"peer ::1 1" in c.ask(get(b"/seen")).body
    s = start(address="::")
    with Client(s.port) as c:
        assert b"peer 127.0.0.1 1" in c.ask(get(b"/seen")).body


def test_a_second_service_on_the_port_is_noticed(start, program):
    import subprocess
    s = start()
    second = subprocess.run([program, "--port", str(s.port)], capture_output=True, timeout=10, check=False)
    assert second.returncode == 2 and b"exists already" in second.stderr
    for address, port in (("1.2.3.4", "0"), ("localhost", "0"), ("127.0.0.1.", "0")):
        wrong = subprocess.run([program, "--address", address, "--port", port], capture_output=True, timeout=10, check=False)
        assert wrong.returncode == 2


def test_the_library_answers_the_rest(server):
    """What never reaches a handler still leaves the server in order."""
    for data in (b"\0" * 100, b"\r\n" * 5000, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 30, b"A" * 70000,
                 b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
        with server.client() as c:
            try:
                c.send(data)
                c.half_close()
                c.closed()
            except (Closed, OSError):
                pass
    assert server.ask(get(b"/now")).status == 200
