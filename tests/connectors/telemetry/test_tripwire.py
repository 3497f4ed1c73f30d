"""The tripwire: numbers of persons are cut out, what only looks a little like one stays."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.telemetry.tripwire import REDACTED, redact


@pytest.mark.parametrize(
    "number",
    [
        "191212121212",
        "19121212-1212",
        "1212121212",
        "121212-1212",
        "121212+1212",
        "19500907 2553",
        "196109732393",  # samordningsnummer: the day plus 60
        "610973-2393",
        "98240301AA06",  # nationellt reservnummer
        "20210325K069",
        "20210325-K069",
        "191212121213",  # a wrong check digit is a mistyped person all the same
        "19121212\u20131212",  # a dash that a word processor made
    ],
)
@pytest.mark.parametrize("around", ["{}", "person {} here", "in.x/{}/y", "a={};", "pnr{}"])
def test_a_number_of_a_person_is_cut_out(number: str, around: str) -> None:
    """Personnummer, samordningsnummer and reservnummer vanish from texts, wherever they stand."""
    redacted = str(redact(around.format(number)))

    assert REDACTED in redacted
    assert number not in redacted


@pytest.mark.parametrize(
    "text",
    [
        "medlist.fact.v1",
        "2026-11-22T11:52:58",
        "127.0.0.1:9092",
        "d41d8cd98f00b204e9800998ecf8427e",
        "11111111-2222-3333-4444-191212121212",
        "0191212121212000" * 4,
        "connectors.telemetry.setup:120 tell",
        "20211301K069",  # no such month
    ],
)
def test_what_is_no_person_stays(text: str) -> None:
    """Topics, times, addresses, hashes, uuids and places in the code are left as they are."""
    assert redact(text) == text


@pytest.mark.parametrize("number", [191212121212, 1212121212, 196109732393, 191212121212.0])
def test_a_number_may_be_a_person(number: float) -> None:
    """A count with a person's date and check digit is cut out too."""
    assert redact(number) == REDACTED


@pytest.mark.parametrize("number", [0, 17, 1212121213, 191212121213, 171212121212, 19121212121212, True, 0.5])
def test_a_count_stays(number: float) -> None:
    """A number without a person's date or check digit is a count."""
    assert redact(number) == number


def test_the_inside_of_lists_and_mappings_is_searched() -> None:
    """A number is found at any depth, also in the name of an entry."""
    redacted = redact({"191212121212": [{"a": ("x 19121212-1212",)}]})

    assert redacted == {REDACTED: [{"a": [f"x {REDACTED}"]}]}


@given(
    st.text(alphabet="ab -.:", max_size=10),
    st.dates(date(1800, 1, 1)).map(lambda day: day.strftime("%Y%m%d")),
    st.sampled_from(["", "-", "+", " "]),
    st.integers(0, 9999),
    st.text(alphabet="ab -.:", max_size=10),
)
def test_any_date_and_four_digits_is_cut_out(before: str, day: str, separator: str, last: int, after: str) -> None:
    """Whatever stands around it, a date of birth followed by four digits never passes."""
    number = f"{day}{separator}{last:04}"

    assert number not in json.dumps(redact(f"{before}{number}{after}"))
