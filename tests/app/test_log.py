"""Log lines: one JSON object each, never a secret, and a reader that stalls stalls nobody."""
import json
import subprocess
import time

from program import SANITIZER, environment, eventually


def test_every_line_is_an_object_with_time_level_and_event(ready):
    ready.start()
    key = ready.admin_key()
    ready.post_shareholder("a", key)
    ready.get('/v1/projects?name="\\%22', **{"X-Request-Id": "mine-1", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    assert ready.stop() == 0
    assert key not in ready.out_path.read_text() and key[13:] not in ready.out_path.read_text()
    for e in ready.events():
        assert {"time", "level", "event"} <= set(e) and e["level"] in ("debug", "info", "warning", "error")
    requests = [e for e in ready.events() if e["event"] == "request"]
    written = next(e for e in requests if e["method"] == "POST")
    assert written["actor"] == key[:13] and written["route"].startswith("/v1/")
    assert written["status"] == 201 and written["total_ms"] > 0 and written["db_ms"] > 0
    traced = next(e for e in requests if e["request_id"] == "mine-1")
    assert traced["trace_id"] == "a" * 32 and traced["actor"] is None


def test_a_log_that_nobody_reads_stalls_no_request(ready):
    process = subprocess.Popen(ready.arguments("serve", "--listen", "127.0.0.1:0", "--data-dir", str(ready.data)),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=open(ready.directory / "err", "wb"),
                               env=environment(ready.directory))
    ready.process, ready.err_path, ready.out_path = process, ready.directory / "err", ready.directory / "out"
    lines = []
    try:
        while not lines or lines[-1]["event"] != "ready":
            lines.append(json.loads(process.stdout.readline()))
        ready.out_path.write_text("".join(json.dumps(e) + "\n" for e in lines))
        for _ in range(600):  # a pipe holds some 300 lines
            begun = time.monotonic()
            assert ready.get("/livez")[0] == 200
            assert time.monotonic() - begun < 5
        process.terminate()
        rest = process.stdout.read().decode()
        assert process.wait(15) == 0
        events = [json.loads(line) for line in rest.splitlines()]
        assert sum(e["event"] == "request" for e in events) < 600
        assert any(e["event"] == "log_dropped" for e in events) or events[-1]["event"] != "stopped"
        assert not SANITIZER.search(ready.err_path.read_text())
    finally:
        ready.kill()


def test_metrics_are_prometheus_text(ready):
    ready.start()
    ready.get("/v1/projects")
    ready.get("/nowhere")

    def gauges():
        text = ready.get("/metrics")[1].decode()
        return text if 'lodebase_db_connections_open{lane="write"} 16\n' in text else None
    text = eventually(gauges, 30, "the gauges, published once a second")
    assert 'lodebase_build_info{version="' in text and "lodebase_workers 2\n" in text
    families = set()
    for line in text.splitlines():
        if line.startswith("# HELP "):
            families.add(line.split()[2])
        elif not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            float(value)
            family = name.split("{")[0]
            assert family in families or family.rsplit("_", 1)[0] in families, line
    buckets = [line for line in text.splitlines() if line.startswith("lodebase_request_duration_seconds_bucket") and "/v1/" in line]
    counts = [int(line.rpartition(" ")[2]) for line in buckets if line.split('le="')[0] == buckets[0].split('le="')[0]]
    assert counts == sorted(counts) and counts[-1] >= 1
    assert ready.stop() == 0
