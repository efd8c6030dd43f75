"""GET /v1/export: all records as lines that an import takes back, at one instant, in constant memory; for admins."""
import contextlib
import http.client
import json
import subprocess

import psycopg2
import pytest

import knowledge
import lodebase
import openapi_check

LINES = "application/x-ndjson"
NOT_EXPORTED = {"version", "created_at", "updated_at"}


@pytest.fixture(scope="module")
def admin(own_service):
    return own_service.client(own_service.key("admin"))


@pytest.fixture(scope="module")
def base(admin):
    """Three records of every resource with everything that their fields take, and one with next to nothing."""
    maker = knowledge.Maker(admin)
    for resource in knowledge.names():
        for body in (maker.full(resource), maker.full(resource, 3), maker.other(resource), maker.minimal(resource)):
            admin.post(f"/v1/{resource}", body, expect=201)
    issuer = maker.another("shareholders")["id"]
    for fields in ({"shares_held": 1, "shares_issued": 3}, {"economic_pct": "0.000000000001"}, {"economic_max_pct": 20}):
        admin.post("/v1/stakes", maker.minimal("stakes", project_id=None, issuer_id=issuer, **fields), expect=201)
    admin.post("/v1/shareholders", {"slug": "text", "name": "고려아연 \u2028\U0001f600 \"\\/", "kind": "company",
                                    "description": "\t\n\r\x01\x7f é e\u0301"}, expect=201)
    gone = maker.another("minerals")
    admin.delete(f"/v1/minerals/{gone['id']}", expect=204)
    return gone["id"]


@pytest.fixture(scope="module")
def exported(admin, base):
    answer = admin.get("/v1/export", expect=200)
    assert answer.header("Content-Type") == LINES and answer.header("Cache-Control") == "no-store"
    return answer.body


def parsed(body):
    assert body.endswith(b"\n")
    return [lodebase.loads(line) for line in body.decode().split("\n")[:-1]]


def test_every_record_with_what_can_be_written(admin, base, exported):
    lines = parsed(exported)
    order = [(knowledge.names().index(line["resource"]), line["record"]["id"]) for line in lines]
    assert order == sorted(order) and len(set(order)) == len(order)
    assert base not in exported.decode()  # it was deleted
    for resource in knowledge.names():
        records, _ = admin.walk(f"/v1/{resource}", {"sort": "id", "limit": 500})
        summaries = {f["name"].removesuffix("_id") for f in knowledge.fields(resource).values()
                     if f["type"] in knowledge.REFERENCES}
        expected = [{k: v for k, v in r.items() if k not in NOT_EXPORTED | summaries} for r in records]
        assert [line["record"] for line in lines if line["resource"] == resource] == expected


def test_lines_are_those_of_an_import(exported):
    schema = openapi_check.document()["components"]["schemas"]["ImportLine"]
    for number, line in enumerate(exported.splitlines(), 1):
        openapi_check.validate(schema, openapi_check.loads(lodebase.plain(line)), f"line {number}")


def test_import_takes_it_back_without_a_change(admin, exported):
    answer = admin.post("/v1/import", body=exported, type=LINES, expect=200).json
    assert (answer["created"], answer["updated"], answer["unchanged"]) == (0, 0, len(parsed(exported)))


