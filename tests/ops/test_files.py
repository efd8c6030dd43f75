"""Images, compose file and systemd unit, as far as they can be judged without a container or systemd running."""
import configparser
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
DRAIN_SECONDS = 15  # all is over within, after SIGTERM


# --- Dockerfiles


def instructions(path):
    """[(instruction, arguments)], continued lines joined."""
    text = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", path.read_text(encoding="utf-8"), flags=re.M))
    return [tuple(line.split(None, 1)) for line in text.split("\n") if line.strip()]


def stages(path):
    """The instructions of each stage, FROM first; what stands before the first FROM is left out."""
    found = []
    for instruction, arguments in instructions(path):
        if instruction == "FROM":
            found.append([])
        if found:
            found[-1].append((instruction, arguments))
    return found


def one(stage, instruction):
    found = [arguments for i, arguments in stage if i == instruction]
    assert len(found) == 1, (instruction, found)
    return found[0]


DOCKERFILES = ["Dockerfile", "postgres/Dockerfile"]


@pytest.mark.parametrize("name", DOCKERFILES)
def test_dockerfile_needs_nothing_but_a_debian_base(name):
    assert instructions(DOCKER / name)[0] == ("ARG", "BASE=debian:bookworm-slim")
    assert {one(s, "FROM").split()[0] for s in stages(DOCKER / name)} == {"${BASE}"}
    assert not [i for i, _ in instructions(DOCKER / name) if i == "ADD"]


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_image_runs_unprivileged_and_says_how_it_is(name):
    last = stages(DOCKER / name)[-1]
    user, group = one(last, "USER").split(":")
    assert int(user) >= 1000 and int(group) >= 1000
    assert [i for i, _ in last].index("USER") > max(n for n, (i, _) in enumerate(last) if i == "RUN")
    assert one(last, "STOPSIGNAL") in ("SIGTERM", "SIGINT")
    check = one(last, "HEALTHCHECK").split(" CMD ")
    assert len(check) == 2 and json.loads(check[1])
    assert json.loads(one(last, "ENTRYPOINT"))  # a list: no shell in between that would swallow signals
    runs = " ".join(a for i, a in last if i == "RUN")
    assert "--no-install-recommends" in runs and "rm -rf /var/lib/apt/lists/*" in runs
    assert not re.search(r"\b(curl|wget|gcc|sudo)\b", runs)


def test_the_service_listens_where_the_image_says():
    last = stages(DOCKER / "Dockerfile")[-1]
    assert ("ENV", "LODEBASE_LISTEN=0.0.0.0:8080") in last and ("EXPOSE", "8080") in last
    assert (json.loads(one(last, "ENTRYPOINT")), json.loads(one(last, "CMD"))) == (["/usr/bin/lodebase"], ["serve"])


