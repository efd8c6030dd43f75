"""The 100 % rule: never more than all of one subject at any instant, exactly, in time, and whoever writes at once."""

import json
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


class Subject:
    """One subject, a company or a project, and who holds it."""

    def __init__(self, base, kind):
        self.base = base
        self.holder = base.shareholder("h-" + uuid.uuid4().hex, name="Holder")
        self.id = base.shareholder("c-" + uuid.uuid4().hex, name="Company") if kind == "issuer" \
            else base.project("p-" + uuid.uuid4().hex, name="Project")
        self.field = kind

    def stake(self, pct=None, **members):
        if "shares_held" in members:
            pct = "0"  # the service derives it; the rule counts the shares
        return self.base.stake(self.holder, **{self.field: self.id}, economic_pct=pct, **members)

    def shares(self, held, issued, **members):
        return self.stake(shares_held=held, shares_issued=issued, **members)


@pytest.fixture(params=["issuer", "project"])
def subject(request, base):
    return Subject(base, request.param)


def refused(call, *arguments, **named):
    """The detail of the refusal."""
    with pytest.raises(psycopg2.Error) as caught:
        call(*arguments, **named)
    assert caught.value.pgcode == "LD409", caught.value
    return json.loads(caught.value.diag.message_detail, parse_float=str, parse_int=str)


# --- exactness -------------------------------------------------------------------------------------------------------

def test_all_of_it_passes_and_a_trillionth_more_does_not(subject):
    first = subject.stake("99.999999999999")
    subject.stake("0.000000000001")
    detail = refused(subject.stake, "0.000000000001")
    assert detail["total_pct"] == "100.000000000001"
    assert detail["at"] is None
    assert detail["subject"]["id"] == subject.id
    assert detail["subject"]["resource"] == {"issuer": "shareholders", "project": "projects"}[subject.field]
    assert detail["subject"]["name"] == {"issuer": "Company", "project": "Project"}[subject.field]
    assert len(detail["stakes"]) == 3
    assert detail["stakes"][0]["id"] == first
    assert detail["stakes"][0]["economic_pct"] == "99.999999999999"
    assert detail["stakes"][0]["holder"]["id"] == subject.holder
    assert detail["stakes"][0]["holder"]["name"] == "Holder"


def test_three_thirds(subject):
    for _ in range(3):
        subject.shares(1, 3)
    assert refused(subject.stake, "0.000000000001")["total_pct"] == "100.000000000001"


@pytest.mark.parametrize("last, passes", [(10650056950806, True), (10650056950805, False)])
def test_sylvesters_fractions(subject, last, passes):
    """1/2 + 1/3 + 1/7 + … is 1 only with the right last denominator; the difference is far below the twelfth decimal."""
    for issued in (2, 3, 7, 43, 1807, 3263443):
        subject.shares(1, issued)
    if passes:
        subject.shares(1, last)
    else:
        assert refused(subject.shares, 1, last)["total_pct"] == "100.000000000001"


def test_fractions_of_the_largest_counts(subject):
    most = 2**63 - 1
    subject.shares(most - 1, most)
    subject.shares(1, most)
    refused(subject.shares, 1, most)


def test_a_sixth_twice_and_two_thirds(subject):
    """Division of numerics makes this more than 1."""
    for held, issued in ((2, 3), (1, 6), (1, 6)):
        subject.shares(held, issued)


def test_shares_and_percentages_together(subject):
    subject.shares(1, 3)
    subject.stake("66.666666666666")
    refused(subject.stake, "0.000000000001")


def test_very_many_denominators_are_judged_too(subject):
    """More different share counts than fractions are added for: rounded up, at the sixtieth decimal."""
    base = subject.base
    base.run("insert into stake (id, holder_id, issuer_id, project_id, instrument, stage, economic_pct, shares_held, shares_issued)"
             " select gen_random_uuid(), %s, %s, %s, 'units', 'closed', 0, 1, 1000 + n from generate_series(1, 500) n",
             subject.holder, subject.id if subject.field == "issuer" else None,
             subject.id if subject.field == "project" else None)
    subject.stake("50")
    assert refused(subject.stake, "10")["total_pct"].startswith("100.")