def test_an_empty_base_becomes_the_same(own_service, cluster, binary, exported, tmp_path):
    cluster.create_database("export_copy")
    conninfo = cluster.conninfo("export_copy")
    file = tmp_path / "all.ndjson"
    file.write_bytes(exported)

    def command(*arguments):
        done = subprocess.run([binary, *arguments, "--database", conninfo, *user], capture_output=True, timeout=120,
                              env=lodebase.clean_environment(tmp_path), check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    user = ["--user", "postgres"]
    command("migrate")
    n = len(parsed(exported))
    assert command("import", str(file)).startswith(f"{n} created, 0 updated, 0 unchanged".encode())
    assert command("export") == exported
    assert command("import", str(file)).startswith(f"0 created, 0 updated, {n} unchanged".encode())
    assert own_service.command("export").stdout.encode() == exported  # beside the running service


def test_for_admins_alone(own_service, admin, own):
    for client, status in ((own_service.client(), 401), (own, 403), (admin, 200)):
        assert client.get("/v1/export").status == status
        assert client.head("/v1/export").status == status
    assert admin.get("/v1/export", headers={"Accept": "application/json"}).status == 406
    assert admin.get("/v1/export", {"known_at": "now"}).status == 400
    assert admin.post("/v1/export", {}).status == 405
    assert admin.options("/v1/export").header("Allow") == "GET, HEAD, OPTIONS"


def test_an_empty_base_gives_no_line(cluster, start):
    cluster.create_database("export_none")
    with start(cluster.conninfo("export_none"), "export_none", "--workers", "1") as s:
        assert s.client(s.key("admin")).get("/v1/export", expect=200).body == b""


# --- exports larger than what lies between the two ------------------------------------------------------------------------

LARGE = 300  # records of 60 kB


@pytest.fixture(scope="module")
def large(cluster, start):
    """A service over a base whose export is 18 MB; freed memory goes back at once where a sanitizer would keep it."""
    cluster.create_database("export_large")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASAN_OPTIONS", "quarantine_size_mb=1")
        with start(cluster.conninfo("export_large"), "export_large", "--workers", "1") as s:
            s.admin = s.key("admin")
            text = "광" * 19990
            file = s.directory / "large.ndjson"
            with open(file, "w", encoding="utf-8") as f:
                for i in range(LARGE):
                    record = {"slug": f"s{i}", "name": f"{i}", "kind": "company", "description": text + str(i)}
                    f.write(json.dumps({"resource": "shareholders", "record": record}, ensure_ascii=False) + "\n")
            s.command("import", str(file))
            yield s


@contextlib.contextmanager
def begun(s):
    """An export of which the first kilobyte was read."""
    connection = http.client.HTTPConnection(s.host, s.port, timeout=60)
    try:
        connection.request("GET", "/v1/export", headers={"Authorization": f"Bearer {s.admin}"})
        answer = connection.getresponse()
        assert answer.status == 200
        yield answer, answer.read(1000)
    finally:
        connection.close()


def memory(s):
    with open(f"/proc/{s.process.pid}/status", encoding="ascii") as f:
        return int(next(line for line in f if line.startswith("VmRSS:")).split()[1]) >> 10


def test_as_the_base_stood_when_it_began_and_in_constant_memory(large):
    with begun(large) as (answer, first):
        answer.read()  # what the first one takes for good is not counted
    before, most, body = memory(large), 0, []
    with begun(large) as (answer, first):
        client = large.client(large.admin)
        client.post("/v1/shareholders", lodebase.shareholder(), expect=201)
        client.patch(f"/v1/shareholders/s{LARGE - 1}", {"name": "new"}, expect=200)
        client.delete(f"/v1/shareholders/s{LARGE - 2}", expect=204)
        while part := answer.read(1 << 20):
            most = max(most, memory(large))
            body.append(part)
    lines = parsed(first + b"".join(body))
    assert sorted(int(line["record"]["name"]) for line in lines) == list(range(LARGE))
    assert most - before < 10, f"{before} MB before, {most} MB while {sum(map(len, body)) >> 20} MB were told"


def test_a_failure_in_the_middle_cuts_it_visibly(large, cluster):
    admin = psycopg2.connect(cluster.conninfo("postgres"))
    admin.autocommit = True
    with contextlib.closing(admin), admin.cursor() as cursor, begun(large) as (answer, _):
        cursor.execute("alter database export_large allow_connections false")
        try:
            cursor.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'export_large'")
            with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
                answer.read()
        finally:
            cursor.execute("alter database export_large allow_connections true")
    client = large.client(large.admin, calm=False)  # every lane opens its connections again by itself
    lodebase.eventually(lambda: client.head("/v1/export").status == 200, what="the database's return")
    with begun(large) as (answer, first):
        assert len(parsed(first + answer.read())) == LARGE
