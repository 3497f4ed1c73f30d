"""The fact: its id is derived from what it says, and from nothing else."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest

from contracts.fact import FACT_TYPES, TYPE_OF, Fact, Origin, make_fact
from contracts.facts.base import Content
from contracts.facts.dose_dispensing import DoseConsent
from contracts.facts.prescribing import Order
from contracts.values import Dosage, DosageStep, Identifier, Medication, Quantity

PERSON = Identifier(system="http://electronichealth.se/identifier/personnummer", value="191212121212")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ORIGIN = Origin(source="primary-care", source_id="ORD-1", patient="p-1", version=3, occurred_at=NOON, recorded_at=NOON)
CONSENT = DoseConsent(person=PERSON, status="given")


def order(dose: str) -> Order:
    """Return an order of so many tablets a day."""
    step = DosageStep(dose=Quantity(value=Decimal(dose), unit="{tablet}"), frequency=1)
    return Order(
        person=PERSON,
        medication=Medication(kind="registered", npl_id="99000000000020"),
        status="active",
        setting="outpatient",
        dosage=Dosage(steps=(step,)),
    )


def fact(origin: Origin = ORIGIN, content: Content = CONSENT, received_at: datetime = NOON) -> Fact:
    """Return a fact with something changed."""
    return make_fact(origin, content, received_at)


def test_equal_statements_have_equal_ids_whenever_they_arrive() -> None:
    """A duplicate is known by its id, however much later it comes."""
    assert fact().id == fact(received_at=NOON + timedelta(days=400)).id


def test_the_same_instant_in_another_zone_is_the_same_statement() -> None:
    """A source that changes its way of writing offsets does not say anything new."""
    summer = NOON.astimezone(timezone(timedelta(hours=2)))
    changed = msgspec.structs.replace(ORIGIN, occurred_at=summer, recorded_at=summer)

    assert fact(changed) == fact()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("source", "hospital"),
        ("source_id", "ORD-2"),
        ("patient", "p-2"),
        ("version", 4),
        ("occurred_at", NOON + timedelta(seconds=1)),
        ("occurred_at", None),
        ("recorded_at", NOON + timedelta(seconds=1)),
    ],
)
def test_each_part_of_the_origin_makes_another_statement(field: str, value: object) -> None:
    """Two facts that differ in whose record they are, or when, are two facts."""
    assert fact(msgspec.structs.replace(ORIGIN, **{field: value})).id != fact().id


def test_other_content_makes_another_statement() -> None:
    """Two facts that say different things are two facts, even as the same version of a record."""
    assert fact(content=order("1")).id != fact(content=order("2")).id
    assert fact(content=DoseConsent(person=PERSON, status="withdrawn")).id != fact().id


def test_the_id_of_a_known_fact_stays() -> None:
    """Ids are stored in facts, lists and decisions for ever: the way they are derived never changes."""
    assert fact().id == "43a11e38-65fd-5b05-a06a-c242c498435b"


@pytest.mark.parametrize("field", ["occurred_at", "recorded_at"])
def test_a_time_without_zone_is_a_bug_of_the_mapping(field: str) -> None:
    """No local time gets past the edge."""
    naive = msgspec.structs.replace(ORIGIN, **{field: NOON.replace(tzinfo=None)})

    with pytest.raises(ValueError, match=field):
        fact(naive)


def test_a_receipt_without_zone_is_a_bug() -> None:
    """The knowledge axis is in UTC."""
    with pytest.raises(ValueError, match="received_at"):
        fact(received_at=NOON.replace(tzinfo=None))


def test_every_type_has_one_name_and_every_name_one_type() -> None:
    """A CloudEvents type and a content type tell each other."""
    assert {TYPE_OF[kind]: kind for kind in FACT_TYPES.values()} == dict(FACT_TYPES)
    assert fact().type == "medlist.dose-consent.v1"