def test_the_build_stage_installs_what_script_packages_names():
    listed = subprocess.run(["bash", "-c", '. script/packages && echo "${build_packages[@]}"'], cwd=ROOT,
                            stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    run = next(a for i, a in stages(DOCKER / "Dockerfile")[0] if i == "RUN")
    installed = set(run.split("--no-install-recommends", 1)[1].split())
    assert installed == set(listed) - {"postgresql"} | {"binutils"}


def test_the_context_has_what_is_built_and_no_more():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {r[1:] for r in rules if r.startswith("!")}
    assert all((ROOT / a).exists() for a in allowed)
    needed = set(re.findall(r"^subdir\('([^'/]+)", (ROOT / "meson.build").read_text(encoding="utf-8"), re.M))
    copied = {a.split()[0] for s in stages(DOCKER / "Dockerfile") for i, a in s if i == "COPY" and "--from" not in a} - {"."}
    assert allowed >= needed | copied | {"meson.build", "meson_options.txt", "include", "sql", "openapi.yaml"}
    assert not [a for a in allowed if a.startswith((".", "build", "docker/secrets"))]


@pytest.mark.parametrize("script", ["healthcheck", "make-secrets", "postgres/entrypoint"])
def test_scripts_parse(script):
    subprocess.run(["bash", "-n", str(DOCKER / script)], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", str(DOCKER / script)], check=True)


# --- the health check, for real


class Readyz(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # noqa: N802  (the name is the library's)
        self.send_response(self.server.status if self.path == "/readyz" and self.headers["Host"] else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def health(port):
    return subprocess.run(["bash", str(DOCKER / "healthcheck")], env=os.environ | {"LODEBASE_LISTEN": f"0.0.0.0:{port}"},
                          capture_output=True, text=True, timeout=30, check=False)


def test_health_check():
    server = http.server.HTTPServer(("127.0.0.1", 0), Readyz)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_port
    try:
        server.status = 200
        done = health(port)
        assert (done.returncode, done.stdout) == (0, "HTTP/1.1 200 OK\n")
        server.status = 503
        done = health(port)
        assert done.returncode == 1 and "503" in done.stdout
    finally:
        server.shutdown()
        server.server_close()
    assert health(port).returncode == 1


# --- compose.yaml


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))


def seconds(text):
    return int(re.fullmatch(r"(\d+)s", text).group(1))


def test_compose_confines_both(compose):
    assert set(compose["services"]) == {"lodebase", "postgres"}
    for service in compose["services"].values():
        assert service["read_only"] is True and service["tmpfs"] == ["/tmp"]
        assert service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service and "network_mode" not in service
        context = DOCKER / service["build"]["context"]
        assert (context / service["build"].get("dockerfile", "Dockerfile")).exists()


def test_compose_starts_in_order_and_lets_it_drain(compose):
    service = compose["services"]["lodebase"]
    assert service["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert seconds(service["stop_grace_period"]) > DRAIN_SECONDS


def test_compose_publishes_the_service_alone_and_on_loopback(compose):
    assert compose["services"]["lodebase"]["ports"] == ["127.0.0.1:8080:8080"]
    assert "ports" not in compose["services"]["postgres"]
    assert compose["networks"]["database"]["internal"] is True
    assert compose["services"]["postgres"]["networks"] == ["database"]


def test_compose_gives_secrets_by_file_and_the_data_a_volume(compose):
    assert compose["services"]["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"] and "postgres" in compose["volumes"]
    for service in compose["services"].values():
        for name in service["secrets"]:
            assert compose["secrets"][name]["file"] == f"secrets/{name}"
            assert f"/run/secrets/{name}" in service["environment"].values()
        assert not [k for k in service["environment"] if "PASSWORD" in k and not k.endswith("_FILE")]
    assert "/secrets/" in (DOCKER / ".gitignore").read_text(encoding="utf-8").split("\n")


def test_secrets_are_made_once_and_fit_together(tmp_path):
    shutil.copy(DOCKER / "make-secrets", tmp_path)
    subprocess.run([str(tmp_path / "make-secrets")], check=True)
    made = tmp_path / "secrets"
    assert made.stat().st_mode & 0o777 == 0o700
    secret = {p.name: p.read_text(encoding="ascii") for p in made.iterdir()}
    assert set(secret) == {"database", "owner_database", "service_password", "owner_password"}
    for conninfo, password, user in (("database", "service_password", "lodebase_app"),
                                     ("owner_database", "owner_password", "lodebase_owner")):
        assert re.fullmatch(r"[A-Za-z0-9_-]{32}\n", secret[password])
        assert secret[conninfo] == f"host=postgres dbname=lodebase user={user} password={secret[password]}"
    assert secret["service_password"] != secret["owner_password"]
    assert subprocess.run([str(tmp_path / "make-secrets")], capture_output=True, check=False).returncode == 1
    assert {p.name: p.read_text(encoding="ascii") for p in made.iterdir()} == secret


# --- the systemd unit


@pytest.fixture(scope="module")
def unit(tmp_path_factory):
    """The unit as it is installed, for a program that is there."""
    text = (ROOT / "src" / "app" / "lodebase.service.in").read_text(encoding="utf-8")
    assert text.count("@bindir@") == 1 and not re.search(r"@(?!bindir@)\w+@", text)
    directory = tmp_path_factory.mktemp("unit")
    program = directory / "lodebase"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    path = directory / "lodebase.service"
    path.write_text(text.replace("@bindir@", str(directory)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def service(unit):
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=["="])
    parser.optionxform = str
    parser.read(unit)
    return parser["Service"]


def test_unit_starts_and_stops_as_the_program_does(service):
    assert service["Type"] == "notify" and "NotifyAccess" not in service  # the main process alone
    assert service["KillMode"] == "mixed" and int(service["TimeoutStopSec"]) > DRAIN_SECONDS
    assert service["Restart"] == "on-failure" and "ExecReload" not in service
    account = (ROOT / "src" / "app" / "lodebase.sysusers").read_text(encoding="utf-8").split()
    assert account[:2] == ["u", service["User"]]


def test_unit_is_hardened(service):
    expected = {"LimitCORE": "0", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "ProtectSystem": "strict",
                "ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes", "MemoryDenyWriteExecute": "yes",
                "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6", "StateDirectory": "lodebase"}
    assert {k: service.get(k) for k in expected} == expected
    # configparser keeps the last of the two filters
    text = (ROOT / "src" / "app" / "lodebase.service.in").read_text(encoding="utf-8")
    assert re.findall(r"^SystemCallFilter=(.*)", text, re.M) == ["@system-service", "~@privileged @resources"]


needs_analyze = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")


@needs_analyze
def test_systemd_finds_nothing_wrong_with_it(unit):
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, [line for line in done.stderr.split("\n") if "lodebase" in line]) == (0, [])


@needs_analyze
def test_systemd_finds_it_little_exposed(unit):
    """1.2 with systemd 252; newer versions weigh differently."""
    done = subprocess.run(["systemd-analyze", "security", "--no-pager", "--offline=yes", "--threshold=20", str(unit)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
