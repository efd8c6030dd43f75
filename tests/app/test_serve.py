"""Starting and stopping: ports, what is said to whom, the first key, seeding, the drain."""
import contextlib
import http.client
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import time

import psycopg2
import pytest

from cluster import Cluster
from program import SANITIZER, environment, eventually

ROOT = os.geteuid() == 0
ACCOUNT = ["--user", "postgres"] if ROOT else []  # who reaches the test cluster's socket

SHAREHOLDERS = {"shareholders": [{"slug": "a", "name": "A", "kind": "company"}, {"slug": "b", "name": "B", "kind": "company"}]}


@pytest.fixture
def database(cluster, request):
    name = "app_" + re.sub(r"\W", "_", request.node.name)[-50:]
    cluster.create_database(name)
    yield cluster.conninfo(name)
    cluster.drop_database(name)


def test_a_free_port_is_picked_and_printed(ready):
    ready.start(listen="127.0.0.1:0")
    assert ready.port > 0 and ready.get("/livez")[0] == 200
    text = ready.err_path.read_text()
    assert f"http://127.0.0.1:{ready.port}/v1" in text and f"curl -s 'http://127.0.0.1:{ready.port}/v1/projects" in text
    assert ready.stop() == 0


def test_a_taken_port_is_said_before_anything_starts(program):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = program.on("serve", "--listen", f"127.0.0.1:{port}", ok=False)
    assert done.returncode == 1 and f"port {port} on 127.0.0.1 is taken" in done.stderr and "--listen" in done.stderr
    assert not (program.data / "postgres").exists()


def test_a_second_service_on_the_same_port_is_refused(ready, database):
    ready.start()
    done = ready.run("serve", "--listen", f"127.0.0.1:{ready.port}", "--database", database, *ACCOUNT, ok=False)
    assert done.returncode == 1 and "taken" in done.stderr
    assert ready.stop() == 0


def test_ipv6(ready):
    ready.start("--workers", "1", listen="[::1]:0")
    message = ready.wait_event("listening")["message"]
    port = int(re.search(r"http://\[::1\]:(\d+)", message).group(1))
    connection = http.client.HTTPConnection("::1", port, timeout=10)
    connection.request("GET", "/livez")
    assert connection.getresponse().status == 200
    connection.close()
    assert ready.stop() == 0


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_end_it_ends_with_0(ready, sign):
    ready.start()
    assert ready.stop(sign) == 0
    assert [e["event"] for e in ready.events()][-1] == "stopped"


def test_sighup_is_ignored(ready):
    ready.start()
    ready.process.send_signal(signal.SIGHUP)
    assert ready.get("/livez")[0] == 200
    assert ready.stop() == 0


def test_the_drain_ends_in_time_whatever_clients_do(ready):
    """Idle connections, half a request, a body that never comes: none holds the end up; a whole request is answered."""
    ready.start("--drain-timeout", "2")
    idle = [socket.create_connection(("127.0.0.1", ready.port)) for _ in range(5)]
    half = socket.create_connection(("127.0.0.1", ready.port))
    half.sendall(b"GET /v1/projects HTTP/1.1\r\nHost: x\r\n")
    body = socket.create_connection(("127.0.0.1", ready.port))
    body.sendall(b"POST /v1/projects HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
                 b"Authorization: Bearer " + ready.admin_key().encode() + b"\r\n\r\n{")
    keep = http.client.HTTPConnection("127.0.0.1", ready.port, timeout=10)
    keep.request("GET", "/livez")
    keep.getresponse().read()
    begun = time.monotonic()
    assert ready.stop() == 0
    assert time.monotonic() - begun < 15
    for s in (*idle, half, body):
        s.close()
    keep.close()


def test_who_waits_for_the_database_at_the_end_of_the_drain_has_503(program, cluster, database):
    """Reads, writes and an import stand at a lock when the time is over: each is let go of, whatever comes of it later."""
    program.start("--database", database, "--drain-timeout", "1", *ACCOUNT, data=False)
    key = program.run("key", "create", "--name", "w", "--scope", "write", "--database", database, *ACCOUNT).stdout.strip()
    assert program.post_shareholder("a", key) == 201
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    body = {"name": "B", "kind": "company"}
    name = psycopg2.extensions.parse_dsn(database)["dbname"]
    requests = [("GET", "/v1/shareholders/a", None), ("GET", "/v1/shareholders?sort=-name", None),
                ("POST", "/v1/shareholders", {"slug": "b", **body}), ("PATCH", "/v1/shareholders/a", body),
                ("POST", "/v1/import", {"shareholders": [{"slug": "c", **body}]})]
    port, waiting = program.port, []
    with contextlib.closing(cluster.connect(name)) as blocker:
        blocker.cursor().execute("begin; lock table lodebase.shareholder in access exclusive mode")
        for method, path, content in requests:
            waiting.append(http.client.HTTPConnection("127.0.0.1", port, timeout=30))
            waiting[-1].request(method, path, body=content and json.dumps(content),
                                headers={**headers, **({"If-Match": "*"} if method == "PATCH" else {})})
        eventually(lambda: cluster.execute("select count(*) from pg_locks where not granted")[0][0] >= len(requests) - 1, 30,
                   "all to wait: the first and the fourth ask the same, and may wait as one")
        program.process.send_signal(signal.SIGTERM)
        for connection, (method, path, _) in zip(waiting, requests):
            answer = connection.getresponse()
            assert answer.status == 503 and answer.getheader("Retry-After"), (method, path, answer.status, answer.read())
            connection.close()
        assert program.stop() == 0


