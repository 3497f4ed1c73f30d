"""``medlist publish``: what it shows of plans and standings, and that a person's word reaches the publisher."""

import json
from collections.abc import Iterator

import pytest

from connectors.kafka.embedded import EmbeddedBroker
from connectors.nll_sandbox.settings import TEST_CLIENTS
from connectors.pseudonym import partition_of, pseudonymiser
from connectors.settings import Settings
from contracts.publication import HELD_REASONS, HELD_REASONS_SV
from contracts.topics import LIST, PUBLISH, PUBLISH_REQUEST
from streams.command.publish_tables import _WORDS
from tests.streams.command.conftest import Medlist
from tests.streams.publish.cases import METOPROLOL_50, PERSON, dosage, line, replaced, standing, the_list
from tests.streams.publish.door import answers
from tests.streams.topology.publisher.wire import PARTITIONS, Endpoint, committed, eventually, publisher, send

KEY = "a-key-of-tests-that-protects-nobody-at-all"
PATIENT = pseudonymiser(KEY.encode())(PERSON)
PLACE = partition_of(PATIENT, PARTITIONS)
STOPPED = standing("rx-2", status="stopped", state="ended", medication=METOPROLOL_50)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A sandbox behind a door."""
    with Endpoint() as running:
        yield running


@pytest.fixture
def environment(endpoint: Endpoint) -> Iterator[dict[str, str]]:
    """The variables of a deployment on an embedded broker."""
    with EmbeddedBroker({LIST: PARTITIONS, PUBLISH: PARTITIONS, PUBLISH_REQUEST: PARTITIONS}) as broker:
        yield {
            "MEDLIST_KAFKA": broker.bootstrap,
            "MEDLIST_PSEUDONYM_KEY": KEY,
            "MEDLIST_PARTITIONS": str(PARTITIONS),
            "MEDLIST_NLL_BASE_URL": endpoint.door.base,
            "MEDLIST_NLL_TOKEN_URL": f"{endpoint.door.base}/oauth2/token",
            "MEDLIST_NLL_CLIENT_ID": "medlist",
            "MEDLIST_NLL_CLIENT_SECRET": TEST_CLIENTS["medlist"].secret,
        }


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    """The same, for a publisher of the test."""
    demo = Settings.for_demo(environment["MEDLIST_KAFKA"], nll_base_url=environment["MEDLIST_NLL_BASE_URL"])
    assert demo.partitions == PARTITIONS
    return demo


def test_a_plan_says_what_why_and_what_not(
    medlist: Medlist, environment: dict[str, str], settings: Settings, endpoint: Endpoint
) -> None:
    """By personnummer or pseudonym; the newest list counts; nothing is written."""
    rx = standing()
    old = the_list(line(rx), patient=PATIENT)
    new = the_list(
        line(replaced(rx, dosage=dosage("2 tabletter varje morgon", "2"))),
        line(standing("rx-9", setting="inpatient")),
        line(STOPPED),
        patient=PATIENT,
    )
    send(settings, old, partition=PLACE)
    with publisher(settings):
        eventually(lambda: committed(settings) == 1, "the old list is published")
    send(settings, new, partition=PLACE)
    writes = len(endpoint.door.writes)

    told = json.loads(medlist("publish", "plan", PERSON.value, "--json", "--verify", **environment).stdout)
    shown = medlist("publish", "plan", PATIENT, **environment)

    assert told["unread"] is None, told
    assert [(one["kind"], one["why"], one["changed"]) for one in told["operations"]] == [
        ("update", "differs", ["dosage"])
    ]
    assert [one["reason"] for one in told["held"]] == ["inpatient"]
    assert told["refused"] == []
    assert shown.exit_code == 0
    assert "2 tabletter varje morgon" in shown.stdout
    assert HELD_REASONS_SV["inpatient"][:20] in shown.stdout
    assert PERSON.value not in shown.output
    assert [one for one in endpoint.door.writes[writes:] if "$verify" not in one] == []
    assert endpoint.words() == ["1 tablett varje morgon"]


def test_what_somebody_else_changed_is_shown_in_plan_and_standing(
    medlist: Medlist, environment: dict[str, str], settings: Settings, endpoint: Endpoint
) -> None:
    """With its reason in both languages; nothing of it is silent."""
    rx = standing()
    send(settings, the_list(line(rx), patient=PATIENT), partition=PLACE)
    with publisher(settings):
        eventually(lambda: committed(settings) == 1, "it is registered")
        endpoint.another_changes("3 tabletter varje kväll")
        send(settings, the_list(line(replaced(rx, purpose="mot kärlkramp")), patient=PATIENT), partition=PLACE)
        eventually(lambda: committed(settings) == 2, "it is held")

    planned = json.loads(medlist("publish", "plan", PATIENT, "--json", **environment).stdout)
    standing_now = json.loads(medlist("publish", "status", "--json", **environment).stdout)
    shown = [
        medlist("publish", which, *more, **environment).stdout for which, *more in (("plan", PATIENT), ("status",))
    ]
    english = medlist("publish", "status", "--lang", "en", **environment).stdout

    assert (planned["operations"], [one["reason"] for one in planned["held"]]) == ([], ["changed-there"])
    assert standing_now["changed_there"] == [{"patient": PATIENT, "record": rx.record}]
    assert standing_now["held"] == {"changed-there": 1}
    assert all(HELD_REASONS_SV["changed-there"][:20] in one for one in shown)
    assert HELD_REASONS["changed-there"][:20] in english


def test_a_plan_can_ask_what_would_become_of_it(
    medlist: Medlist, environment: dict[str, str], settings: Settings, endpoint: Endpoint
) -> None:
    """The endpoint's own rules, in a dry run that stores nothing; without the option it is not asked."""
    send(settings, the_list(line(standing(workplace_code=None)), patient=PATIENT), partition=PLACE)

    asked = json.loads(medlist("publish", "plan", PATIENT, "--json", "--verify", **environment).stdout)
    unasked = json.loads(medlist("publish", "plan", PATIENT, "--json", **environment).stdout)
    shown = medlist("publish", "plan", PATIENT, "--verify", "--lang", "en", **environment)

    assert [one["code"] for one in asked["refused"]] == ["F.004"]
    assert unasked["refused"] is None
    assert "F.004" in shown.stdout
    assert endpoint.statuses() == []


