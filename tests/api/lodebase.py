"""What the API tests stand on: the service as a process, a client that never rounds a number and judges the form of every
answer, a raw socket for requests no client would send, and makers of small valid records."""

import http.client
import itertools
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
from decimal import Decimal

import openapi_check

CODES = set("""type format length range precision enum unknown read-only required reference exclusive incomplete order
    repeated taken referred""".split())
TYPES = {
    400: {"malformed"}, 401: {"unauthenticated"}, 403: {"forbidden"}, 404: {"not-found"}, 405: {"method-not-allowed"},
    406: {"not-acceptable"}, 409: {"conflict", "over-allocated", "referred"}, 410: {"position-expired"}, 412: {"precondition-failed"},
    413: {"too-large"}, 415: {"unsupported-media-type"}, 422: {"invalid", "closed-ring", "too-complex", "unbounded", "over-exercised"}, 428: {"precondition-required"},
    500: {"internal"}, 503: {"unavailable"}, 504: {"timeout"},
}
REQUEST_ID = re.compile(r"^[A-Za-z0-9._:-]{1,128}$")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
ORIGIN = "https://dashboard.example"  # may read across origins
NOBODY = "01890000-0000-7000-8000-000000000000"  # a UUID no record has
INTERNALS = re.compile(r"SQLSTATE|libpq|pg_|PGRES|psql|select .* from|constraint \"|relation \"|\.c:\d|Traceback", re.I)

SHAREHOLDER_FIELDS = """id slug version created_at updated_at name aliases kind country state lei isin identifiers website
    description""".split()
PROJECT_FIELDS = """id slug version created_at updated_at name kind status country region place latitude longitude
    operator_id operator company_id company capex_amount capex_currency start_year description""".split()
STAKE_FIELDS = """id slug version created_at updated_at holder_id holder issuer_id issuer project_id project instrument
    stage economic_pct economic_min_pct economic_max_pct shares_held shares_issued voting_pct voting_min_pct
    voting_max_pct contingent trigger_kind trigger dilutive counterparty_id counterparty valid_from valid_to amount
    currency financing_id financing note""".split()
FIELDS = {"shareholders": SHAREHOLDER_FIELDS, "projects": PROJECT_FIELDS, "stakes": STAKE_FIELDS}
READ_ONLY = {"id", "version", "created_at", "updated_at"}
SUMMARIES = {"shareholders": set(), "projects": {"operator", "company"},
             "stakes": {"holder", "issuer", "project", "counterparty", "financing"}}
HOLDER_KINDS = "company government government_body fund investment_vehicle joint_venture person unnamed".split()
PROJECT_KINDS = "mine concentrator smelter refinery separation chemical recycling magnet other".split()
STATUSES = """proposed announced approved permitting construction commissioning operating suspended cancelled
    closed""".split()
INSTRUMENTS = """common_equity preferred_equity convertible warrant option units other_equity
    voting_agreement""".split()
STAGES = "rumoured expected loi approved closed lapsed terminated".split()
TRIGGER_KINDS = "none date event threshold".split()


def writable(resource):
    return [f for f in FIELDS[resource] if f not in READ_ONLY and f not in SUMMARIES[resource]]


# --- JSON without binary floating point ------------------------------------------------------------------------------

class Token(str):
    """A piece of JSON that is sent as it stands: Token("1.50e1")."""