def test_a_second_sigterm_does_not_wait(ready):
    ready.start("--drain-timeout", "10")
    body = socket.create_connection(("127.0.0.1", ready.port))
    body.sendall(b"POST /v1/projects HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
                 b"Authorization: Bearer " + ready.admin_key().encode() + b"\r\n\r\n{")
    eventually(lambda: b"lodebase_requests_in_flight 0" not in ready.get("/metrics")[1], 10, "the request's arrival")
    begun = time.monotonic()
    ready.process.send_signal(signal.SIGTERM)
    ready.wait_event("draining")
    assert ready.stop() == 0
    assert time.monotonic() - begun < 8
    body.close()


def test_requests_that_were_accepted_are_answered(ready):
    """Connections that wait in the accept queue when SIGTERM comes get their answer."""
    ready.start()
    port = ready.port
    ready.process.send_signal(signal.SIGSTOP)
    waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    for s in waiting:
        s.sendall(b"GET /v1/projects HTTP/1.1\r\nHost: x\r\n\r\n")
    ready.process.send_signal(signal.SIGTERM)
    ready.process.send_signal(signal.SIGCONT)
    for s in waiting:
        s.settimeout(20)
        assert s.recv(1 << 16).startswith(b"HTTP/1.1 200 "), "an accepted request was dropped"
        s.close()
    assert ready.stop() == 0


def test_the_first_key_goes_to_a_file_and_only_once(ready):
    ready.start()
    event = ready.wait_event("first_key")
    key = ready.admin_key()
    assert key not in ready.out_path.read_text() + ready.err_path.read_text()
    assert str(ready.data / "admin.key") in event["message"]
    assert re.fullmatch(r"lode_[0-9A-Za-z]{46}", key)
    assert ready.post_shareholder("mine", key) == 201
    assert ready.stop() == 0
    ready.start()
    assert not [e for e in ready.events() if e["event"] == "first_key"]
    assert ready.admin_key() == key
    assert ready.stop() == 0
    # a start that was killed right behind the base's commit left it aside
    os.rename(ready.data / "admin.key", ready.data / "admin.key.new")
    ready.start()
    assert ready.admin_key() == key
    assert ready.stop() == 0


def test_without_a_data_directory_it_says_how_to_make_a_key(program, database):
    program.start("--database", database, *ACCOUNT, data=False)
    assert "lodebase key create" in program.wait_event("first_key")["message"]
    assert not program.data.exists()
    made = program.run("key", "create", "--name", "me", "--scope", "write", "--database", database, *ACCOUNT).stdout.strip()
    assert program.post_shareholder("a", made) == 201
    assert program.stop() == 0


def test_on_a_terminal_the_key_is_printed_and_the_log_is_text(ready):
    master, slave = pty.openpty()
    process = subprocess.Popen(ready.arguments("serve", "--listen", "127.0.0.1:0", "--data-dir", str(ready.data)),
                               stdin=slave, stdout=slave, stderr=slave, env=environment(ready.directory))
    os.close(slave)
    text = ""
    end = time.monotonic() + 120
    try:
        while "Try:" not in text and time.monotonic() < end:
            if select.select([master], [], [], 1)[0]:
                text += os.read(master, 65536).decode()
        key = re.search(r"lode_[0-9A-Za-z]{46}", text)
        assert key and "shown this once" in text, text
        assert re.search(r"^\S+ info +listening +http://127\.0\.0\.1:\d+", text, re.M), text
        assert not (ready.data / "admin.key").exists()
        process.send_signal(signal.SIGTERM)
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:
                break
            if not data:
                break
            text += data.decode()
        assert process.wait(15) == 0
        assert not SANITIZER.search(text)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(master)


def test_an_empty_base_is_seeded_and_no_other(ready):
    seeds = ready.directory / "seeds"
    seeds.mkdir()
    (seeds / "1.json").write_text(json.dumps({"projects": [
        {"slug": "p", "name": "P", "kind": "mine", "status": "operating", "operator_id": "a"}]}))
    (seeds / "2.ndjson").write_text("".join(json.dumps({"resource": "shareholders", "record": r}) + "\n"
                                            for r in SHAREHOLDERS["shareholders"]))
    (seeds / "README.md").write_text("not to be imported")
    ready.start("--seed", str(seeds))
    assert ready.get("/v1/projects/p")[0] == ready.get("/v1/shareholders/b")[0] == 200
    assert ready.stop() == 0
    (seeds / "2.ndjson").write_text(json.dumps({"resource": "shareholders", "record": {"slug": "c", "name": "C", "kind": "company"}}))
    ready.start("--seed", str(seeds))
    assert "does nothing" in ready.wait_event("seed")["message"]
    assert ready.get("/v1/shareholders/c")[0] == 404
    assert ready.stop() == 0


