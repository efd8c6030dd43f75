"""kill -9 of everything there is, at random moments under eight writers: whatever was acknowledged is there exactly once."""
import os
import signal
import subprocess
import time

import pytest

from load import Load, audit
from program import eventually, is_alive

ROOT = os.geteuid() == 0


def judge(load, query):
    found = audit(load, query)
    print(found)
    assert found["acknowledged"] > 0


@pytest.mark.parametrize("what", ["backend", "postmaster", "service"])
def test_what_was_acknowledged_survives_the_kill_of_the(what, running, dice, rounds):
    with Load(running.address, running.admin_key()) as load:
        for _ in rounds:
            load.wait(dice.randrange(20, 100))
            running.kill(what, dice)
            load.wait(10)
    judge(load, running.query)
    assert not (what == "backend" and load.ledger.cuts), load.ledger.cuts  # the service itself answered all the time


def test_both_are_killed_and_a_busy_backend_is_left_behind(running, dice):
    """It computes, so it sees neither that its client nor that its server is gone, and would block the next start."""
    become = ["setpriv", f"--reuid={running.owner()}", "--clear-groups"] if ROOT else []
    busy = subprocess.Popen([*become, "psql", "-qX", "-h", str(running.data / "run"), "-U", "lodebase_service", "-d", "lodebase",
                             "-c", "select count(*) from generate_series(1, 1000000000000)"],
                            stderr=subprocess.DEVNULL, cwd="/")

    def computing():
        return [p for p in running.backends() if b"SELECT" in open(f"/proc/{p}/cmdline", "rb").read()]
    try:
        with Load(running.address, running.admin_key()) as load:
            worker = eventually(computing, 30, "a busy backend")[0]
            load.wait(dice.randrange(20, 80))
            running.kill("both")
            assert not is_alive(worker)
            load.wait(10)
        judge(load, running.query)
    finally:
        busy.kill()
        busy.wait()


def test_sigterm_under_load_fails_no_request(running, dice, rounds):
    for _ in rounds:
        with Load(running.address, running.admin_key(), readers=4) as load:
            load.wait(dice.randrange(20, 100))
            began = time.monotonic()
            running.process.send_signal(signal.SIGTERM)
            assert running.process.wait(15) == 0, running.tail()
            took = time.monotonic() - began
        assert running.ended_well(), running.tail()
        assert not running.postgres_processes(), "PostgreSQL outlives the service"
        assert not load.ledger.cuts, load.ledger.cuts[:10]
        refused = {s: n for s, n in (load.ledger.statuses + load.ledger.reads).items() if s and s >= 500}
        assert not refused, f"answered while draining: {refused}"
        running.start()
        print(f"ended after {took:.1f} s")
        judge(load, running.query)


def test_of_two_instances_one_is_killed(instances, cluster, dice, rounds):
    def query(sql):
        return [tuple(None if v is None else str(v) for v in row) for row in cluster.execute(sql, dbname="chaos")]
    key = instances[0].key("write")
    for n in rounds:
        victim, other = instances[n % 2], instances[1 - n % 2]
        with Load(lambda: (other.host, other.port), key, writers=4, readers=1) as calm:
            with Load(lambda: (victim.host, victim.port), key, writers=4, readers=1) as hurt:
                hurt.wait(dice.randrange(20, 100))
                victim.kill()
                calm.wait(30)
                victim.start()
                hurt.wait(10)
        for load in (calm, hurt):
            judge(load, query)
        # the other one did not notice
        assert not calm.ledger.counts["unknown"] and not calm.ledger.cuts
        assert not {s for s in calm.ledger.statuses + calm.ledger.reads if s >= 500}