def dumps(value):
    if isinstance(value, Token):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return "{" + ", ".join(json.dumps(k) + ": " + dumps(v) for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(dumps(v) for v in value) + "]"
    if isinstance(value, float):
        raise TypeError("tests send no binary floating point")
    return json.dumps(value, ensure_ascii=False)


def _decimal(token):
    assert re.fullmatch(r"-?(0|[1-9]\d*)\.\d*[1-9]", token), f"not a canonical number: {token}"
    return Decimal(token)


def _integer(token):
    assert token != "-0", "a negative zero"
    return int(token)


def _constant(token):
    raise AssertionError(f"no JSON: {token}")


def _members(pairs):
    names = [k for k, _ in pairs]
    assert len(set(names)) == len(names), f"a member twice: {names}"
    return dict(pairs)


def loads(text):
    """Strict: every number canonical, no member twice."""
    return json.loads(text, parse_float=_decimal, parse_int=_integer, parse_constant=_constant,
                      object_pairs_hook=_members)


# --- waiting ---------------------------------------------------------------------------------------------------------

def eventually(check, seconds=20, what="the condition"):
    """Asks again until check() is truthy and returns that; fails with what was seen last when the time is over."""
    end = time.monotonic() + seconds
    while True:
        seen = check()
        if seen:
            return seen
        assert time.monotonic() < end, f"waited {seconds} s for {what}, saw {seen!r}"
        time.sleep(0.01)


def in_parallel(*calls):
    """Runs all at once and returns what they returned, in order; raises what one of them raised."""
    gate, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(i, call):
        gate.wait()
        try:
            results[i] = (call(), None)
        except BaseException as e:  # handed to the caller's thread
            results[i] = (None, e)

    threads = [threading.Thread(target=run, args=(i, c)) for i, c in enumerate(calls)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for _, error in results:
        if error:
            raise error
    return [value for value, _ in results]


# --- the client ------------------------------------------------------------------------------------------------------

class Answer:
    def __init__(self, method, target, status, headers, body, sent=b"", sent_headers=()):
        self.method, self.target, self.status, self.headers, self.body, self.sent, self.sent_headers = (
            method, target, status, headers, body, sent, list(sent_headers))
        self._json = None

    def header(self, name):
        """The header's values joined, or None."""
        values = [v for k, v in self.headers if k.lower() == name.lower()]
        return ", ".join(values) if values else None

    @property
    def path(self):
        return self.target.split("?", 1)[0]

    @property
    def json(self):
        if self._json is None:
            self._json = loads(self.body.decode("utf-8"))
        return self._json

    @property
    def etag(self):
        return self.header("ETag")

    @property
    def type(self):
        return self.json["type"].removeprefix("/problems/")

    @property
    def faults(self):
        """{(where, code)} of a problem."""
        return {(next(e[k] for k in ("pointer", "parameter", "header") if k in e), e["code"])
                for e in self.json["errors"]}

    @property
    def places(self):
        return {where for where, _ in self.faults}

    @property
    def items(self):
        return self.json["items"]

    def __str__(self):
        head = "".join(f"  {k}: {v}\n" for k, v in self.headers)
        return (f"{self.method} {self.target}\n  sent: {self.sent[:2000]!r}\n-> {self.status}\n{head}"
                f"  {self.body[:4000].decode('utf-8', 'replace')}")


def check_form(a, request_id=None):
    """What holds for every answer, whatever it answers."""
    sent_id = a.header("X-Request-Id")
    assert sent_id and REQUEST_ID.match(sent_id), f"no X-Request-Id\n{a}"
    if request_id is not None and REQUEST_ID.match(request_id):
        assert sent_id == request_id, f"not the request's own X-Request-Id\n{a}"
    timing = a.header("Server-Timing")
    assert timing and re.search(r"\bdb\b", timing) and re.search(r"\btotal\b", timing), f"no Server-Timing\n{a}"
    if a.status in (204, 304) or a.method == "HEAD":
        assert a.body == b"", f"a body where none may be\n{a}"
    if a.status == 401:
        assert (a.header("WWW-Authenticate") or "").startswith("Bearer"), f"401 without WWW-Authenticate\n{a}"
    if a.status == 405:
        assert a.header("Allow"), f"405 without Allow\n{a}"
    if a.status == 415 and a.method == "PATCH":
        assert "application/merge-patch+json" in (a.header("Accept-Patch") or ""), f"415 without Accept-Patch\n{a}"
    if a.status == 503:
        assert re.fullmatch(r"\d+", a.header("Retry-After") or ""), f"503 without Retry-After\n{a}"
    if a.status >= 400:
        assert (a.header("Content-Type") or "").split(";")[0] == "application/problem+json", f"no problem document\n{a}"
        if a.method != "HEAD":
            check_problem(a)


def check_problem(a):
    p = a.json
    assert isinstance(p, dict), str(a)
    for member in ("type", "title", "status", "detail", "instance", "request_id", "errors"):
        assert member in p, f"no {member}\n{a}"
    assert p["status"] == a.status, str(a)
    if a.header("Idempotency-Replayed") is None:  # else it is the first request's answer, with the id of that one
        assert p["request_id"] == a.header("X-Request-Id"), str(a)
    assert p["instance"] == a.path, f"instance is the path without the query\n{a}"
    assert p["type"].startswith("/problems/"), str(a)
    if a.status in TYPES:
        assert a.type in TYPES[a.status], f"type {p['type']} with {a.status}\n{a}"
    for text in ("title", "detail"):
        assert isinstance(p[text], str) and p[text], f"no {text}\n{a}"
    assert isinstance(p["errors"], list), str(a)
    for e in p["errors"]:
        where = [k for k in ("pointer", "parameter", "header") if k in e]
        if "line" not in e or where:  # a line that is no JSON has no place within it
            assert len(where) == 1, f"{e} names not one place\n{a}"
            assert isinstance(e[where[0]], str), str(a)
        if "pointer" in e:
            assert e["pointer"] == "" or e["pointer"].startswith("/"), f"{e['pointer']} is no JSON Pointer\n{a}"
        assert isinstance(e["code"], str) and e["code"], str(a)
        if a.status == 422:
            assert e["code"] in CODES, f"unknown code {e['code']}\n{a}"
        assert isinstance(e["detail"], str) and e["detail"], str(a)
    if a.status == 422 and a.type == "invalid":
        assert p["errors"], f"422 that names nothing\n{a}"
    leak = INTERNALS.search(a.body.decode("utf-8"))
    assert not leak, f"internals in an answer: {leak and leak.group()}\n{a}"


def target_of(path, params=None):
    """params: a dict or a list of pairs, percent-encoded here."""
    if not params:
        return path
    pairs = list(params.items()) if isinstance(params, dict) else params
    return path + "?" + "&".join(f"{urllib.parse.quote(k, safe='.')}={urllib.parse.quote(str(v), safe='')}"
                                 for k, v in pairs)


class Client:
    """One keep-alive connection per thread. `key` goes along with every request unless a call says key=None."""

    def __init__(self, host, port, key=None, calm=True):
        self.host, self.port, self.key, self.calm = host, port, key, calm
        self._local = threading.local()

    def with_key(self, key):
        return Client(self.host, self.port, key, self.calm)

    def _connection(self):
        c = getattr(self._local, "connection", None)
        if c is None:
            c = self._local.connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        return c

    def close(self):
        c = getattr(self._local, "connection", None)
        if c is not None:
            c.close()
            self._local.connection = None

    def _send(self, method, target, body, headers):
        c = self._connection()
        for again in (True, False):
            fresh = c.sock is None
            try:
                c.putrequest(method, target, skip_accept_encoding=True)
                for k, v in headers:
                    c.putheader(k, v)
                try:
                    c.endheaders(body)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # refused before the body was taken: the answer may already be there
                r = c.getresponse()
                return r.status, r.getheaders(), r.read()
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                c.close()
                if fresh or not again:  # only an idle connection may have been closed meanwhile
                    raise

    def request(self, method, path, json=None, body=None, params=None, headers=None, key="", type="application/json",
                expect=None):
        target = target_of(path, params)
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers or [])
        names = {k.lower() for k, _ in pairs}
        if body is None and json is not None:
            body = dumps(json).encode("utf-8", "surrogatepass")
        if body is not None:
            if type is not None and "content-type" not in names:
                pairs.append(("Content-Type", type))
            pairs.append(("Content-Length", str(len(body))))
        elif method in ("POST", "PUT", "PATCH"):
            pairs.append(("Content-Length", "0"))
        key = self.key if key == "" else key
        if key and "authorization" not in names:
            pairs.append(("Authorization", f"Bearer {key}"))
        status, got, answer = self._send(method, target, body, pairs)
        a = Answer(method, target, status, got, answer, body or b"", pairs)
        if self.calm:
            check_form(a, next((v for k, v in pairs if k.lower() == "x-request-id"), None))
            expected = {expect} if isinstance(expect, int) else set(expect or ())
            validate(a)
            if expect is not None:
                assert status in expected, f"expected {sorted(expected)}\n{a}"
            else:
                assert status < 500 or status == 501, str(a)
        return a

    def get(self, path, params=None, **kw):
        return self.request("GET", path, params=params, **kw)

    def head(self, path, **kw):
        return self.request("HEAD", path, **kw)

    def options(self, path, **kw):
        return self.request("OPTIONS", path, **kw)

    def post(self, path, json=None, **kw):
        return self.request("POST", path, json=json, **kw)

    def put(self, path, json=None, match=None, **kw):
        return self.request("PUT", path, json=json, headers=_match(kw.pop("headers", None), match), **kw)

    def patch(self, path, json=None, match="*", **kw):
        return self.request("PATCH", path, json=json, headers=_match(kw.pop("headers", None), match), **kw)

    def delete(self, path, match="*", **kw):
        return self.request("DELETE", path, headers=_match(kw.pop("headers", None), match), **kw)

    def walk(self, path, params=None, **kw):
        """All items of a list, page by page along next_cursor, and the number of pages."""
        pairs = list(params.items()) if isinstance(params, dict) else list(params or [])
        items, pages, cursor = [], 0, None
        while True:
            page = self.get(path, pairs + ([("cursor", cursor)] if cursor else []), expect=200, **kw).json
            items += page["items"]
            pages += 1
            cursor = page["next_cursor"]
            if cursor is None:
                return items, pages
            assert page["items"], "an empty page that says there is more"
            assert pages < 2000, "the walk does not end"


def _match(headers, match):
    pairs = list(headers.items()) if isinstance(headers, dict) else list(headers or [])
    return pairs + ([("If-Match", match)] if match is not None else [])


_validated = set()


def validate(a):
    """Holds the answer against openapi.yaml. Of a list, records that stood so in an earlier answer are left out: a suite
    reads the same ones hundreds of times."""
    body = a.body
    if a.status == 200 and a.method == "GET" and len(body) > 4000 and a.header("Content-Type") == "application/json":
        items = a.json.get("items")
        if isinstance(items, list) and len(items) > 3:
            query = dict(urllib.parse.parse_qsl(a.target.partition("?")[2]))
            seen = {(a.path, query.get("fields"), dumps(i)): i for i in items}
            new = [i for k, i in seen.items() if k not in _validated]
            body = dumps({**a.json, "items": new}).encode()
            _validated.update(seen)
    openapi_check.check(a.method, a.target, a.sent_headers, a.status, a.headers, body, plain(a.sent) if a.status < 300 else None)


def plain(body):
    """The JSON of a request with its numbers as short as they can be, which is what a schema can judge; None where it is none."""
    def shortest(token):
        number = Decimal(token)
        return int(number) if number == number.to_integral_value() else number.normalize() if number else 0

    try:
        return dumps(json.loads(body, parse_float=shortest)).encode() if body else None
    except ValueError:
        return None


def new_epoch(cluster, dbname):
    """As if the base had been restored from a backup just now."""
    cluster.execute("insert into lodebase.epoch select (jsonb_populate_record(e, jsonb_build_object('epoch', e.epoch + 1))).* "
                    "from lodebase.epoch e order by e.epoch desc limit 1", dbname=dbname)


# --- a raw connection ------------------------------------------------------------------------------------------------

class _Shared:
    """What http.client takes for a socket; all answers of a connection come out of one buffer, and none closes it."""

    def __init__(self, reader):
        self.reader = reader

    def makefile(self, _):
        return self

    def __getattr__(self, name):
        return getattr(self.reader, name)

    def close(self):
        pass


class RawConnection:
    """Bytes out, answers in. For requests that http.client would refuse to send."""

    def __init__(self, host, port, seconds=20):
        self.socket = socket.create_connection((host, port), timeout=seconds)
        self.reader = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.reader.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def answer(self, method="GET"):
        r = http.client.HTTPResponse(_Shared(self.reader), method=method)
        r.begin()
        body = r.read()
        return Answer(method, "", r.status, r.getheaders(), body)

    def begin(self, method="GET"):
        """The head of an answer without an end, and what came first of its body."""
        r = http.client.HTTPResponse(_Shared(self.reader), method=method)
        r.begin()
        return Answer(method, "", r.status, r.getheaders(), r.read1())

    def closed(self):
        """True once the other side has closed and nothing more came."""
        try:
            return self.reader.read(1) == b""
        except ConnectionResetError:
            return True


# --- the service as a process ----------------------------------------------------------------------------------------

SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:|Assertion .* failed")


def clean_environment(home):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("LODEBASE_", "PG"))}
    env.setdefault("ASAN_OPTIONS", "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=0")
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
    env["HOME"] = env["XDG_DATA_HOME"] = str(home)
    return env