def test_a_wrong_seed_is_told_with_its_place(ready):
    seed = ready.directory / "wrong.ndjson"
    seed.write_text(json.dumps({"resource": "shareholders", "record": SHAREHOLDERS["shareholders"][0]}) + "\n{\"resource\": \n")
    ready.start("--seed", str(seed), ready=False)
    assert ready.process.wait(60) == 1
    assert f"{seed}:2" in ready.err_path.read_text(), ready.tail()
    assert ready.run("serve", "--seed", str(ready.directory / "none.json"), ok=False).returncode == 1


def test_two_instances_on_one_database(make, database):
    one, two = make("one"), make("two")
    seed = one.directory / "seed.json"
    seed.write_text(json.dumps(SHAREHOLDERS))
    for p in (one, two):  # both at once, both with --seed
        p.start("--database", database, "--seed", str(seed), *ACCOUNT, ready=False)
    for p in (one, two):
        p.wait_ready()
    key = next(p for p in (one, two) if (p.data / "admin.key").exists()).admin_key()
    assert one.post_shareholder("c", key) == 201
    assert two.get("/v1/shareholders/c")[0] == 200
    count = [p.run("key", "list", "--database", database, *ACCOUNT).stdout.count("lode_") for p in (one, two)]
    assert count == [1, 1]
    one.process.kill()
    one.process.wait()
    assert two.get("/v1/shareholders/a")[0] == 200 and two.post_shareholder("d", key) == 201
    assert two.stop() == 0


def test_a_database_that_is_away_is_waited_for(program, cluster, database):
    """The service answers meanwhile, and says what is missing."""
    missing = database.replace("dbname=", "dbname=later_")
    program.start("--database", missing, *ACCOUNT, ready=False, data=False)
    program.wait_event("listening")
    assert program.get("/livez")[0] == 200 and program.get("/readyz")[0] == 503 and program.get("/v1/projects")[0] == 503
    program.wait_event("database_away")
    name = psycopg2.extensions.parse_dsn(missing)["dbname"]
    cluster.create_database(name)
    program.wait_ready()
    eventually(program.is_ready, 30, "/readyz")
    assert program.get("/v1/projects")[0] == 200
    assert program.stop() == 0
    cluster.drop_database(name)


def test_owner_and_service_are_two_accounts(program, cluster, database):
    """With --owner-database the service's own account can change neither the schema nor history."""
    name = psycopg2.extensions.parse_dsn(database)["dbname"]
    cluster.execute(f"create role app_{name} login")
    service = database + f" user=app_{name}"
    program.start("--database", service, "--owner-database", database, *ACCOUNT, data=False)
    assert b'"history":"ok"' in program.get("/readyz")[1]
    assert program.stop() == 0
    # once the schema stands, the service's account alone is enough
    program.start("--database", service, *ACCOUNT, data=False)
    assert program.get("/v1/projects")[0] == 200
    assert program.stop() == 0


def test_one_account_that_may_not_make_roles_is_told_of(program, cluster, database):
    name = psycopg2.extensions.parse_dsn(database)["dbname"]
    cluster.execute(f"create role poor_{name} login; grant create on database {name} to poor_{name}")
    exists = cluster.execute("select 1 from pg_roles where rolname = 'lodebase_service'")
    program.start("--database", database + f" user=poor_{name}", *ACCOUNT, data=False)
    if not exists:
        assert program.wait_event("history_not_protected")
    assert program.get("/v1/projects")[0] == 200
    assert program.stop() == 0


def test_what_to_grant_where_the_role_is_missing(program):
    with Cluster() as own:  # roles belong to a cluster as a whole
        own.execute("create role owner login; create role app login")
        own.execute("create database b owner owner")
        accounts = [option for name, account in (("--database", "app"), ("--owner-database", "owner"))
                    for option in (name, f"{own.conninfo('b')} user={account}")]
        assert program.run("migrate", *accounts).returncode == 0
        said = program.run("key", "list", *accounts, ok=False).stderr
        assert "`create role lodebase_service nologin; grant lodebase_service to` that account" in said
        own.execute("create role lodebase_service nologin; grant lodebase_service to app")
        assert program.run("migrate", *accounts).returncode == 0
        assert "no key yet" in program.run("key", "list", *accounts).stdout


@pytest.mark.skipif(not ROOT, reason="the port's privilege is root's")
def test_a_privileged_port_is_explained(program):
    if int(open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii").read()) <= 81:
        pytest.skip("this system gives low ports to everybody")
    done = program.on("serve", "--listen", "127.0.0.1:81", ok=False)
    assert done.returncode == 1 and "1024" in done.stderr
