"""The service, built with ThreadSanitizer, under everything at once: reads, writes, imports, keys that come and go, a killed
backend, and SIGTERM in the middle of it. No report, and nothing is told to be overlooked. tsan.py makes the build on first
use; LODEBASE_TSAN_BIN names another one, LODEBASE_TSAN_SECONDS (6) says how long the load lasts."""
import os
import re
import signal
import threading
import time

import pytest

from base import Base
from load import Connection, Load, audit
from program import environment, eventually
from tsan import built

SECONDS = float(os.environ.get("LODEBASE_TSAN_SECONDS", "6"))


@pytest.fixture
def threads(tmp_path, place):
    b = Base(built(), place)
    b.env = environment(place, TSAN_OPTIONS="halt_on_error=0:exitcode=66:second_deadlock_stack=1:history_size=4")
    try:
        b.start("--workers", "4", env=b.env)
        yield b
    finally:
        b.end()


def command(base, *words):
    """Also where the server is just coming back."""
    def done():
        ended = base.on(*words, env=base.env, ok=False)
        assert ended.returncode == 0 or "reached" in ended.stderr or "closed the connection" in ended.stderr, ended.stderr
        assert "ThreadSanitizer" not in ended.stderr, ended.stderr
        return ended.stdout if ended.returncode == 0 else None
    return eventually(done, 60, words)


def churn_keys(base, over, used):
    """Makes a key, writes with it on two connections, revokes it meanwhile; then it is refused."""
    while not over.is_set():
        text = command(base, "key", "create", "--name", "churn", "--scope", "write")
        key = max(re.findall(r"lode_[A-Za-z0-9_-]+", text), key=len)
        statuses = []

        def write(name, key=key, statuses=statuses):
            connection, n = Connection(base.address, key), 0
            while True:
                n += 1
                try:
                    status, _, _ = connection.ask("POST", "/v1/shareholders", {"name": "Churn", "kind": "person",
                                                                                "slug": f"{name}-{n}"})
                except OSError:
                    return
                statuses.append(status)
                if status == 401:
                    return
                time.sleep(0.1 if status == 503 else 0.01)
        writers = [threading.Thread(target=write, args=(f"{key[5:13].lower()}-{i}",), daemon=True) for i in range(2)]
        for w in writers:
            w.start()
        command(base, "key", "revoke", key[:13])
        for w in writers:
            w.join(60)
        used.append(statuses)


def test_no_report_of_the_thread_sanitizer(threads, dice):
    with open(threads.binary, "rb") as f:
        assert b"__tsan_init" in f.read(), "built without ThreadSanitizer"
    over, used = threading.Event(), []
    with Load(threads.address, threads.admin_key(), writers=8, readers=4, pause=0.01) as load:
        churn = threading.Thread(target=churn_keys, args=(threads, over, used), daemon=True)
        churn.start()
        end = time.monotonic() + SECONDS
        load.wait(100)
        threads.kill("backend", dice)
        load.wait(50)
        while time.monotonic() < end and threads.process.poll() is None:
            load.wait(10)
        over.set()
        churn.join(120)
        assert not churn.is_alive() and not {s for u in used for s in u} - {201, 401, 503}, used
        assert any({201, 401} <= set(u) for u in used), used
        threads.process.send_signal(signal.SIGTERM)
        status = threads.process.wait(60)
    said = threads.err_path.read_text()
    assert "ThreadSanitizer" not in said, said[:12000]
    assert status == 0, threads.tail()
    threads.process = None
    threads.start(env=threads.env)
    print(audit(load, threads.query))
