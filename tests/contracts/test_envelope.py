"""The envelope: a fact survives every mode of CloudEvents, and what is no event is refused with every reason."""

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import (
    CONTENT_TYPE_STRUCTURED,
    UnreadableEventError,
    decode_batch,
    decode_fact,
    encode_batch,
    encode_fact,
    read_event,
    to_binary,
)
from contracts.fact import Fact, Origin, make_fact
from contracts.facts.dose_dispensing import DoseBasis
from contracts.facts.reported_use import ReportedUse
from contracts.values import Identifier, Medication

PERSON = Identifier(system="http://electronichealth.se/identifier/personnummer", value="191212121212")

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
instants = st.datetimes(datetime(1900, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
contents = st.one_of(
    st.builds(DoseBasis, person=st.just(PERSON), status=st.sampled_from(["approved", "not-approved"])),
    st.builds(
        ReportedUse,
        person=st.just(PERSON),
        medication=st.builds(Medication, kind=st.just("free-text"), text=words),
        status=st.just("taking"),
        informant=st.just("patient"),
    ),
)
facts = st.builds(
    make_fact,
    st.builds(
        Origin,
        source=st.just("medlist"),
        source_id=words,
        patient=st.just("p-1"),
        version=st.none() | st.integers(0, 2**53),
        occurred_at=st.none() | instants,
        recorded_at=st.none() | instants,
    ),
    contents,
    instants,
)


def some_fact() -> Fact:
    """Return one fact."""
    origin = Origin(source="medlist", source_id="basis-1", patient="p-1")
    return make_fact(origin, DoseBasis(person=PERSON, status="approved"), datetime(2026, 3, 2, tzinfo=UTC))


def structured(**changes: Any) -> bytes:
    """Return a structured-mode event with some attributes changed; ``None`` leaves one out."""
    event = json.loads(encode_fact(some_fact())) | changes
    return json.dumps({name: value for name, value in event.items() if value is not None}).encode()


@given(facts)
def test_a_fact_survives_every_mode(fact: Fact) -> None:
    """Structured, binary and batched, a fact comes back as it was."""
    headers, value = to_binary(fact)

    assert decode_fact(encode_fact(fact)) == fact
    assert read_event(dict(headers), value) == fact
    assert read_event({"content-type": f"{CONTENT_TYPE_STRUCTURED}; charset=utf-8".encode()}, encode_fact(fact)) == fact
    assert decode_batch(encode_batch([fact, fact])) == [fact, fact]


@given(facts)
def test_headers_carry_no_person_number(fact: Fact) -> None:
    """In binary mode attributes are headers, and nothing of the data is among them."""
    headers, _ = to_binary(fact)

    assert not any(b"191212121212" in value or b"12121212" in value for _, value in headers)


@given(facts)
def test_encoding_is_deterministic_and_one_line(fact: Fact) -> None:
    """The same fact has the same bytes, and a file of facts has one per line."""
    assert encode_fact(fact) == encode_fact(decode_fact(encode_fact(fact)))
    assert b"\n" not in encode_fact(fact)


def test_an_unknown_type_is_refused() -> None:
    """A type that is not published is no fact."""
    with pytest.raises(UnreadableEventError) as caught:
        decode_fact(structured(type="medlist.unknown.v1"))

    assert [(problem.code, problem.place) for problem in caught.value.problems] == [("unknown-code", "type")]


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "subject", "receivedat", "sourceid", "data"])
def test_a_missing_attribute_is_refused_in_structured_mode(name: str) -> None:
    """No attribute that a fact needs has a default."""
    with pytest.raises(UnreadableEventError):
        decode_fact(structured(**{name: None}))


def test_every_missing_header_is_named() -> None:
    """A vendor sees all that is missing at once."""
    headers, value = to_binary(some_fact())
    kept = {name: text for name, text in headers if name in {"content-type", "ce_type", "ce_specversion"}}

    with pytest.raises(UnreadableEventError) as caught:
        read_event(kept, value)

    places = [problem.place for problem in caught.value.problems]
    assert places == [f"header ce_{name}" for name in ("id", "source", "subject", "receivedat", "sourceid")]


@pytest.mark.parametrize("version", ["0.3", "2.0", ""])
def test_other_versions_of_cloudevents_are_refused(version: str) -> None:
    """Only CloudEvents 1.0 is read."""
    with pytest.raises(UnreadableEventError):
        decode_fact(structured(specversion=version))


def test_data_with_an_unknown_field_is_refused_with_its_place() -> None:
    """A field that no type has is a mistyped name, not something to drop."""
    data = {"person": msgspec.to_builtins(PERSON), "status": "approved", "version": 3}

    with pytest.raises(UnreadableEventError) as caught:
        decode_fact(structured(data=data))

    assert "data" in caught.value.problems[0].place


@given(st.binary(max_size=200), st.sampled_from([b"", b"application/json", b"application/cloudevents+json"]))
def test_any_bytes_are_read_or_refused(value: bytes, content_type: bytes) -> None:
    """Nothing that arrives raises anything but the named refusal."""
    headers = dict(to_binary(some_fact())[0]) | {"content-type": content_type}

    with contextlib.suppress(UnreadableEventError):
        assert read_event(headers, value).source == "medlist"
