"""POST /v1/ownership/what-if: before and after side by side, nothing stored, everything wrong named at once."""

import copy
import datetime
import random
import re
from decimal import Decimal

import pytest

import lodebase
from lodebase import NOBODY, Token, project, shareholder, stake, unique

PATH = "/v1/ownership/what-if"
DAY = "2026-01-15"
ECHO = {"known_at", "revision"}


@pytest.fixture(scope="module")
def ask(anyone):
    """Asks; without a key, because nothing is written."""
    return lambda expect=200, **body: anyone.post(PATH, {"valid_at": DAY, **body}, expect=expect)


def owners(subject, **more):
    return {"ask": "owners", "subject": {"shareholder": subject}, **more}


def cap_table(subject, **more):
    return {"ask": "cap-table", "subject": {"shareholder": subject}, **more}


def figures(body):
    """{slug: pct, or (min, max)} of the owners."""
    return {o["holder"]["slug"]: o["pct"] if "pct" in o else (o["min_pct"], o["max_pct"]) for o in body["owners"]}


def rows(table):
    return {h["holder"]["slug"]: h["pct"] for h in table["holders"]}


def screening(subject, **more):
    return {"ask": "screening", "subject": {"shareholder": subject}, **more}


def without(body, names):
    return {k: v for k, v in body.items() if k not in names}


@pytest.fixture
def make(api):
    """make("shareholders", …): a record, stored."""
    return lambda resource, record: api.post(f"/v1/{resource}", record, expect=201).json


@pytest.fixture
def people(make):
    """people(3): slugs of shareholders on file."""
    return lambda n: [make("shareholders", shareholder())["slug"] for _ in range(n)]


@pytest.fixture
def rule(make):
    """The slug of a rule: who of the parties has 25 % or more, warrants and all that is contingent aside."""
    return make("rules", {"slug": unique("ru"), "title": "A quarter", "threshold_pct": 25, "comparator": ">=", "measures": ["economic"],
                          "aggregation": "any_combination", "method": "integrated", "contingent": "ignore"})["slug"]


# --- vectors ---------------------------------------------------------------------------------------------------------

def test_warrants_of_a_company_that_is_only_thought_of(ask, people):
    kz, dow = people(2)
    co, first, second = unique("co"), unique("st"), unique("st")
    warrant = {"instrument": "warrant", "contingent": True, "dilutive": True, "issuer_id": co}
    body = {"shareholders": [shareholder(slug=co)],
            "add": [stake(kz, issuer_id=co, economic_pct=100), stake(dow, slug=first, economic_pct="14.5", **warrant),
                    stake(dow, slug=second, economic_pct=20, **warrant)],
            "questions": [owners(co), cap_table(co)]}
    both = ask(**body, exercise=[first, second]).json["answers"]
    assert figures(both[0]["after"]) == {kz: Decimal("65.5"), dow: Decimal("34.5")}
    assert rows(both[1]["after"]["basic"]) == {kz: Decimal("65.5"), dow: Decimal("34.5")}
    one = ask(**body, exercise=[first]).json["answers"]
    assert figures(one[0]["after"]) == {kz: Decimal("85.5"), dow: Decimal("14.5")}
    assert rows(one[1]["after"]["basic"]) == {kz: Decimal("85.5"), dow: Decimal("14.5")}
    assert rows(one[1]["after"]["fully_diluted"]) == {kz: Decimal("65.5"), dow: Decimal("34.5")}
    none = ask(**body).json["answers"]
    assert figures(none[0]["after"]) == {kz: 100}
    for answer in both + one + none:  # there is no such company before
        assert answer["before"]["status"] == 404 and answer["before"]["type"] == "/problems/not-found"
        assert answer["before"]["errors"] == []


def test_an_option_from_one_holder_and_a_warrant(ask, make, people):
    south, public, dow, co = people(4)
    make("stakes", stake(south, issuer_id=co, economic_pct=30))
    make("stakes", stake(public, issuer_id=co, economic_pct=70))
    option = make("stakes", stake(dow, issuer_id=co, slug=unique("st"), instrument="option", economic_pct="12.25", contingent=True,
                                  counterparty_id=south))
    warrant = make("stakes", stake(dow, issuer_id=co, instrument="warrant", economic_pct=10, contingent=True, dilutive=True))
    answer = ask(exercise=[option["slug"], warrant["id"]], questions=[owners(co)]).json["answers"][0]
    assert figures(answer["before"]) == {south: 30, public: 70}
    assert figures(answer["after"]) == {south: Decimal("15.975"), public: 63, dow: Decimal("21.025")}
    # the same by changing what the option is
    answer = ask(change=[{"stake": option["id"], "economic_pct": 5}], exercise=[option["id"]], questions=[owners(co)]).json["answers"][0]
    assert figures(answer["after"]) == {south: 25, public: 70, dow: 5}


