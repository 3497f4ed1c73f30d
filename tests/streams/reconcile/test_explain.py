"""Every line explains itself in words, in two languages, and so does what is on no line."""

import pytest

from contracts.fact import FACT_TYPES
from contracts.facts.base import TreatmentContent
from streams.command.knowledge import reconciler
from streams.reconcile import explain_texts as texts
from streams.reconcile.evidence import RULE_OF
from streams.reconcile.explain import Explanation, Question, explain
from streams.reconcile.patient import REASON_OF_TYPE
from streams.reconcile.policy import FIELDS, KINDS
from streams.reconcile.timeline import _STATE_RULES
from streams.simulate.world import simulate
from tests.streams.reconcile.clauses import moment
from tests.streams.reconcile.history import History, history
from tests.streams.reconcile.scribe import PATIENT

SEED = 20260322


def explained(told: History, at: str, about: str | None = None, lang: texts.Language = "en") -> Explanation:
    """The explanation of a history's list."""
    patient = told.reconciler.patient(PATIENT)
    patient.add(told.facts)
    return explain(patient, Question(valid_at=moment(at), lang=lang, show=lambda t: f"{t:%Y-%m-%d}", about=about))


def sentences(found: Explanation, heading: str) -> str:
    """All sentences under a heading, in one text."""
    paragraphs = [paragraph for line in found.lines for paragraph in line.paragraphs]
    paragraphs += [found.absent] if found.absent else []
    return "\n".join(one for p in paragraphs if p.heading.startswith(heading) for one in p.sentences)


def test_why_it_is_here_names_the_evidence() -> None:
    """Two sources that share no id: the words say what joined them."""
    told = history(
        "2026-01-01 primary care prescribes Metoprolol Sandoz 50 mg, 1 x 1, as A",
        "2026-01-05 hospital orders Seloken ZOC 50 mg, 1 x 1, as B",
        "2026-01-06 pharmacy dispenses Metoprolol Sandoz 50 mg, for A",
    )

    words = sentences(explained(told, "2026-01-10"), "Why is it here")

    assert "it names the line" in words
    assert "the same substitution group and route, and the periods meet" in words
    assert "it refers to an order on the line" in words


def test_why_it_is_here_names_a_persons_decision() -> None:
    """What a person joined is said to be joined by a person."""
    told = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-05 hospital orders Vätskedrivande, as free text, as B",
        "2026-01-06 a person decides that A and B are the same",
    )

    assert "a person has decided that it is one treatment" in sentences(explained(told, "2026-01-10"), "Why is it here")


def test_why_this_dose_tells_who_won_and_why_the_others_did_not() -> None:
    """The ward's dose counts during the stay, because its kind goes first; the words name winner and loser."""
    told = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-10 hospital admits",
        "2026-01-10 ward orders Furix 40 mg, 2 x 1, as B",
    )

    words = sentences(explained(told, "2026-01-12"), "Why this dose").splitlines()

    assert words[0].startswith("in-patient order, hospital 2026-01-09: 80 mg / d")
    assert words[0].endswith("counts, that kind of entry goes first (precedence).")
    assert words[1].endswith("in-patient order goes before prescription (precedence).")


def test_the_most_of_an_as_needed_dose_is_not_told_as_the_dose() -> None:
    """As needed with a maximum: the words say that it is one, in both languages."""
    told = history("2026-01-01 primary care prescribes Alvedon 500 mg, 2 as needed at most 8 a day")

    assert "as needed, max 4000 mg (" in sentences(explained(told, "2026-01-05"), "Why this dose")
    assert "vid behov, max 4000 mg (" in sentences(explained(told, "2026-01-05", lang="sv"), "Varför den här dosen")


def test_why_this_dose_tells_what_a_person_chose() -> None:
    """A chosen dose says that a person chose it, and the other that it was not chosen."""
    told = history(
        "2026-01-01 primary care orders Furix 40 mg, 1 x 1, as A",
        "2026-01-05 hospital orders Furix 40 mg, 2 x 1, as B",
        "2026-01-06 a person decides for the dosage of A over B",
    )

    words = sentences(explained(told, "2026-01-12"), "Why this dose").splitlines()

    assert words[0].endswith("counts, a person has chosen it.")
    assert words[1].endswith("a person has chosen another entry.")


