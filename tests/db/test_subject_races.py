"""Subjects in the database itself, whoever writes: what is claimed of is there, and stays (triggers, not foreign keys)."""

import threading
import uuid

import psycopg2
import pytest

from cluster import wait_until
from schema_base import Base, database


@pytest.fixture(scope="module")
def name(cluster, binary):
    with database(cluster, binary) as n:
        yield n


@pytest.fixture
def base(cluster, name):
    with Base(cluster, name) as b:
        yield b


@pytest.fixture
def other(cluster, name):
    with Base(cluster, name) as b:
        yield b


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def source(base):
    return base.insert("source", {"slug": unique("s"), "title": "t", "kind": "press", "reliability": "A"})


def claim(base, about, subject, resource="projects", **more):
    return base.insert("claim", {"source_id": about, "subject_resource": resource, "subject_id": subject, "field": "name",
                                 "status": "reported"} | more)


def refused(sqlstate, call, *arguments, **named):
    with pytest.raises(psycopg2.Error) as caught:
        call(*arguments, **named)
    assert caught.value.pgcode == sqlstate, caught.value
    return caught.value


def test_a_subject_is_there_and_of_its_resource(base):
    about, plant = source(base), base.project(unique("p"))
    c = claim(base, about, plant)
    for resource, subject in ("shareholders", plant), ("projects", str(uuid.uuid4())), ("claims", plant):
        assert refused("23503", claim, base, about, subject, resource).diag.constraint_name == "claim_subject_id_fkey"
    refused("23503", base.update, "claim", c, subject_resource="shareholders")
    refused("23503", base.update, "claim", c, subject_id=str(uuid.uuid4()))
    base.update("claim", c, note="the subject stays")
    with pytest.raises(psycopg2.Error):
        claim(base, about, plant, "nonsense")


def test_a_subject_stays(base):
    about, plant, mine = source(base), base.project(unique("p")), base.project(unique("p"))
    c = claim(base, about, plant)
    refused("23503", base.delete, "project", plant)
    refused("23503", base.run, "delete from project where id = any (%s::uuid[])", [mine, plant])
    assert base.one("select count(*) from project where id = any (%s::uuid[])", [mine, plant]) == 2
    base.update("claim", c, subject_id=mine)
    base.delete("project", plant)
    base.delete("claim", c)
    base.delete("project", mine)


def test_a_claim_of_a_claim_goes_with_it_in_one_statement(base):
    about, plant = source(base), base.project(unique("p"))
    first = claim(base, about, plant)
    second = claim(base, about, first, "claims")
    refused("23503", base.delete, "claim", first)
    assert base.run("delete from claim where id = any (%s::uuid[])", [first, second]) == 2


def test_a_record_can_be_its_own_subject(base):
    about, c = source(base), str(uuid.uuid4())
    claim(base, about, c, "claims", id=c)
    base.delete("claim", c)


def test_deletions_under_an_old_snapshot_are_refused(base):
    """They would not see a claim that came meanwhile."""
    plant = base.project(unique("p"))
    for level in "repeatable read", "serializable":
        base.run(f"begin isolation level {level}")
        refused("25001", base.delete, "project", plant)
        base.run("rollback")


def waits(owner, blocked):
    """Until a connection waits for a lock, or is done."""
    pid = blocked.connection.get_backend_pid()
    wait_until(lambda: owner.run("select 1 from pg_stat_activity where pid = %s and wait_event_type = 'Lock'", pid), 20, "the lock")


@pytest.mark.parametrize("first", ["claim", "deletion"])
@pytest.mark.parametrize("ends", ["commit", "rollback"])
def test_two_writers(cluster, name, base, other, first, ends):
    """One waits for the other, and then judges by what that left behind."""
    about, plant = source(base), base.project(unique("p"))
    writes = {"claim": lambda b: claim(b, about, plant), "deletion": lambda b: b.delete("project", plant)}
    second = "deletion" if first == "claim" else "claim"
    outcome = []

    def run():
        try:
            writes[second](other)
            outcome.append("done")
        except psycopg2.Error as e:
            outcome.append(e.pgcode)

    base.run("begin")
    writes[first](base)
    thread = threading.Thread(target=run)
    thread.start()
    with Base(cluster, name, role=None) as owner:
        waits(owner, other)
    base.run(ends)
    thread.join(20)
    assert outcome == ["23503" if ends == "commit" else "done"]
    dangling = "select count(*) from claim c where c.subject_resource = 'projects' and not exists (select from project p where p.id = c.subject_id)"
    assert base.one(dangling) == 0


def test_many_at_once(base):
    """A statement over many rows, of several resources."""
    about = source(base)
    subjects = [("projects", base.project(unique("p"))) for _ in range(20)] + [("shareholders", base.shareholder(unique("h")))]
    rows = [(str(uuid.uuid4()), about, r, s) for r, s in subjects * 3]
    values = ", ".join(["(%s, %s, %s, %s, 'name', 'reported')"] * len(rows))
    insert = f"insert into claim (id, source_id, subject_resource, subject_id, field, status) values {values}"
    assert base.run(insert, *[v for row in rows for v in row]) == len(rows)
    rows = [(str(uuid.uuid4()), *row[1:]) for row in rows[:-1]] + [(str(uuid.uuid4()), about, "shareholders", subjects[0][1])]
    refused("23503", base.run, insert, *[v for row in rows for v in row])