def test_what_is_exercised_may_be_too_much(ask, make, people):
    a, b, co = people(3)
    make("stakes", stake(a, issuer_id=co, economic_pct=100))
    warrants = [make("stakes", stake(b, issuer_id=co, instrument="warrant", economic_pct=60, contingent=True, dilutive=True))["id"]
                for _ in "ab"]
    answer = ask(exercise=warrants, questions=[owners(co)]).json["answers"][0]
    assert figures(answer["before"]) == {a: 100}
    assert answer["after"]["type"] == "/problems/over-exercised" and answer["after"]["status"] == 422
    assert answer["after"]["subject"]["slug"] == co


def test_a_ring_that_would_close(ask, make, people):
    a, b = people(2)
    make("stakes", stake(a, issuer_id=b, economic_pct=100))
    answer = ask(add=[stake(b, issuer_id=a, economic_pct=100)], questions=[owners(a)]).json["answers"][0]
    assert answer["before"]["owners"] == []
    assert answer["after"]["type"] == "/problems/closed-ring"
    assert {m["slug"] for m in answer["after"]["members"]} == {a, b}


def test_new_projects_stand_on_their_company(ask, people):
    kz, = people(1)
    co, plant = unique("co"), unique("pr")
    answer = ask(shareholders=[shareholder(slug=co)], projects=[project(slug=plant, company_id=co)],
                 add=[stake(kz, issuer_id=co, economic_pct=80)],
                 questions=[{"ask": "owners", "subject": {"project": plant}},
                            {"ask": "holdings", "subject": {"shareholder": kz}}]).json["answers"]
    assert figures(answer[0]["after"]) == {co: 100, kz: 80}
    path = next(o["paths"] for o in answer[0]["after"]["owners"] if o["holder"]["slug"] == kz)[0]["stakes"]
    assert [(s["implied"], s["id"] is None) for s in path] == [(False, False), (True, True)]
    assert answer[1]["before"]["holdings"] == []
    assert {h["subject"]["slug"]: h["pct"] for h in answer[1]["after"]["holdings"]} == {co: 80, plant: 80}


def test_screenings_before_and_after(ask, make, people, rule):
    a, b, co = people(3)
    make("stakes", stake(a, issuer_id=co, economic_pct=20))
    vehicle, plant = unique("co"), unique("pr")
    body = {"shareholders": [shareholder(slug=vehicle)], "projects": [project(slug=plant, company_id=vehicle)],
            "add": [stake(a, issuer_id=vehicle, economic_pct=50), stake(vehicle, issuer_id=co, economic_pct=10), stake(b, issuer_id=co, economic_pct=70)]}
    seen = [a, vehicle]
    answers = ask(**body, questions=[screening(co, rules=[rule], parties=[a]), screening(plant, rules=[rule], parties=[a])
                                     | {"subject": {"project": plant}}, screening(co, rules=[rule], parties=seen),
                                     {"ask": "screening", "subjects": [{"shareholder": co}, {"shareholder": b}], "rules": [rule], "parties": [a]}]).json["answers"]
    outcomes = [[x["results"][0]["outcome"] if "results" in x else x.get("status") for x in (y["before"], y["after"])] for y in answers]
    assert outcomes[:3] == [["indeterminate", "caught"], [422, "caught"], [422, "caught"]]
    result = answers[0]["after"]["results"][0]
    assert (result["min_pct"], result["max_pct"]) == (25, 30)  # what is unknown of the vehicle may be the party's
    assert [e["pointer"] for e in answers[1]["before"]["errors"]] == ["/questions/1/subject/project"]
    assert [e["pointer"] for e in answers[2]["before"]["errors"]] == ["/questions/2/parties/1"]
    assert len(answers[3]["after"]["items"]) == 2 and answers[3]["after"]["valid_at"] == DAY


