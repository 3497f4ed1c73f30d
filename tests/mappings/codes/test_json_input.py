"""Reading JSON and numbers: exact, with every key once, within limits."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.problems import Problem
from mappings.codes.json_input import MAX_DEPTH, MAX_TEXT, read_json, root_object
from mappings.codes.numbers import exact, read_decimal, read_whole
from mappings.collecting import Problems


def codes(data: bytes) -> list[tuple[str, str]]:
    """Return codes and places of what is wrong with a JSON text."""
    found = read_json(data)
    assert isinstance(found, tuple)
    return [(problem.code, problem.place) for problem in found]


def test_numbers_are_exact_and_in_one_form() -> None:
    """A tenth is a tenth, and 0.50 is 0.5."""
    assert read_json(b"[0.1, 0.50, 5E-1, 7, 1e2]") == [Decimal("0.1"), Decimal("0.5"), Decimal("0.5"), 7, Decimal(100)]
    assert str(read_decimal("0.50", "x")) == "0.5"
    assert str(read_decimal("1e2", "x")) == "100"


def test_a_key_that_stands_twice_is_found_with_its_path() -> None:
    """Which of two values is meant cannot be known, however deep they stand."""
    data = b'{"a": [{"dos": 1, "dos": 2}], "b": 1, "b": 1}'

    assert codes(data) == [("duplicate-key", "$.a[0].dos"), ("duplicate-key", "$.b")]


def test_a_key_that_may_be_personal_is_not_repeated() -> None:
    """A place names keys that look like names of fields, and no others."""
    assert codes(b'{"191212121212": 1, "191212121212": 2}') == [("duplicate-key", "$.?")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": 123456789012345678901234567890123456789012345678901234567890123}',
        b'{"a": 1e99999999999999999999}',
        b"\xff\xfe",
        b'"\\ud800"',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 5_000,
    ],
)
def test_what_is_no_json_of_ours_is_a_problem(data: bytes) -> None:
    """Syntax, encoding, depth, half characters and numbers that are none are refused by name."""
    assert codes(data)


def test_depth_counts_brackets_not_those_in_texts() -> None:
    """A text full of brackets is no nesting."""
    assert read_json(json.dumps(["[" * 500]).encode()) == ["[" * 500]
    assert isinstance(read_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH), list)
    assert codes(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1)) == [("unreadable", "$")]


def test_fields_of_the_wrong_kind_are_all_named() -> None:
    """Every field that is read and does not fit is a problem of its own."""
    problems = Problems()
    root = root_object(b'{"t": 1, "n": "1", "f": 1, "o": [], "l": {}, "w": 1.5, "m": [1], "e": ""}', problems)
    assert root is not None

    read = [
        root.text("t"),
        root.decimal("n"),
        root.flag("f"),
        root.child("o"),
        root.whole("w"),
        root.text("e", required=True),
        root.text("absent", required=True),
        root.decimal("absent2", required=True),
    ]
    lists = [*root.children("l"), *root.children("m")]

    assert read == [None] * len(read)
    assert lists == []
    assert [problem.place for problem in problems.found] == [
        f"$.{name}" for name in ("t", "n", "f", "o", "w", "e", "absent", "absent2", "l", "m[0]")
    ]


def test_true_is_no_number() -> None:
    """In Python a boolean is an integer; in a message it is not."""
    problems = Problems()
    root = root_object(b'{"n": true}', problems)

    assert root is not None
    assert root.decimal("n") is None
    assert problems


def test_a_text_is_never_cut() -> None:
    """A text beyond its limit is a problem."""
    problems = Problems()
    root = root_object(json.dumps({"t": "x" * (MAX_TEXT + 1)}).encode(), problems)

    assert root is not None
    assert root.text("t") is None
    assert [problem.code for problem in problems.found] == ["too-long"]


@pytest.mark.parametrize("text", ["", "1,5", "1 mg", "NaN", "Infinity", "-Infinity", "1e999", "٣", "0x10", "--1"])
def test_what_is_no_decimal_is_a_problem(text: str) -> None:
    """A comma, a unit or a word is not guessed at."""
    assert isinstance(read_decimal(text, "x"), Problem)


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_any_decimal_is_exact_or_a_problem(value: Decimal) -> None:
    """A number comes out equal to what went in, in a form without exponent, or is refused."""
    read = exact(value, "x")

    assert isinstance(read, Problem) or (read == value and "E" not in str(read))


@given(st.text(max_size=15))
def test_any_text_is_a_number_or_a_problem(text: str) -> None:
    """Nothing that stands where a number should stand raises."""
    assert isinstance(read_decimal(text, "x"), Decimal | Problem)
    assert isinstance(read_whole(text, "x"), int | Problem)


@given(st.binary(max_size=100))
def test_any_bytes_are_json_or_problems(data: bytes) -> None:
    """Nothing that arrives raises."""
    found = read_json(data)

    assert not isinstance(found, tuple) or found
