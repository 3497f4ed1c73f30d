"""The tokenizer: delimiters, character sets, escapes, and places that are right."""

import pytest

from contracts.facts.prescribing import Order
from contracts.problems import Problem
from contracts.values import Medication
from mappings.sources.reading import Reading
from tests.mappings.hospital.messages import order, read_segments


def note_of(reading: Reading) -> str | None:
    """The note of the only order."""
    (fact,) = reading.facts
    assert isinstance(fact.content, Order)
    return fact.content.note


def medication_of(reading: Reading) -> Medication:
    """The drug of the only order."""
    (fact,) = reading.facts
    assert isinstance(fact.content, Order)
    return fact.content.medication


def problems_of(reading: Reading) -> set[tuple[str, str]]:
    """Codes and places of the problems."""
    return {(problem.code, problem.place) for problem in reading.problems}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f"),
        ("rad 1\\.br\\rad 2", "rad 1\nrad 2"),
        ("\\H\\viktigt\\N\\", "viktigt"),
        ("20 \\XC2B0\\C", "20 °C"),
        ("\\X0D0A\\slut", "slut"),
    ],
)
def test_escapes_are_decoded(written: str, meant: str) -> None:
    """Delimiters, line breaks and hexadecimal bytes come out as what they stand for."""
    reading = read_segments([*order(), f"NTE|1||{written}"])

    assert note_of(reading) == meant


@pytest.mark.parametrize("written", ["half\\", "\\Q\\", "\\XF\\", "\\XFF\\", "\\C1A2\\"])
def test_an_escape_that_cannot_be_decoded_is_named(written: str) -> None:
    """Text is never passed on with a sequence in it that nobody can read."""
    reading = read_segments([*order(), f"NTE|1||{written}"])

    assert problems_of(reading) == {("unreadable", "NTE[1]-3.1")}


def test_a_text_with_an_unescaped_delimiter_is_refused_not_cut() -> None:
    """A note in which ^ or & stands bare has lost its end, as far as a reader can tell."""
    assert problems_of(read_segments([*order(), "NTE|1||före ^ efter"])) == {("unreadable", "NTE[1]-3")}
    assert problems_of(read_segments([*order(), "NTE|1||före & efter"])) == {("unreadable", "NTE[1]-3.1")}


def test_an_explicit_null_is_not_there() -> None:
    """HL7's "" deletes a value: it is read as none, not as two quotation marks."""
    assert note_of(read_segments([*order(), 'NTE|1||""'])) is None


@pytest.mark.parametrize(
    ("stated", "encoding"), [("8859/1", "latin-1"), ("8859/15", "iso8859-15"), ("UNICODE UTF-8", "utf-8")]
)
def test_the_stated_character_set_is_used(stated: str, encoding: str) -> None:
    """Swedish letters survive in every character set that may be stated."""
    reading = read_segments([*order(msh={18: stated}), "NTE|1||Åsa äter örter"], encoding=encoding)

    assert note_of(reading) == "Åsa äter örter"


def test_without_a_stated_character_set_only_ascii_is_read() -> None:
    """What å is in bytes is not guessed; the line is named."""
    reading = read_segments([*order(msh={18: ""}), "NTE|1||på"])

    assert problems_of(reading) == {("unreadable", "line 8")}


def test_other_delimiters_are_used_where_msh_states_them() -> None:
    """A sender may part fields and components with other characters."""
    table = str.maketrans({"|": "$", "^": "*"})
    lines = [line.translate(table) for line in order()]

    assert medication_of(read_segments(lines)).npl_id == "99000000000030"


def test_two_messages_in_one_are_refused() -> None:
    """Whose problems and facts they were could not be told apart."""
    assert problems_of(read_segments([*order(), *order()])) == {("unsupported", "MSH[2]")}


def test_places_count_segments_repetitions_and_components() -> None:
    """A problem in the second order group is named by its own number."""
    second = order(orc={2: "ORD-2"}, rxe={2: "99^x^NPL"})[3:]

    reading = read_segments([*order(), *second])

    assert reading.problems == (
        Problem(code="unreadable", place="RXE[2]-2.1", text="an NPL id or NPL pack id has 14 digits"),
    )
    assert [fact.source_id for fact in reading.facts] == ["ORD-1"]


def test_a_field_that_must_not_repeat_is_not_chosen_from() -> None:
    """Two give codes leave it open which drug is meant."""
    reading = read_segments(order(rxe={2: "99000000000030^A^NPL~99000000000020^B^NPL"}))

    assert ("contradiction", "RXE[1]-2") in problems_of(reading)
    assert reading.facts == ()