def test_shares_are_exact(ask, make, people):
    """A third is a third: three of them are the whole, of the votes, too; on file as in thought."""
    *holders, co, other = people(5)
    add = [stake(h, issuer_id=co, shares_held=1, shares_issued=3) for h in holders]
    for record in add:
        make("stakes", record | {"issuer_id": other})
    for measure in ("economic", "voting"):
        answers = ask(add=add, questions=[cap_table(co, measure=measure), cap_table(other, measure=measure)]).json["answers"]
        for table in (answers[0]["after"]["basic"], answers[1]["before"]["basic"]):
            assert (table["total_pct"], table["unexplained_pct"]) == (100, 0)
            assert set(rows(table).values()) == {Decimal("33.333333333333")}


def test_of_one_day(ask, make, people):
    a, co = people(2)
    add = [stake(a, issuer_id=co, economic_pct=10, valid_from="2027-01-01")]
    assert figures(ask(add=add, questions=[owners(co)]).json["answers"][0]["after"]) == {}
    later = ask(add=add, questions=[owners(co)], valid_at="2027-01-01").json
    assert later["valid_at"] == "2027-01-01" == later["answers"][0]["after"]["valid_at"]
    assert figures(later["answers"][0]["after"]) == {a: 10}


def test_of_one_instant(ask, api, make, people):
    a, b, co = people(3)
    made = make("stakes", stake(a, issuer_id=co, economic_pct=10))
    then = ask(questions=[owners(co)]).json
    api.delete(f"/v1/stakes/{made['id']}", expect=204)
    body = {"change": [{"stake": made["id"], "economic_pct": 20}], "questions": [owners(co)]}
    assert ask(422, **body).faults == {("/change/0/stake", "reference")}
    past = ask(**body, known_at=then["revision"]).json
    assert (past["known_at"], past["revision"]) == (then["known_at"], then["revision"])
    assert (figures(past["answers"][0]["before"]), figures(past["answers"][0]["after"])) == ({a: 10}, {a: 20})
    assert past["answers"][0]["before"] == then["answers"][0]["before"]
    assert ask(**body, known_at=then["known_at"]).json["answers"][0]["after"]["owners"] == past["answers"][0]["after"]["owners"]
    today = datetime.datetime.now(datetime.timezone.utc).date()
    now = api.post(PATH, {"questions": [owners(co)]}, expect=200).json
    assert abs(datetime.date.fromisoformat(now["valid_at"]) - today).days <= 1


# --- what holds of any -----------------------------------------------------------------------------------------------

METHODS = ["integrated", "simple_paths", "weakest_link", "control", "cascade", "attribution", "direct"]