def test_why_it_has_ended() -> None:
    """The words tell that it was stopped."""
    told = history("2026-01-01 primary care orders Furix 40 mg, 1 x 1, as A", "2026-01-05 primary care stops A")

    found = explained(told, "2026-01-10")

    assert found.lines[0].title == "Furix 40 mg: ended"
    assert "ended, it was stopped, counts" in sentences(found, "Why is it ended")


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("2026-01-05 primary care retracts A", "primary-care has taken it back"),
        ("2026-01-05 municipal care gives Furix 40 mg, as free text", "free text is never put on a line"),
    ],
)
def test_why_it_is_not_here(sentence: str, why: str) -> None:
    """A fact without a line says why it has none."""
    told = history("2026-01-01 primary care orders Furix 40 mg, 1 x 1, as A", sentence)

    assert why in sentences(explained(told, "2026-01-10"), "Why are these entries on no line")


def test_of_blocked_facts_only_their_number_is_told() -> None:
    """Neither product nor source nor id of what is blocked shines through an explanation."""
    told = history(
        "2026-01-01 hospital orders Sertralin Sandoz 50 mg, 1 x 1, as A", "2026-01-05 a person blocks source hospital"
    )

    words = sentences(explained(told, "2026-01-10"), "Why are these entries on no line")

    assert "1 entries are blocked and not shown." in words
    assert "Sertralin" not in words
    assert told.says("A")[:8] not in words


def test_an_old_id_is_led_to_where_it_is_now() -> None:
    """Asked for the id that a line once had, the explanation shows the line it went into."""
    told = history(
        "2026-01-05 hospital orders Furix 40 mg, 1 x 1, as B",
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, received 2026-01-09, as A",
        "2026-01-01 primary care prescribes Eliquis 5 mg, 1 x 2, as C",
    )
    early = told.made("2026-01-06", known_at="2026-01-06").items
    old = next(item.treatment for item in early if item.product == "Furix 40 mg")

    found = explained(told, "2026-01-10", about=old)

    assert [line.title for line in found.lines] == ["Furix 40 mg: active"]
    assert found.leads_to == "The id is of a record that is now on this line."


def test_a_part_of_the_name_is_enough_to_ask() -> None:
    """Asked for a product, only its lines are told."""
    told = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-01 primary care prescribes Eliquis 5 mg, 1 x 2, as C",
    )

    assert [line.title for line in explained(told, "2026-01-10", about="eliq").lines] == ["Eliquis 5 mg: active"]


@pytest.mark.parametrize("lang", ["sv", "en"])
def test_every_line_of_a_region_can_be_explained(lang: texts.Language) -> None:
    """Whatever happens to simulated patients has words, in both languages, at several times."""
    bound = reconciler()
    for index in range(25):
        facts = simulate(SEED, index).facts
        patient = bound.patient(facts[0].patient)
        patient.add(facts)
        for fact in facts[:: max(1, len(facts) // 4)]:
            found = explain(patient, Question(valid_at=fact.received_at, lang=lang, show=str))

            assert all(p.sentences for line in found.lines for p in line.paragraphs)


def test_every_code_has_words() -> None:
    """No rule, kind, field or reason is without a text, and every text has two languages."""
    assert {rule for rule, _, _ in _STATE_RULES} <= set(texts.STATE_RULES)
    assert set(RULE_OF.values()) <= set(texts.JOINS)
    assert {*REASON_OF_TYPE.values(), "free-text", "ambiguous", "no-order"} <= set(texts.ABSENT)
    assert set(KINDS) == set(texts.KINDS)
    assert set(FIELDS) <= set(texts.FIELDS)
    assert {"prescriber", "reason", "end_reason"} <= set(texts.FIELDS)
    assert all(all(pair) for table in texts.ALL for pair in table.values())


def test_every_fact_type_beside_treatments_has_a_reason() -> None:
    """A new fact type that is about no treatment must say why it is on no line."""
    aside = {name for name, content in FACT_TYPES.items() if not issubclass(content, TreatmentContent)}

    assert aside == set(REASON_OF_TYPE)


def test_every_other_value_names_its_rule_and_facts() -> None:
    """Product, start, prescriber and the reason of ending say which entry they are from, and by which rule."""
    told = history(
        "2026-01-01 primary care orders Furix 40 mg, 1 x 1, prescriber 1234567, as A",
        "2026-01-05 primary care stops A, because side-effect",
    )

    words = sentences(explained(told, "2026-01-10"), "Why the other values")

    fact = told.says("A")[:8]
    assert f"Product: it is the only entry in force ({fact})." in words
    assert f"Reason of ending: it is the latest entry in force that says so ({fact})." in words
    assert f"Prescriber: who stands behind the entry that counts ({fact})." in words
