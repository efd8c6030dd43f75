"""Commands beside a running service and without one."""
import json
import os
import re
import signal
import subprocess

from program import eventually

KEY = re.compile(r"lode_[0-9A-Za-z]{46}")


def test_keys_without_a_service(ready):
    made = ready.on("key", "create", "--name", "Tür\x1b[31m", "--scope", "read")
    key = made.stdout.strip()
    assert KEY.fullmatch(key) and key not in made.stderr
    listed = ready.on("key", "list").stdout
    assert key[:13] in listed and key not in listed and "Tür?[31m" in listed and "read" in listed
    assert ready.on("key", "revoke", key[:13]).returncode == 0
    again = ready.on("key", "revoke", key, ok=False)
    assert again.returncode == 1 and "before" in again.stderr
    assert "no such key" in ready.on("key", "revoke", "lode_00000000", ok=False).stderr
    assert "lode_ and 8 characters" in ready.on("key", "revoke", "' or true --", ok=False).stderr
    assert ready.on("key", "revoke", ok=False).returncode == 2
    assert not ready.postgres_processes()


def test_keys_beside_a_service(ready):
    ready.start()
    key = ready.on("key", "create", "--name", "desk", "--scope", "write").stdout.strip()
    assert ready.post_shareholder("a", key) == 201
    ready.on("key", "revoke", key[:13])
    assert ready.post_shareholder("b", key) == 401  # at once: a write checks its key in its own transaction
    eventually(lambda: ready.get("/v1/key", Authorization=f"Bearer {key}")[0] == 401, 5, "the end of reading")
    reader = ready.on("key", "create", "--name", "reader", "--scope", "read").stdout.strip()
    assert ready.post_shareholder("c", reader) == 403
    assert ready.stop() == 0


def test_names_of_keys_are_checked(ready):
    for name in (" ", "x" * 301, "\u200b"):
        done = ready.on("key", "create", "--name", name, "--scope", "read", ok=False)
        assert done.returncode == 1 and "--name" in done.stderr
    assert "no key yet" in ready.on("key", "list").stdout


def test_looking_at_a_base_that_is_not_there_makes_none(program):
    done = program.on("key", "list", ok=False)
    assert done.returncode == 1 and "no base yet" in done.stderr and not program.data.exists()


def test_import_on_the_command_line(ready):
    bundle, lines = ready.directory / "b.json", ready.directory / "l.ndjson"
    bundle.write_text(json.dumps({"stakes": [{"slug": "s", "holder_id": "a", "issuer_id": "b", "instrument": "common_equity",
                                              "stage": "closed", "economic_pct": 12.5}]}))
    lines.write_text("".join(json.dumps({"resource": "shareholders", "record": {"slug": s, "name": s, "kind": "company"}}) + "\n"
                             for s in "ab"))
    assert ready.on("import", str(bundle), str(lines)).stdout.startswith("3 created, 0 updated, 0 unchanged\n")
    assert ready.on("import", str(bundle), str(lines)).stdout.startswith("0 created, 0 updated, 3 unchanged\n")
    ready.start()
    assert b'"economic_pct":12.5' in ready.get("/v1/stakes/s")[1]
    lines.write_text('{"resource": "shareholders", "record": {"slug": "c", "name": "c", "kind": "company"}}\n'
                     '{"resource": "shareholders", "record": {"slug": "d", "name": "d", "kind": "village"}}\n'
                     '{"resource": \n')
    done = ready.on("import", str(lines), ok=False)  # beside the running service
    assert done.returncode == 1
    assert f"{lines}:2: /record/kind: " in done.stderr and f"{lines}:3: " in done.stderr and "nothing was imported" in done.stderr
    assert ready.get("/v1/shareholders/c")[0] == 404
    lines.write_text('{"resource": "shareholders", "record": {"slug": "c", "name": "c", "kind": "company"}}\n')
    assert ready.on("import", str(lines)).stdout.startswith("1 created")
    assert ready.get("/v1/shareholders/c")[0] == 200
    assert ready.stop() == 0


def test_files_that_cannot_be_read_are_all_named(ready, place):
    text = place / "notes.txt"
    text.write_text("x")
    done = ready.on("import", str(place / "none.json"), str(place), str(text), ok=False)
    assert done.returncode == 1
    for said in ("none.json: No such file", f"{place} is a directory", "notes.txt: its name ends in neither"):
        assert said in done.stderr


def test_a_new_base_is_told_of(program):
    """A --data-dir may have been mistyped."""
    done = program.on("key", "create", "--name", "desk", "--scope", "read")
    assert f"there was no base in {program.data}: a new, empty one is made" in done.stderr
    assert "no base" not in program.on("key", "list").stderr


def test_a_whole_key_does_not_stay_in_argv(ready):
    ready.start()
    key = ready.on("key", "create", "--name", "desk", "--scope", "write").stdout.strip()
    os.kill(ready.postmaster(), signal.SIGSTOP)  # so that the command waits
    command = subprocess.Popen(ready.arguments("key", "revoke", key, "--data-dir", str(ready.data)), stderr=subprocess.PIPE)
    try:
        with open(f"/proc/{command.pid}/cmdline", "rb") as f:
            eventually(lambda: f.seek(0) == 0 and b"xxxxxxxx" in f.read(), 10, "the key's end in argv")
            f.seek(0)
            assert key[13:].encode() not in f.read()
    finally:
        os.kill(ready.postmaster(), signal.SIGCONT)
        command.communicate()
    assert command.returncode == 0 and ready.stop() == 0


def test_migrate_says_what_it_did(program):
    first = program.on("migrate").stdout
    assert re.fullmatch(r"The schema is at \d+ now, \d+ migrations? applied\.\n", first)
    assert "already" in program.on("migrate").stdout


def test_the_contract_needs_no_base(program):
    contract = json.loads(program.run("contract").stdout)
    assert {"shareholders", "projects", "stakes"} <= set(json.dumps(contract).replace('"', " ").split())
    assert not program.data.exists()