class Structure:
    """A random register, and random changes to it that keep every subject below 100 %."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.nodes = [("shareholders", unique("sh")) for _ in range(4)] + [("projects", unique("pr"))]
        self.left = {}
        self.stakes = [self.stake() for _ in range(5)]
        self.new = [("shareholders", unique("sh")), ("projects", unique("pr"))]
        self.nodes += self.new
        self.added = [self.stake() for _ in range(4)]
        self.removed, self.changed = self.stakes[:1], [s for s in self.stakes[1:3]]

    def stake(self):
        holder = self.random.choice([s for r, s in self.nodes if r == "shareholders"])
        resource, subject = self.random.choice(self.nodes)
        share = self.random.randint(1, 22)
        if self.left.setdefault(subject, 100) < share:
            share = 0
        self.left[subject] -= share
        more = self.random.choice([{"economic_pct": share}, {"economic_min_pct": share, "economic_max_pct": share + 9},
                                   {"shares_held": share, "shares_issued": 100}, {"economic_pct": share, "voting_pct": 0},
                                   {"economic_pct": share, "contingent": True, "dilutive": True, "instrument": "warrant"},
                                   {"economic_pct": Token(f"{share}.123456789012") if share else 0, "stage": "expected"}])
        field = "issuer_id" if resource == "shareholders" else "project_id"
        return stake(holder, slug=unique("st"), **{field: subject}, **more)

    def changes(self):
        return [{"stake": s["slug"], "stage": "closed", "valid_from": "2020-01-01", "note": "otherwise"} if i else
                {"stake": s["slug"], "holder_id": self.new[0][1], "valid_to": "2026-06-01"} for i, s in enumerate(self.changed)]

    def questions(self, rule):
        names = {"shareholders": "shareholder", "projects": "project"}
        found = []
        for resource, slug in self.nodes:
            subject = {names[resource]: slug}
            method = self.random.choice(METHODS)
            found.append({"ask": "owners", "subject": subject, "method": method, "contingent":
                          self.random.choice(["ignore", "exercised"]), "stages": self.random.choice([["closed"], ["closed", "expected"]])})
            found.append({"ask": "owners", "subject": subject, "group_by": "country", "paths": 5, "min_pct": "0.5"})
            found.append({"ask": "cap-table", "subject": subject, "measure": "voting"})
            found.append({"ask": "screening", "subject": subject, "rules": [rule], "parties": [n for r, n in self.nodes[:2]]})
            if resource == "shareholders":
                found.append({"ask": "holdings", "subject": subject, "limit": 100})
        return found


def by_call(client, question, known_at):
    """The call itself."""
    if question["ask"] == "screening":
        return client.post("/v1/screenings", without(question, {"ask"}) | {"valid_at": DAY, "known_at": known_at}).json
    (name, slug), = question["subject"].items()
    params = {k: ",".join(v) if isinstance(v, list) else v for k, v in question.items() if k not in ("ask", "subject")}
    return client.get(f"/v1/{name}s/{slug}/{question['ask']}", {**params, "valid_at": DAY, "known_at": known_at}).json


def compared(body):
    """But for the instant, and what only tells who was asked."""
    body = copy.deepcopy(body)
    for name in (*ECHO, "request_id"):
        body.pop(name, None)
    for e in body.get("errors", []):
        e["pointer"] = re.sub("^/questions/[0-9]+", "", e["pointer"])
    return body


@pytest.mark.parametrize("seed", range(8))
def test_before_is_what_the_calls_say_and_after_is_what_they_say_once_it_is_so(api, ask, rule, seed):
    s = Structure(seed)
    made = {"shareholders": [], "projects": []}
    for resource, slug in s.nodes[:5]:
        made[resource].append((shareholder if resource == "shareholders" else project)(slug=slug, country=s.random.choice(["US", "KR"])))
    api.post("/v1/import", {**made, "stakes": s.stakes}, expect=200)
    ids = {slug: f"0190000{seed}-0000-7000-8000-{i:012x}" for i, slug in enumerate([x["slug"] for x in s.added] + [n for _, n in s.new])}
    thought = {"shareholders": [shareholder(slug=s.new[0][1], id=unique_id(ids, s.new[0][1]))],
               "projects": [project(slug=s.new[1][1], id=unique_id(ids, s.new[1][1]))],
               "add": [x | {"id": unique_id(ids, x["slug"])} for x in s.added]}
    questions = s.questions(rule)
    position = api.get("/v1/changes", {"after": "now"}).json["next_after"]
    answer = ask(**thought, change=s.changes(), remove=[x["slug"] for x in s.removed], questions=questions)
    assert api.get("/v1/changes", {"after": position}).json["items"] == [], "something was stored"
    assert [set(a) for a in answer.json["answers"]] == [{"before", "after"}] * len(questions)
    for question, got in zip(questions, answer.json["answers"]):
        assert compared(got["before"]) == compared(by_call(api, question, answer.json["revision"])), question
        if "status" not in got["before"]:
            assert (got["before"]["known_at"], got["before"]["revision"]) == (answer.json["known_at"], answer.json["revision"])

    for x in s.removed:
        api.delete(f"/v1/stakes/{x['slug']}", expect=204)
    api.post("/v1/import", {"shareholders": thought["shareholders"], "projects": thought["projects"]}, expect=200)
    for change in s.changes():
        api.patch(f"/v1/stakes/{change['stake']}", without(change, {"stake"}), expect=200)
    api.post("/v1/import", {"stakes": thought["add"]}, expect=200)
    for question, got in zip(questions, answer.json["answers"]):
        assert compared(got["after"]) == compared(by_call(api, question, "now")), question


def unique_id(ids, slug, salt=lodebase.secrets.token_hex(2)):
    """An id for a record that is to be thought of first and made then; other runs on the base have others."""
    return ids[slug][:9] + salt + ids[slug][13:]


def test_the_same_request_gives_the_same_answer(ask, people):
    a, co = people(2)
    body = {"add": [stake(a, issuer_id=co, economic_pct=10) for _ in "ab"], "questions": [owners(co), cap_table(co)]}
    first = ask(**body).json
    again = ask(**body, known_at=first["revision"]).json
    assert again == first
    ids = first["answers"][1]["after"]["basic"]["holders"][0]["stakes"]
    assert ids == sorted(ids) and len(set(ids)) == 2 and all(i.startswith("ffffffff-ffff-8") for i in ids)


# --- 100 % -----------------------------------------------------------------------------------------------------------

def test_no_more_than_the_whole(ask, api, make, people):
    a, b, co = people(3)
    first = make("stakes", stake(a, issuer_id=co, slug=unique("st"), economic_pct=60, valid_from="2026-03-01"))
    add = [stake(b, issuer_id=co, economic_pct=Token("40.000000000001"), valid_to="2026-04-01"),
           stake(b, issuer_id=co, economic_pct=50, stage="expected"), stake(b, issuer_id=co, economic_pct=50, contingent=True)]
    refused = ask(409, add=add, questions=[owners(co)])
    assert refused.type == "over-allocated" and refused.faults == {("/add/0/economic_pct", "range")}
    problem = refused.json
    assert (problem["at"], problem["total_pct"]) == ("2026-03-01", Decimal("100.000000000001"))
    assert problem["subject"] == {"resource": "shareholders", **{k: api.get(f"/v1/shareholders/{co}").json[k] for k in ("id", "slug", "name")}}
    assert [(s["slug"], s["holder"]["slug"], s["economic_pct"]) for s in problem["stakes"]] == [
        (first["slug"], a, 60), (None, b, Decimal("40.000000000001"))]
    # as the write itself says it
    written = api.post("/v1/stakes", add[0], params={"dry_run": "true"}, expect=409).json
    for member in ("subject", "at", "total_pct", "detail", "type", "title"):
        assert written[member] == problem[member], member
    assert [without(s, {"id"}) for s in written["stakes"]] == [without(s, {"id"}) for s in problem["stakes"]]
    # exactly the whole is none too much, nor what ends on the day when it begins
    ask(add=[stake(b, issuer_id=co, economic_pct=40)], questions=[owners(co)])
    ask(add=[stake(b, issuer_id=co, economic_pct=90, valid_to="2026-03-01")], questions=[owners(co)])
    # what goes makes room
    ask(add=add, remove=[first["id"]], questions=[owners(co)])
    ask(add=add, change=[{"stake": first["slug"], "economic_pct": 59}], questions=[owners(co)])
    refused = ask(409, change=[{"stake": first["slug"], "valid_from": None}],
                  add=[stake(b, issuer_id=co, economic_min_pct=41)], questions=[owners(co)])
    assert refused.faults == {("/add/0/economic_pct", "range"), ("/change/0/economic_pct", "range")}
    assert (refused.json["at"], refused.json["total_pct"]) == (None, 101)


def test_sums_of_shares_are_exact(ask, people):
    a, co = people(2)
    thirds = [stake(a, issuer_id=co, shares_held=1, shares_issued=3) for _ in range(3)]
    ask(add=thirds, questions=[cap_table(co)])
    grain = stake(a, issuer_id=co, shares_held=1, shares_issued=2**63 - 1)
    refused = ask(409, add=[*thirds, grain], questions=[cap_table(co)]).json
    assert refused["total_pct"] == Decimal("100.000000000001")
    primes = [n for n in range(10**9, 10**9 + 12000) if all(n % k for k in range(2, 200))][:500]
    many = [stake(a, issuer_id=co, shares_held=n - n // 2, shares_issued=n * 250) for n in primes]
    assert ask(409, add=many, questions=[cap_table(co)]).json["total_pct"] > 100
    ask(add=many[1:499], questions=[cap_table(co)])


def test_every_subject_that_is_too_full_is_named(ask, people):
    a, one, other = people(3)
    refused = ask(409, add=[stake(a, issuer_id=x, economic_pct=60) for x in (one, other, one, other)], questions=[owners(one)])
    assert refused.places == {f"/add/{i}/economic_pct" for i in range(4)}
    assert refused.json["subject"]["slug"] in (one, other)


# --- faults ----------------------------------------------------------------------------------------------------------

def test_all_that_is_wrong_is_named_at_once(ask, make, people):
    a, co = people(2)
    held = make("stakes", stake(a, issuer_id=co, slug=unique("st"), economic_pct=10))
    other = make("stakes", stake(a, issuer_id=co, economic_pct=10))
    refused = ask(
        422, colour="red", valid_at="2026-02-30",
        shareholders=[shareholder(slug=a), shareholder(slug="x" * 101), shareholder(kind="tribe"), 7,
                      shareholder(slug="twice-in-one"), shareholder(slug="twice-in-one"), shareholder(version=1)],
        projects=[project(company_id="nobody-at-all", latitude=3), project(status=None)],
        add=[stake("nobody-at-all", issuer_id=co), stake(a, issuer_id=co, project_id=NOBODY), stake(a, issuer_id=NOBODY, colour=1),
             stake(a, issuer_id=co, slug=held["slug"]), stake(a, issuer_id=co, financing_id="nobody-at-all"),
             stake(a, issuer_id=co, counterparty_id="nobody-at-all", id=held["id"])],
        change=[{"stake": held["slug"], "economic_min_pct": 3}, {"economic_pct": 3}, {"stake": "nobody-at-all"}, [],
                {"stake": other["id"], "version": 9, "holder_id": "nobody-at-all", "slug": held["slug"]}],
        remove=[NOBODY, 7, "Not A Slug", held["slug"]],
        exercise=[other["id"], "nobody-at-all", {}],
        questions=[{"ask": "owners"}, {"ask": "gossip", "subject": {"shareholder": a}}, {"subject": {"project": a}},
                   {"ask": "holdings", "subject": {"project": a}}, owners(a, method="magic"), owners(a, threshold=50),
                   owners(a, colour="red"), owners(a, valid_at=DAY, known_at="now"), owners(a, method="cascade", parties=["nobody-at-all"]),
                   cap_table(a, method="control"), "why", {"ask": "owners", "subject": {"shareholder": a, "project": "x", "colour": 1}},
                   screening(a, rules=["nobody-at-all"], parties=["nobody-at-all"], designations=["nobody-at-all"], valid_at=DAY, colour=1),
                   screening("nobody-at-all")])
    assert refused.faults == {
        ("/colour", "unknown"), ("/valid_at", "format"),
        ("/shareholders/0/slug", "taken"), ("/shareholders/1/slug", "format"), ("/shareholders/2/kind", "enum"), ("/shareholders/3", "type"),
        ("/shareholders/5/slug", "repeated"), ("/shareholders/6/version", "read-only"),
        ("/projects/0/company_id", "reference"), ("/projects/0/latitude", "incomplete"), ("/projects/0/longitude", "incomplete"),
        ("/projects/1/status", "required"),
        ("/add/0/holder_id", "reference"), ("/add/1/issuer_id", "exclusive"), ("/add/1/project_id", "exclusive"),
        ("/add/1/project_id", "reference"), ("/add/2/issuer_id", "reference"), ("/add/2/colour", "unknown"), ("/add/3/slug", "taken"),
        ("/add/4/financing_id", "reference"), ("/add/5/counterparty_id", "reference"), ("/add/5/id", "taken"),
        ("/change/0/economic_pct", "exclusive"), ("/change/0/economic_min_pct", "exclusive"), ("/change/1/stake", "required"),
        ("/change/2/stake", "reference"), ("/change/3", "type"), ("/change/4/version", "read-only"),
        ("/change/4/holder_id", "reference"), ("/change/4/slug", "taken"),
        ("/remove/0", "reference"), ("/remove/1", "type"), ("/remove/2", "format"), ("/remove/3", "repeated"),
        ("/exercise/1", "reference"), ("/exercise/2", "type"),
        ("/questions/0/subject", "required"), ("/questions/1/ask", "enum"), ("/questions/2/ask", "required"),
        ("/questions/2/subject/project", "reference"), ("/questions/3/subject/project", "exclusive"),
        ("/questions/3/subject/project", "reference"), ("/questions/4/method", "enum"), ("/questions/5/threshold", "exclusive"),
        ("/questions/6/colour", "unknown"), ("/questions/7/valid_at", "unknown"), ("/questions/7/known_at", "unknown"),
        ("/questions/8/parties", "reference"), ("/questions/9/method", "unknown"), ("/questions/10", "type"),
        ("/questions/11/subject/project", "exclusive"), ("/questions/11/subject/project", "reference"),
        ("/questions/11/subject/colour", "unknown"),
        ("/questions/12/rules/0", "reference"), ("/questions/12/parties/0", "reference"), ("/questions/12/designations/0", "reference"),
        ("/questions/12/valid_at", "unknown"), ("/questions/12/colour", "unknown"),
        ("/questions/13/subject/shareholder", "reference"), ("/questions/13/rules", "required")}


def test_what_is_to_be_exercised_is_contingent_and_there(ask, make, people):
    a, co = people(2)
    plain = make("stakes", stake(a, issuer_id=co, economic_pct=10))["id"]
    warrant = make("stakes", stake(a, issuer_id=co, economic_pct=10, contingent=True))["id"]
    gone = make("stakes", stake(a, issuer_id=co, economic_pct=10, contingent=True))["id"]
    refused = ask(422, exercise=[plain, warrant, warrant, gone, "of-the-request", "of-the-request"], remove=[gone],
                  add=[stake(a, issuer_id=co, slug="of-the-request", contingent=True)], questions=[owners(co)])
    assert refused.faults == {("/exercise/0", "exclusive"), ("/exercise/2", "repeated"), ("/exercise/3", "reference"),
                              ("/exercise/5", "repeated")}
    changed = [{"stake": plain, "contingent": True, "slug": "thought-of"}, {"stake": warrant, "contingent": False}]
    refused = ask(422, exercise=["thought-of", warrant], change=changed, questions=[owners(co)])
    assert refused.faults == {("/exercise/1", "exclusive")}
    ask(exercise=[plain], change=changed, questions=[owners(co)])


def test_a_change_is_a_merge_patch(ask, api, make, people):
    a, co = people(2)
    whole = make("stakes", stake(a, issuer_id=co, shares_held=1, shares_issued=4))
    after = lambda **change: ask(change=[{"stake": whole["id"], **change}], questions=[cap_table(co)]).json["answers"][0]["after"]
    assert rows(after(shares_held=2)["basic"]) == {a: 50}
    assert rows(after(**without(whole, {"shares_held", "id"}), shares_held=2)["basic"]) == {a: 50}  # what GET gave
    assert rows(after(shares_held=None, shares_issued=None, economic_pct="12.5")["basic"]) == {a: Decimal("12.5")}
    assert rows(after()["basic"]) == {a: 25}
    for wrong in ({"shares_held": 5}, {"economic_pct": 26}, {"stage": None}, {"economic_max_pct": 5}, {"id": NOBODY}, {"holder": {"id": NOBODY}}):
        mine = ask(422, change=[{"stake": whole["id"], **wrong}], questions=[owners(co)])
        theirs = api.patch(f"/v1/stakes/{whole['id']}", wrong, expect=422)
        assert mine.faults == {(f"/change/0{where}", code) for where, code in theirs.faults}
    other = make("stakes", stake(a, issuer_id=co, slug=unique("st"), economic_pct=1))
    assert ask(422, change=[{"stake": whole["id"], "slug": other["slug"]}], questions=[owners(co)]).faults == {("/change/0/slug", "taken")}
    ask(change=[{"stake": whole["id"], "slug": other["slug"]}], remove=[other["slug"]], questions=[owners(co)])


def test_financings_that_stakes_name(ask, make, people):
    a, co = people(2)
    plant = make("projects", project())["slug"]
    money = make("financings", {"slug": unique("fi"), "name": "Loan", "project_id": plant, "track": "loan", "status": "closed"})
    held = make("stakes", stake(a, issuer_id=co, economic_pct=1, financing_id=money["id"]))
    ask(add=[stake(a, issuer_id=co, financing_id=money["slug"]), stake(a, issuer_id=co, financing_id=money["id"])],
        change=[{"stake": held["id"], "financing_id": money["slug"]}], questions=[owners(co)])
    refused = ask(422, change=[{"stake": held["id"], "financing_id": NOBODY}], questions=[owners(co)])
    assert refused.faults == {("/change/0/financing_id", "reference")}


@pytest.mark.parametrize("body, faults", [
    ([], {("", "type")}), ({}, {("/questions", "required")}), ({"questions": []}, {("/questions", "length")}),
    ({"questions": {}}, {("/questions", "type")}), ({"questions": None, "add": 3}, {("/questions", "required"), ("/add", "type")}),
    ({"questions": [{}] * 101}, {("/questions", "length")}),
    ({"remove": [NOBODY] * 1001, "questions": [1]}, {("/remove", "length"), ("/questions/0", "type")}),
    ({"known_at": 7, "questions": [1]}, {("/known_at", "type"), ("/questions/0", "type")}),
    ({"known_at": "soon", "add": [1], "questions": [1]}, {("/known_at", "format"), ("/add/0", "type"), ("/questions/0", "type")}),
    ({"known_at": "2999-01-01T00:00:00Z", "add": [1], "questions": [1]},
     {("/known_at", "range"), ("/add/0", "type"), ("/questions/0", "type")})])
def test_bodies_that_are_none(anyone, body, faults):
    assert anyone.post(PATH, body, expect=422).faults == faults


def test_lists_may_be_null_or_empty(ask, people):
    co, = people(1)
    nothing = ["shareholders", "projects", "add", "change", "remove", "exercise"]
    for value in (None, []):
        answer = ask(**{name: value for name in nothing}, known_at=None, questions=[owners(co)]).json["answers"][0]
        assert answer["before"] == answer["after"]


def test_how_it_may_be_asked(anyone, closed, keys, people):
    co, = people(1)
    body = {"questions": [owners(co)]}
    assert anyone.post(PATH, body, params={"dry_run": "true"}, expect=400).faults == {("dry_run", "unknown")}
    assert anyone.post(PATH, body=b"{", expect=400).type == "malformed"
    closed.client().post(PATH, body, expect=401)
    closed.client(keys["read"]).post(PATH, body, expect=200)
    anyone.post(PATH, body, headers={"Accept": "text/csv"}, expect=406)
    anyone.post(PATH, body, type="text/plain", expect=415)
    anyone.post(PATH, body=b'{"x": "' + b"x" * (1 << 20) + b'"}', expect=413)
    assert anyone.get(PATH, expect=405).header("Allow") == "POST, OPTIONS"


def test_of_many(ask, people):
    """The most that a request can think of: a thousand of each, and a hundred questions."""
    a, co = people(2)
    new = [unique("sh") for _ in range(1000)]
    add = [stake(h, issuer_id=co, shares_held=1, shares_issued=1000) for h in new]
    answers = ask(shareholders=[{"slug": s, "name": s, "kind": "fund"} for s in new], add=add,
                  questions=[owners(co, paths=0, limit=5)] + [cap_table(a)] * 99).json["answers"]
    assert len(answers) == 100 and len(answers[0]["after"]["owners"]) == 5 and answers[0]["after"]["truncated"]
    assert {o["pct"] for o in answers[0]["after"]["owners"]} == {Decimal("0.1")} and answers[0]["after"]["unexplained_pct"] == 0


JUNK = [None, True, 0, -1, 10**30, Token("1e400"), "", "x", "x" * 101, "\0", "\n", NOBODY, NOBODY.upper(), DAY, "now", [], {}, [[]], [None],
        {"a": 1}, {"project": {}}, ["x", "x"]]


def places(value, found, path=()):
    """All places within a JSON value."""
    found.append(path)
    for k, v in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        places(v, found, path + (k,))
    return found


def spoil(body, choice):
    """The body with something else at one place, a member less, or one more."""
    path = choice.choice(places(body, [])[1:])
    inside = body
    for step in path[:-1]:
        inside = inside[step]
    how = choice.randrange(4)
    if how == 0 and isinstance(inside, dict):
        del inside[path[-1]]
    elif how == 1 and isinstance(inside[path[-1]], dict):
        inside[path[-1]][choice.choice(["colour", "", "a/b~c", "stake", "holder", "id"])] = copy.deepcopy(choice.choice(JUNK))
    elif how == 2 and isinstance(inside[path[-1]], list):
        inside[path[-1]].append(copy.deepcopy(choice.choice(JUNK + inside[path[-1]])))
    else:
        inside[path[-1]] = copy.deepcopy(choice.choice(JUNK))


@pytest.mark.parametrize("seed", range(3))
def test_whatever_comes_is_answered(anyone, make, people, seed):
    a, b, co = people(3)
    held = make("stakes", stake(a, issuer_id=co, slug=unique("st"), shares_held=1, shares_issued=3, note="as it was"))
    warrant = make("stakes", stake(b, issuer_id=co, economic_pct=10, contingent=True, dilutive=True))
    body = {"valid_at": DAY, "known_at": "now",
            "shareholders": [shareholder(slug="thought-of", country="KR", identifiers=[{"scheme": "KR-CRN", "id": "1"}])],
            "projects": [project(slug="thought-of", company_id=co)],
            "add": [stake("thought-of", issuer_id=co, economic_min_pct=1, economic_max_pct=3, slug="thought-of"),
                    stake("thought-of", project_id="thought-of", instrument="option", counterparty_id=a, contingent=True,
                          slug="thought-option")],
            "change": [{"stake": held["slug"], "shares_held": 2, "valid_from": "2020-01-01"}], "remove": [], "exercise": [warrant["id"], "thought-option"],
            "questions": [owners(co, stages=["closed"], method="cascade", parties=[a]), cap_table(co), {"ask": "holdings", "subject": {"shareholder": a}},
                          {"ask": "owners", "subject": {"project": "thought-of"}, "kind": ["fund", "company"], "min_pct": "0.5"}]}
    choice, seen = random.Random(seed), set()
    for _ in range(100):
        spoilt = copy.deepcopy(body)
        for _ in range(choice.randint(1, 3)):
            spoil(spoilt, choice)
        seen.add(anyone.post(PATH, spoilt).status)
    assert {200, 422} <= seen <= {200, 409, 422}
