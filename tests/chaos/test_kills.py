"""kill -9 of everything there is, at random moments under eight writers: whatever was acknowledged is there exactly once."""
import os
import subprocess

import pytest

from load import Load, judge
from program import eventually, is_alive

ROOT = os.geteuid() == 0


@pytest.mark.parametrize("what", ["backend", "postmaster", "service"])
def test_what_was_acknowledged_survives_the_kill_of_the(what, running, dice, rounds):
    with Load(running.address, running.admin_key()) as load:
        for _ in rounds:
            load.wait(dice.randrange(20, 80))
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
