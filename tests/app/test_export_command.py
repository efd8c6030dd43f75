"""`lodebase export`: all records as lines, on standard output or into a file that is there whole or not at all."""
import json
import os
import socket
import stat
import subprocess

from program import environment, eventually

LINES = "".join(json.dumps({"resource": r, "record": {"slug": s, "name": n, "kind": k} | more}, ensure_ascii=False) + "\n"
                for r, s, n, k, more in (("shareholders", "a", "고려아연", "company", {"aliases": ["é"]}),
                                         ("minerals", "zinc", "Zinc", "element", {"symbols": ["Zn"]})))


def leftovers(directory, name):
    return [f for f in os.listdir(directory) if f.startswith(name + ".")]


def imported(program):
    file = program.directory / "in.ndjson"
    file.write_text(LINES, encoding="utf-8")
    program.on("import", str(file))
    return program


def test_to_standard_output_and_into_a_file(ready):
    imported(ready)
    out = ready.on("export")
    records = [json.loads(line) for line in out.stdout.splitlines()]
    assert [(r["resource"], r["record"]["slug"]) for r in records] == [("shareholders", "a"), ("minerals", "zinc")]
    assert set(records[0]["record"]) >= {"id", "slug", "name"} and "version" not in records[0]["record"]
    assert "2 records" in out.stderr and not ready.postgres_processes()

    file = ready.directory / "out.ndjson"
    assert ready.on("export", str(file)).stdout == ""
    assert file.read_text(encoding="utf-8") == out.stdout and not leftovers(ready.directory, "out.ndjson")
    link = ready.directory / "link"
    link.symlink_to("out.ndjson")
    file.write_text("before")
    ready.start()  # and beside a running service, over a file that is there, through a link
    ready.run("export", "link", "--data-dir", str(ready.data), cwd=ready.directory)
    assert file.read_text(encoding="utf-8") == out.stdout and link.is_symlink()
    assert ready.on("import", str(file)).stdout.startswith("0 created, 0 updated, 2 unchanged\n")
    assert ready.stop() == 0
    assert stat.S_IMODE(file.stat().st_mode) & 0o600 == 0o600


def test_what_fails_says_why_and_leaves_the_file_as_it_was(program, place):
    file = place / "kept.ndjson"
    file.write_text("kept")
    for arguments, said in (([str(place)], "is a directory"), ([str(place / "none" / "x")], "No such file"),
                            ([str(file)], "no base yet"),
                            ([str(file), "--database", f"host={place} dbname=x"], "cannot be reached")):
        done = program.run("export", *arguments, "--data-dir", str(program.data), ok=False)
        assert done.returncode == 1 and said in done.stderr, (arguments, done.stderr)
    assert program.on("export", "a", "b", ok=False).returncode == 2
    assert file.read_text() == "kept" and not leftovers(place, "kept.ndjson") and not program.data.exists()


def test_a_reader_that_goes_and_a_disk_that_is_full(ready):
    imported(ready)
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone, open("/dev/full", "wb") as full:
        for out, said in ((gone, "Broken pipe"), (full, "No space left")):
            done = subprocess.run([ready.binary, "export", "--data-dir", str(ready.data)], stdout=out, stderr=subprocess.PIPE,
                                  text=True, timeout=180, env=environment(ready.directory), check=False)
            assert done.returncode == 1 and said in done.stderr
    assert not ready.postgres_processes()


def test_kill_9_leaves_nothing_half(program, place):
    """While it waits for a server that never answers."""
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(place / ".s.PGSQL.5432"))
        silent.listen()
        os.chmod(place / ".s.PGSQL.5432", 0o777)
        process = subprocess.Popen([program.binary, "export", str(place / "half"), "--database", f"host={place} dbname=x"],
                                   env=environment(program.directory))
        try:
            eventually(lambda: leftovers(place, "half"), 30, "the file under its first name")
        finally:
            process.kill()
            process.wait()
        eventually(lambda: not leftovers(place, "half"), 30, "the file gone")
    assert not (place / "half").exists()
