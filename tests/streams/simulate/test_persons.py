"""Persons: synthetic numbers that are right, and belong to nobody."""

import pytest

from streams.simulate.persons import MAXIMUM, birth_date, luhn_digit, person_number, pseudonym


@pytest.mark.parametrize("number", ["191212121212", "195009072553", "196101182803"])
def test_check_digit_agrees_with_the_official_test_numbers(number: str) -> None:
    """The check digit of every official test number is what is computed for it."""
    assert luhn_digit(number[2:11]) == int(number[11])


def test_every_person_has_a_number_of_their_own_with_a_test_serial() -> None:
    """Numbers do not repeat, carry a serial of 980 to 989 and the right check digit."""
    indices = [*range(3_000), *range(MAXIMUM - 3_000, MAXIMUM)]

    numbers = [person_number(index) for index in indices]

    assert len(set(numbers)) == len(numbers)
    assert {number[8:10] for number in numbers} == {"98"}
    assert all(luhn_digit(number[2:11]) == int(number[11]) for number in numbers)
    assert all(number.startswith(f"{birth_date(i):%Y%m%d}") for i, number in zip(indices, numbers, strict=True))


@pytest.mark.parametrize("index", [-1, MAXIMUM])
def test_there_are_no_more_persons_than_numbers(index: int) -> None:
    """Asking for a person without a number is an error, not a number used twice."""
    with pytest.raises(ValueError, match="persons are numbered"):
        person_number(index)


def test_pseudonym_does_not_show_the_number() -> None:
    """The pseudonym is a short hash."""
    name = pseudonym("191212121212")

    assert name.startswith("p-")
    assert len(name) == 18
    assert "1212" not in name
