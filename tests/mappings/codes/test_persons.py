"""Person identifiers: official test numbers are read, and each way of being wrong is told."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.problems import Problem
from contracts.systems import NATIONAL_RESERVE_NUMBER, PERSONNUMMER, SAMORDNINGSNUMMER
from contracts.values import Identifier
from mappings.codes.persons import person_system, read_person

TODAY = date(2026, 3, 2)
VALID = ["191212121212", "195009072553", "196101182803"]


def read(value: str, system: str | None = None) -> Identifier | Problem:
    """Read a number as of a fixed day."""
    return read_person(value, system, "PID-3", TODAY)


@pytest.mark.parametrize("number", VALID)
def test_official_test_numbers_are_personnummer(number: str) -> None:
    """Skatteverket's test numbers pass, with their system."""
    assert read(number) == Identifier(system=PERSONNUMMER, value=number)


def test_a_day_above_sixty_is_a_samordningsnummer() -> None:
    """A samordningsnummer is known by its day."""
    assert read("196109732393") == Identifier(system=SAMORDNINGSNUMMER, value="196109732393")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("19121212-1212", "191212121212"),
        ("121212+1212", "191212121212"),
        ("500907-2553", "195009072553"),
        (" 19500907 2553 ", "195009072553"),
        ("121212-1212", "201212121212"),
    ],
)
def test_written_forms_come_out_with_twelve_digits(written: str, expected: str) -> None:
    """Signs and blanks are ways of writing; the sign of a short form tells the century."""
    assert read(written) == Identifier(system=PERSONNUMMER, value=expected)


@pytest.mark.parametrize("number", ["98240301AA06", "20210325K069"])
def test_national_reserve_numbers_have_letters(number: str) -> None:
    """A national reserve number is known by its letters and has no check digit."""
    assert read(number) == Identifier(system=NATIONAL_RESERVE_NUMBER, value=number)


@pytest.mark.parametrize(
    "wrong",
    [
        "191212121213",  # check digit
        "195013072553",  # month 13
        "195002302558",  # 30 February
        "196109922391",  # day 92: neither a day nor a day plus 60
        "1212121212",  # no sign, no century
        "",
        "19121212121",
        "20301212-1212",  # not born yet
        "999912121212",
        "\uff1191212121212",  # a digit, but not an ASCII one
    ],
)
def test_wrong_numbers_are_refused_without_being_quoted(wrong: str) -> None:
    """A wrong number is a problem at its place, whose text never repeats it."""
    problem = read(wrong)

    assert isinstance(problem, Problem)
    assert (problem.code, problem.place) == ("person-invalid", "PID-3")
    assert not wrong or wrong not in problem.text


@pytest.mark.parametrize(
    ("number", "system"),
    [
        ("196109732393", PERSONNUMMER),
        ("191212121212", SAMORDNINGSNUMMER),
        ("191212121212", NATIONAL_RESERVE_NUMBER),
        ("20210325K069", "1.2.752.129.2.1.3.1"),
    ],
)
def test_a_number_of_another_kind_than_its_system_says_is_refused(number: str, system: str) -> None:
    """Which of the two is wrong cannot be known."""
    assert isinstance(read(number, system), Problem)


def test_systems_are_known_by_oid_and_uri() -> None:
    """An OID, the same as a URN, and the URI mean one system; anything else is none."""
    assert person_system("1.2.752.129.2.1.3.1") == PERSONNUMMER
    assert person_system("urn:oid:1.2.752.129.2.1.3.3") == SAMORDNINGSNUMMER
    assert person_system(NATIONAL_RESERVE_NUMBER) == NATIONAL_RESERVE_NUMBER
    assert person_system("1.2.752.97.3.1.3") == "urn:oid:1.2.752.97.3.1.3"
    assert person_system("personnummer") is None


def test_a_regional_reserve_number_keeps_its_own_system() -> None:
    """A region's series is told apart by its OID, and never taken for a personnummer."""
    assert read("R-4711", "1.2.752.97.3.1.3") == Identifier(system="urn:oid:1.2.752.97.3.1.3", value="R-4711")


def test_an_unknown_system_is_refused() -> None:
    """A number whose issuer is not known identifies nobody."""
    problem = read("191212121212", "local")

    assert isinstance(problem, Problem)
    assert problem.code == "unknown-code"


@given(st.sampled_from(VALID), st.integers(2, 11), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(number: str, at: int, shift: int) -> None:
    """The check digit finds every single mistyped digit of the last ten."""
    wrong = number[:at] + str((int(number[at]) + shift) % 10) + number[at + 1 :]

    assert isinstance(read(wrong), Problem)


@given(st.text(max_size=20), st.none() | st.text(max_size=30) | st.sampled_from(["1.2.3", PERSONNUMMER]))
def test_any_text_is_a_person_or_a_problem(text: str, system: str | None) -> None:
    """Nothing that stands where a number should stand raises."""
    assert isinstance(read(text, system), Identifier | Problem)
