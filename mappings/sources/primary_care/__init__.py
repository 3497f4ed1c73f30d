"""Primary care: responses of RIVTA GetMedicationHistory 2.0 (clinicalprocess:activityprescription:actoutcome).

What is read, and what of a record has no place in a fact, stands in the ``README.md`` beside this file.
"""

from typing import Final

from contracts.fact import Fact, Origin, make_fact
from contracts.facts.correction import Retraction
from contracts.facts.prescribing import Order
from contracts.values import Identifier
from mappings.collecting import Problems
from mappings.sources.primary_care.administrations import administration_id, read_administration
from mappings.sources.primary_care.authorization import prescription_id, read_prescription
from mappings.sources.primary_care.identities import read_ii
from mappings.sources.primary_care.records import Header, Treatment, read_header, read_treatment
from mappings.sources.primary_care.xml_input import Element, parse
from mappings.sources.reading import Context, Message, Reading

ROOT: Final = "GetMedicationHistoryResponse"
MOST_RECORDS: Final = 5_000


def read(message: Message, context: Context) -> Reading:
    """Read a response: every readable record becomes facts, every other one names all its problems."""
    problems = Problems()
    response = parse(message.value, ROOT, problems)
    if response is None:
        return Reading(problems=problems.found)
    result = response.child("result")
    if result is not None and result.text("resultCode") == "ERROR":
        problems.add("unsupported", result.at("resultCode"), "the producer answered with an error; ask it again")
    records = response.children("medicationMedicalRecord")
    if not records:
        problems.add("missing", response.at("medicationMedicalRecord"), "an answer without records says nothing")
    if len(records) > MOST_RECORDS:
        problems.add("too-long", response.place, f"send at most {MOST_RECORDS} records in one answer")
        return Reading(problems=problems.found)
    facts: list[Fact] = []
    for record in records:
        own = Problems()
        read_facts = read_record(record.with_problems(own), context)
        facts.extend(() if own else read_facts)
        problems.take(own)
    return Reading(facts=tuple(facts), problems=problems.found)


def read_record(record: Element, context: Context) -> tuple[Fact, ...]:
    """Return the facts of one record. They count only if the record's problems stay empty."""
    header_element = record.child("medicationMedicalRecordHeader", required=True)
    header = None if header_element is None else read_header(header_element, context)
    holder = record.child("medicationMedicalRecordBody", required=True)
    body = None if holder is None else holder.child("medicationPrescription", required=True)
    if body is None:
        return ()
    if header is not None and header.is_nullified:
        return _retractions(body, header, context)
    treatment = read_treatment(body, header, context)
    prescription = read_prescription(body.child("dispensationAuthorization"), header, treatment, context)
    administrations = [
        read_administration(element, header, treatment, context) for element in body.children("administration")
    ]
    order = None if header is None or treatment is None else _order(header, treatment, context)
    return tuple(fact for fact in (order, prescription, *administrations) if fact is not None)


def _order(header: Header, treatment: Treatment, context: Context) -> Fact:
    content = Order(
        person=header.person,
        medication=treatment.medication,
        route=treatment.route,
        identifiers=_further_ids(header, treatment, context),
        references=treatment.references,
        status=treatment.status,
        setting="outpatient",
        period=treatment.period,
        dosage=treatment.dosage,
        reason=treatment.reason,
        purpose=treatment.purpose,
        end_reason=treatment.end_reason,
        prescriber=treatment.prescriber,
        note=treatment.note,
    )
    origin = Origin(
        source=context.source.id,
        source_id=treatment.record.value,
        patient=context.pseudonym(header.person),
        occurred_at=treatment.occurred_at,
        recorded_at=header.recorded_at,
    )
    return make_fact(origin, content, context.received_at)


def _further_ids(header: Header, treatment: Treatment, context: Context) -> tuple[Identifier, ...]:
    own = Identifier(system=context.source.id, value=treatment.record.value)
    return tuple(identifier for identifier in (treatment.record, header.document) if identifier != own)


def _retractions(body: Element, header: Header, context: Context) -> tuple[Fact, ...]:
    """Take back the order, its prescription (there or not: an earlier version may have had one), its administrations."""
    record = read_ii(body.child("prescriptionId", required=True), context.source.id)
    given = [administration_id(element, context) for element in body.children("administration")]
    if record is None:
        return ()
    ids = [record.value, prescription_id(record.value), *(source_id for source_id in given if source_id)]
    return tuple(
        make_fact(
            Origin(
                source=context.source.id,
                source_id=f"{source_id}/retraction",
                patient=context.pseudonym(header.person),
                recorded_at=header.recorded_at,
            ),
            Retraction(person=header.person, target=Identifier(system=context.source.id, value=source_id)),
            context.received_at,
        )
        for source_id in ids
    )