# --- what counts -----------------------------------------------------------------------------------------------------

def test_a_range_counts_with_its_minimum(subject):
    subject.stake(economic_min_pct="40", economic_max_pct="90")
    subject.stake(economic_max_pct="90")
    subject.stake("60")
    assert refused(subject.stake, "1")["total_pct"] == "101"


@pytest.mark.parametrize("stage", ["rumoured", "expected", "loi", "approved", "lapsed", "terminated"])
def test_only_what_is_closed_counts(subject, stage):
    subject.stake("100")
    s = subject.stake("100", stage=stage)
    assert refused(subject.base.update, "stake", s, stage="closed")["total_pct"] == "200"


def test_what_is_contingent_counts_once_it_is_not(subject):
    subject.stake("100")
    s = subject.stake("10", contingent=True)
    subject.base.update("stake", s, note="still an option")
    refused(subject.base.update, "stake", s, contingent=False)


def test_an_update_is_judged_by_what_it_leaves(subject):
    a, b = subject.stake("60"), subject.stake("40")
    base = subject.base
    refused(base.update, "stake", a, economic_pct="60.1")
    base.update("stake", a, economic_pct="10")
    base.update("stake", b, economic_pct="90")
    other = Subject(base, subject.field)
    c = other.stake("20")
    refused(base.update, "stake", c, **{subject.field + "_id": subject.id})
    base.delete("stake", a)
    refused(base.update, "stake", c, **{subject.field + "_id": subject.id})
    base.update("stake", c, **{subject.field + "_id": subject.id}, economic_pct="10")


def test_a_swap_within_one_statement_passes(subject):
    a, b = subject.stake("60"), subject.stake("40")
    swap = ("update stake set version = version + 1, known_xid = pg_current_xact_id(), known_epoch = epoch(),"
            " updated_at = updated_at + interval '1 microsecond', economic_pct = case id when %s then {} else {} end"
            " where id in (%s, %s)")
    subject.base.run(swap.format(40, 60), a, a, b)
    refused(subject.base.run, swap.format(61, 40), a, a, b)


def test_an_upsert_is_judged_at_its_end(subject):
    """As an import does it: what is there shrinks while something new comes, in one statement."""
    a = subject.stake("100")
    upsert = ("insert into stake (id, holder_id, issuer_id, project_id, instrument, stage, economic_pct) select v.id::uuid, %s, %s, %s,"
              " 'units', 'closed', v.pct from (values (%s, {}), (%s, {})) v(id, pct) on conflict (id) do update set version ="
              " stake.version + 1, updated_at = stake.updated_at + interval '1 microsecond', known_xid = pg_current_xact_id(),"
              " known_epoch = epoch(), economic_pct = excluded.economic_pct")
    subjects = (subject.id if subject.field == "issuer" else None, subject.id if subject.field == "project" else None)
    subject.base.run(upsert.format(30, 70), subject.holder, *subjects, a, str(uuid.uuid4()))
    refused(subject.base.run, upsert.format(31, 1), subject.holder, *subjects, a, str(uuid.uuid4()))


def test_a_company_may_hold_itself_and_a_holder_twice(base):
    c = base.shareholder("c-" + uuid.uuid4().hex)
    for _ in range(2):
        base.stake(c, c, economic_pct="50")
    refused(base.stake, c, c, economic_pct="1")


# --- in time ---------------------------------------------------------------------------------------------------------

def test_one_ends_on_the_day_the_next_begins(subject):
    subject.stake("100", valid_to="2024-01-01")
    subject.stake("60", valid_from="2024-01-01", valid_to="2025-01-01")
    subject.stake("40", valid_from="2024-01-01")
    subject.stake("60", valid_from="2025-01-01")