class Service:
    """`lodebase serve` on a free port of loopback; its log is kept in files and shown where a test fails."""

    def __init__(self, binary, conninfo, directory, *arguments):
        self.binary, self.conninfo, self.directory, self.arguments = str(binary), conninfo, directory, list(arguments)
        self.log_path, self.error_path = directory / "service.log", directory / "service.err"
        self.process = self.port = None
        self.host = "127.0.0.1"

    def start(self, ready=True):
        command = [self.binary, "serve", "--listen", f"{self.host}:0", "--database", self.conninfo, "--data-dir",
                   str(self.directory / "data"), *self.arguments]
        if os.geteuid() == 0:
            command += ["--user", "postgres"]  # the account that reaches the test cluster's socket
        before = self.log_path.stat().st_size if self.log_path.exists() else 0
        with open(self.log_path, "ab") as out, open(self.error_path, "ab") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                            env=clean_environment(self.directory))
        self.port = eventually(lambda: self._listening(before), 60, "the log line `listening`")
        if ready:
            self.wait_ready()
        return self

    def _listening(self, before):
        assert self.process.poll() is None, f"the service ended with {self.process.returncode}\n{self.tail()}"
        with open(self.log_path, "rb") as f:
            f.seek(before)
            for line in f:
                if b"listening" in line and line.endswith(b"\n"):
                    found = re.search(rb"127\.0\.0\.1:(\d+)", line)
                    if found:
                        return int(found.group(1))
        return None

    def wait_ready(self, seconds=60):
        client = self.client(calm=False)

        def ready():
            assert self.process.poll() is None, f"the service ended with {self.process.returncode}\n{self.tail()}"
            try:
                return client.get("/readyz").status == 200
            except OSError:
                return False
        eventually(ready, seconds, "/readyz")
        client.close()

    def client(self, key=None, calm=True):
        return Client(self.host, self.port, key, calm)

    def raw(self):
        return RawConnection(self.host, self.port)

    def command(self, *arguments, ok=True, **kw):
        """Another command of the program on the same database, beside the running service."""
        done = subprocess.run([self.binary, *arguments, "--database", self.conninfo], capture_output=True, text=True,
                              timeout=60, env=clean_environment(self.directory), **kw)
        assert not SANITIZER.search(done.stderr), done.stderr
        assert not ok or done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def key(self, scope, name=None):
        out = self.command("key", "create", "--name", name or f"test-{scope}", "--scope", scope).stdout
        keys = re.findall(r"lode_[A-Za-z0-9_-]+", out)
        assert keys, f"no key in {out!r}"
        return max(keys, key=len)

    def revoke(self, key):
        self.command("key", "revoke", key[:13])

    def stop(self):
        """SIGTERM; it ends with status 0 within 15 s (design section 6) and no sanitizer has anything to say."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the service did not end\n{self.tail()}")
        self.process = None
        errors = self.error_path.read_text(errors="replace")
        assert not SANITIZER.search(errors), errors[-8000:]
        assert status == 0, f"the service ended with {status}\n{self.tail()}"

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process = None

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def tail(self, size=4000):
        errors = self.error_path.read_text(errors="replace") if self.error_path.exists() else ""
        return f"--- log\n{self.log()[-size:]}\n--- stderr\n{errors[-size:]}"


# --- records ---------------------------------------------------------------------------------------------------------

_mark, _numbers = secrets.token_hex(3), itertools.count(1)


def unique(prefix="t"):
    """A slug that no other test uses."""
    return f"{prefix}-{_mark}-{next(_numbers)}"


def shareholder(**fields):
    return {"slug": unique("sh"), "name": "Korea Zinc", "kind": "company", **fields}


def project(**fields):
    return {"slug": unique("pr"), "name": "Clarksville", "kind": "smelter", "status": "announced", **fields}


def stake(holder, **fields):
    return {"holder_id": holder, "instrument": "common_equity", "stage": "closed", **fields}


FULL_SHAREHOLDER = {
    "name": "고려아연 Korea Zinc", "aliases": ["KZ", "고려아연"], "kind": "company", "country": "KR", "state": "US",
    "lei": "5493001KJTIIGC8Y1R12", "isin": "KR7010130003",
    "identifiers": [{"scheme": "ticker:XKRX", "id": "010130"}, {"scheme": "KR-CRN", "id": "110111-0168668"}],
    "website": "https://www.koreazinc.co.kr/en/?a=b#c", "description": "Zinc,\nlead and silver.",
}
FULL_PROJECT = {
    "name": "Clarksville smelter", "kind": "smelter", "status": "construction", "country": "US", "region": "Tennessee",
    "place": "Clarksville", "latitude": Decimal("36.516523"), "longitude": Decimal("-87.37"),
    "capex_amount": Decimal("7400000000.5"), "capex_currency": "USD", "start_year": 2029, "description": "Zinc & more.",
}


def lei(stem):
    """An LEI of an 18-character stem, with its ISO 7064 MOD 97-10 check digits."""
    number = int("".join(str(int(c, 36)) for c in stem + "00"))
    return f"{stem}{98 - number % 97:02d}"


def isin(stem):
    """An ISIN of an 11-character stem, with its Luhn check digit."""
    digits = "".join(str(int(c, 36)) for c in stem)
    total = 0
    for i, d in enumerate(reversed(digits)):
        n = int(d) * (2 if i % 2 == 0 else 1)
        total += n // 10 + n % 10
    return f"{stem}{-total % 10}"


def merge_patch(target, patch):
    """RFC 7396, section 2, word for word."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result
