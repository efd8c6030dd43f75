"""The end of an instance under load, asked for or not: by SIGTERM nobody loses a request, and of two instances on one base the
other one does not notice."""
import signal
import time

from load import Load, judge


def test_sigterm_under_load_fails_no_request(running, dice, rounds):
    for _ in rounds:
        with Load(running.address, running.admin_key(), readers=4) as load:
            load.wait(dice.randrange(20, 80))
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
                hurt.wait(dice.randrange(20, 80))
                victim.kill()
                calm.wait(30)
                victim.start()
                hurt.wait(10)
        for load in (calm, hurt):
            judge(load, query)
        # the other one did not notice
        assert not calm.ledger.counts["unknown"] and not calm.ledger.cuts
        assert not {s for s in calm.ledger.statuses + calm.ledger.reads if s >= 500}