def test_one_day_of_overlap_is_refused_and_named(subject):
    subject.stake("100", valid_to="2024-01-02")
    detail = refused(subject.stake, "60", valid_from="2024-01-01")
    assert (detail["at"], detail["total_pct"], len(detail["stakes"])) == ("2024-01-01", "160", 2)


def test_the_first_day_too_much_is_named_with_who_held_then(subject):
    subject.stake("50")
    subject.stake("50", valid_from="2020-01-01", valid_to="2021-01-01")
    subject.stake("50", valid_from="2022-01-01")
    detail = refused(subject.stake, "10", valid_from="2020-06-01", valid_to="2023-01-01")
    assert (detail["at"], detail["total_pct"]) == ("2020-06-01", "110")
    assert sorted(s["economic_pct"] for s in detail["stakes"]) == ["10", "50", "50"]


def test_time_with_fractions(subject):
    subject.shares(1, 3)
    subject.shares(1, 3, valid_to="2024-01-01")
    subject.shares(1, 3, valid_to="2024-01-01")
    subject.shares(2, 3, valid_from="2024-01-01")
    assert refused(subject.shares, 1, 3000, valid_from="2024-06-01")["at"] == "2024-06-01"


def test_at_most_a_thousand_stakes_are_named(base):
    c = Subject(base, "issuer")
    base.run("insert into stake (id, holder_id, issuer_id, instrument, stage, economic_pct)"
             " select gen_random_uuid(), %s, %s, 'units', 'closed', 0.05 from generate_series(1, 2000)", c.holder, c.id)
    detail = refused(c.stake, "0.5")
    assert (len(detail["stakes"]), detail["total_pct"]) == (1000, "100.5")


# --- at once ---------------------------------------------------------------------------------------------------------

def test_under_another_isolation_nothing_is_written(subject):
    base = subject.base
    for level in ("repeatable read", "serializable"):
        base.run(f"begin isolation level {level}")
        with pytest.raises(psycopg2.Error) as caught:
            subject.stake("1")
        assert caught.value.pgcode == "25001"
        base.run("rollback")


def test_two_writers_and_one_subject(cluster, name, subject):
    """The second waits for the first and then sees what it wrote."""
    base = subject.base
    base.run("begin")
    subject.stake("60")
    outcome = []

    def write():
        with Base(cluster, name) as b:
            try:
                b.stake(subject.holder, **{subject.field: subject.id}, economic_pct="60")
                outcome.append(None)
            except psycopg2.Error as e:
                outcome.append(e.pgcode)

    thread = threading.Thread(target=write)
    thread.start()
    wait_until(lambda: cluster.execute("select 1 from pg_stat_activity where wait_event_type = 'Lock'"), 20, "it waits")
    assert outcome == []
    base.run("commit")
    thread.join()
    assert outcome == ["LD409"]


def test_many_writers_never_go_beyond_and_never_deadlock(cluster, name, base):
    subjects = [Subject(base, kind) for kind in ("issuer", "project") for _ in range(3)]
    codes = []

    def write(n):
        with Base(cluster, name) as b:
            for i in range(30):
                s = subjects[(i * 7 + n) % len(subjects)]
                try:
                    if i % 5 == 4:  # several subjects at once, in any order
                        b.run("insert into stake (id, holder_id, issuer_id, project_id, instrument, stage, economic_pct)"
                              " select gen_random_uuid(), %s, case when k = 'issuer' then i::uuid end, case when k = 'project' then"
                              " i::uuid end, 'units', 'closed', 9 from unnest(%s::text[], %s::text[]) x(k, i) order by random()",
                              s.holder, [x.field for x in subjects], [x.id for x in subjects])
                    else:
                        b.stake(s.holder, **{s.field: s.id}, economic_pct="9")
                    codes.append(None)
                except psycopg2.Error as e:
                    codes.append(e.pgcode)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert set(codes) == {None, "LD409"}
    for s in subjects:
        assert 91 < base.one(f"select sum(economic_pct) from stake where {s.field}_id = %s", s.id) <= 100