def test_a_plan_tells_why_it_knows_nothing(
    medlist: Medlist, environment: dict[str, str], settings: Settings, endpoint: Endpoint
) -> None:
    """No list; nobody of that number; an endpoint that does not answer."""
    nobody = medlist("publish", "plan", "191212121213", **environment)
    unlisted = medlist("publish", "plan", "195009072553", **environment)
    send(settings, the_list(line(standing()), patient=PATIENT), partition=PLACE)
    endpoint.door.shut = True
    away = medlist("publish", "plan", PATIENT, "--json", **environment)

    assert ("PUB-001" in nobody.output, nobody.exit_code) == (True, 1)
    assert "191212121213" not in nobody.output
    assert ("PUB-002" in unlisted.output, unlisted.exit_code) == (True, 1)
    assert json.loads(away.stdout)["unread"] == "token-http-503"


def test_the_standing_tells_who_is_parked_since_when_and_why_until_a_person_has_it_tried_again(
    medlist: Medlist, environment: dict[str, str], settings: Settings, endpoint: Endpoint
) -> None:
    """The codes of the endpoint, and no word of the patient."""
    endpoint.door.faults.append(answers(422))
    send(settings, the_list(line(standing()), patient=PATIENT), partition=PLACE)
    with publisher(settings):
        eventually(lambda: committed(settings) == 1, "the list is parked")
        parked = json.loads(medlist("publish", "status", "--json", **environment).stdout)
        shown = medlist("publish", "status", "--lang", "en", **environment)
        asked = medlist("publish", "unpark", PATIENT, "--why", "the register was mended", **environment)
        eventually(lambda: endpoint.statuses() == ["active"], "it is tried again")
        eventually(
            lambda: json.loads(medlist("publish", "status", "--json", **environment).stdout)["unsettled"] == [],
            "it is told as published",
        )

    assert parked["states"] == {"published": 0, "pending": 0, "parked": 1, "failing": 0}
    assert [(one["patient"], one["problems"][0]["code"]) for one in parked["unsettled"]] == [(PATIENT, "http-422")]
    assert parked["unsettled"][0]["since"].startswith("2026-03-02")
    assert "http-422" in shown.stdout
    assert (asked.exit_code, asked.stdout.strip()) == (0, PATIENT)


def test_lists_that_no_publisher_has_taken_are_pending(
    medlist: Medlist, environment: dict[str, str], settings: Settings, endpoint: Endpoint
) -> None:
    """Also while none runs: a newer list than the one that was told of waits, since it was written."""
    send(settings, the_list(line(standing()), patient=PATIENT), partition=PLACE)
    before = json.loads(medlist("publish", "status", "--json", **environment).stdout)
    with publisher(settings):
        eventually(lambda: committed(settings) == 1, "the list is published")
    settled = json.loads(medlist("publish", "status", "--json", **environment).stdout)
    send(settings, the_list(line(standing(packages=2)), patient=PATIENT), partition=PLACE)
    after = json.loads(medlist("publish", "status", "--json", **environment).stdout)
    shown = medlist("publish", "status", **environment)

    assert [one["waiting"]["patients"] for one in (before, settled, after)] == [1, 0, 1]
    assert settled["waiting"]["since"] is None
    assert after["waiting"]["since"] > before["waiting"]["since"]
    assert "1 patient(er) har en lista" in shown.stdout


def test_nobody_is_tried_again_who_was_never_tried(medlist: Medlist, environment: dict[str, str]) -> None:
    """A mistyped name is told, not queued."""
    ended = medlist("publish", "unpark", "0" * 32, **environment)

    assert (ended.exit_code, "PUB-003" in ended.output) == (1, True)


def test_every_reason_and_word_has_both_languages() -> None:
    """Care staff read Swedish; the codes are the same."""
    assert HELD_REASONS.keys() == HELD_REASONS_SV.keys()
    assert _WORDS["sv"].keys() == _WORDS["en"].keys()
