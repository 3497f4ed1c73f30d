"""Commands that need files only: reconcile, contract check, generate and score, config."""

import json
from pathlib import Path

import pytest
from click.testing import Result

from connectors.settings import MASK
from contracts.envelope import encode_fact
from contracts.sources import DEFAULT_SOURCES
from streams.command.demo.story import load_story
from tests.story.offline import facts_of
from tests.streams.command.conftest import Medlist

RECORDINGS = Path(__file__).resolve().parents[3] / "contracts" / "recordings"
FACTS = facts_of(load_story())
KEY = "k" * 40


@pytest.fixture
def facts_file(tmp_path: Path) -> Path:
    """The story's facts, one event per line."""
    path = tmp_path / "facts.ndjson"
    path.write_bytes(b"".join(encode_fact(fact) + b"\n" for fact in FACTS))
    return path


def objects(result: Result) -> list[dict[str, object]]:
    """The JSON objects that a command printed."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_reconcile_prints_one_object_per_patient_with_every_key(medlist: Medlist, facts_file: Path) -> None:
    """The documented keys are there, and every live fact stands in exactly one line or aside."""
    ended = medlist("reconcile", facts_file, "--json")

    (one,) = objects(ended)
    assert ended.exit_code == 0
    assert set(one) >= {"patient", "valid_at", "known_at", "rules", "items", "findings", "unattached"}
    (items, aside) = one["items"], one["unattached"]
    assert isinstance(items, list)
    assert isinstance(aside, list)
    named = [fact for item in items for fact in item["facts"]] + [entry["fact"] for entry in aside]
    assert len(named) == len(set(named))
    retracted = {fact.id for fact in FACTS if fact.source_id == "ORD-82/administration/2-1"}
    assert set(named) == {fact.id for fact in FACTS} - retracted


def test_reconcile_is_deterministic_and_knows_nothing_of_the_order_of_lines(
    medlist: Medlist, facts_file: Path, tmp_path: Path
) -> None:
    """The same facts in another order, some twice, give the same bytes."""
    lines = facts_file.read_bytes().splitlines(keepends=True)
    other = tmp_path / "other.ndjson"
    other.write_bytes(b"".join([*reversed(lines), *lines[:5]]))

    one, two = (medlist("reconcile", path, "--json") for path in (facts_file, other))

    assert two.stdout == one.stdout


def test_reconcile_asks_for_the_past(medlist: Medlist, facts_file: Path) -> None:
    """Valid then, known then: the list as it stood before the patient was admitted."""
    then = "2026-03-03T18:00:00+01:00"

    ended = medlist("reconcile", facts_file, "--valid-at", then, "--known-at", then, "--json")

    (one,) = objects(ended)
    items = one["items"]
    assert isinstance(items, list)
    assert {(item["product"], item["state"]) for item in items} == {
        ("Seloken ZOC 50 mg", "active"),
        ("Alvedon 500 mg", "active"),
    }


@pytest.mark.parametrize(("lang", "word"), [("sv", "pågående"), ("en", "active")])
def test_reconcile_shows_a_table_in_two_languages(medlist: Medlist, facts_file: Path, lang: str, word: str) -> None:
    """People read words; Swedish unless they ask for English."""
    ended = medlist("reconcile", facts_file, "--lang", lang)

    assert word in ended.stdout
    assert "Metoprolol Sandoz 100 mg" in ended.stdout


def test_reconcile_refuses_a_file_with_a_bad_line_and_names_it(medlist: Medlist, tmp_path: Path) -> None:
    """A list without one of its facts would be a wrong list."""
    path = tmp_path / "facts.ndjson"
    path.write_bytes(encode_fact(FACTS[0]) + b"\n{}\n")

    ended = medlist("reconcile", path, "--json")

    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "facts.ndjson:2" in ended.stderr


def test_a_time_without_zone_is_refused_with_what_to_write(medlist: Medlist, facts_file: Path) -> None:
    """No zone is ever guessed."""
    ended = medlist("reconcile", facts_file, "--valid-at", "2026-03-03T18:00:00")

    assert ended.exit_code == 2
    assert "has no zone" in ended.stderr


def test_a_message_is_checked_and_its_facts_are_shown(medlist: Medlist) -> None:
    """A vendor sees what its message becomes."""
    message = RECORDINGS / "story" / "13-the-hospital-prescribes-metoprolol-100-mg-to-go-home-with" / "message.hl7"

    ended = medlist("contract", "check", "--system", "hospital", message, "--json")

    (one,) = objects(ended)
    facts = one["facts"]
    assert isinstance(facts, list)
    assert (ended.exit_code, one["outcome"], one["problems"]) == (0, "accepted", [])
    assert [fact["type"] for fact in facts] == ["medlist.order.v1", "medlist.prescription.v1"]


def test_every_problem_of_a_message_is_named_and_the_status_is_1(medlist: Medlist) -> None:
    """One bad message among good ones fails the check, and the good ones are still shown."""
    story = RECORDINGS / "story"
    good = story / "15-home-care-gives-a-dose-from-the-old-roll" / "message.json"
    bad = story / "16-home-care-sends-a-signature-that-cannot-be-read" / "message.json"

    ended = medlist("contract", "check", "--system", "municipal", good, bad)

    assert ended.exit_code == 1
    assert ended.stdout.count("problem  ") == 4
    assert ended.stdout.count("fact     medlist.administration.v1") == 1


def test_headers_that_the_vendor_would_send_can_be_given(medlist: Medlist) -> None:
    """A canonical event in structured mode is recognised by its content type, a header."""
    folder = RECORDINGS / "canonical" / "a-stay-goes-on"
    headers = json.loads((folder / "headers.json").read_text())
    options = [part for name, value in headers["headers"].items() for part in ("--header", f"{name}={value}")]

    with_headers = medlist("contract", "check", "--system", "medlist", *options, folder / "message.json")
    without = medlist("contract", "check", "--system", "medlist", folder / "message.json")

    assert "missing" not in with_headers.stdout
    assert without.exit_code == 1


def test_only_vendors_systems_can_be_checked(medlist: Medlist) -> None:
    """Every source of the register can be checked, and nothing else is taken for one."""
    ended = medlist("contract", "check", "--help")
    wrong = medlist("contract", "check", "--system", "nobody", __file__)

    assert all(source.id in ended.stdout for source in DEFAULT_SOURCES if source.topic.startswith("in."))
    assert wrong.exit_code == 2


def test_generated_patients_are_scored_with_figures_as_the_last_line(medlist: Medlist, tmp_path: Path) -> None:
    """Generate, score, and read the figures; hiding the ids is another question."""
    out = tmp_path / "world"
    generated = medlist("generate", "--patients", "3", "--seed", "5", "--out", out)
    shown = medlist("score", out)
    hidden = medlist("score", out, "--hide-ids", "--json")

    figures, harder = json.loads(shown.stdout.splitlines()[-1]), objects(hidden)[0]
    assert generated.exit_code == shown.exit_code == hidden.exit_code == 0
    assert set(figures) >= {"precision", "recall", "states_right", "by_kind"}
    assert (figures["hide_ids"], harder["hide_ids"]) == (False, True)
    assert figures["precision"] > 0.9


def test_the_settings_are_shown_and_secrets_are_not(medlist: Medlist) -> None:
    """Every setting stands there with what to write; a secret only as stars."""
    text = medlist("config", MEDLIST_PSEUDONYM_KEY=KEY, MEDLIST_KAFKA="broker:9092")
    data = medlist("config", "--json", MEDLIST_PSEUDONYM_KEY=KEY)

    assert KEY not in text.stdout + data.stdout
    assert "MEDLIST_KAFKA=broker:9092" in text.stdout
    assert objects(data)[0]["MEDLIST_PSEUDONYM_KEY"] == MASK


def test_an_unknown_setting_is_refused_with_the_one_that_was_meant(medlist: Medlist) -> None:
    """A mistyped variable is an error and not a silent nothing."""
    ended = medlist("config", MEDLIST_KAFCA="broker:9092")

    assert ended.exit_code == 1
    assert "write MEDLIST_KAFKA" in ended.stderr


def test_every_command_has_a_help_text(medlist: Medlist) -> None:
    """Whoever asks for help gets a sentence for each command."""
    ended = medlist("--help")
    commands = (
        "demo",
        "run",
        "nll-sandbox",
        "topics",
        "doctor",
        "config",
        "contract",
        "reconcile",
        "generate",
        "score",
    )

    helps = {name: medlist(name, "--help") for name in commands}

    assert all(name in ended.stdout for name in commands)
    assert all(one.exit_code == 0 and len(one.stdout) > 100 for one in helps.values())


def test_an_unknown_command_is_refused(medlist: Medlist) -> None:
    """No command is guessed."""
    assert medlist("reconsile").exit_code == 2
