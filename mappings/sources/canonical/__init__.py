"""Canonical messages: sources that speak our published language, a fact as a CloudEvent (binary or structured mode).

Nothing that the sender computed is taken on trust: the id is derived again, ``received_at`` is ours, the subject must be
the pseudonym of the person in the data, and the source must be the one that the topic belongs to.
"""

from typing import Any

from contracts.envelope import CONTENT_TYPE_STRUCTURED, CloudEvent, UnreadableEventError, read_event
from contracts.fact import FACT_TYPES, Fact, Origin, make_fact
from mappings.codes.json_input import Json, read_json
from mappings.codes.times import not_future
from mappings.collecting import Problems
from mappings.sources.canonical.checks import check_content
from mappings.sources.canonical.explain import explain, without_value
from mappings.sources.canonical.normal import normal, normal_time
from mappings.sources.reading import Context, Message, Reading


class _Event(CloudEvent[Any], frozen=True, kw_only=True):
    """A structured-mode event whose data is any JSON."""


def read(message: Message, context: Context) -> Reading:
    """Read one fact that is already a CloudEvent of ours."""
    problems = Problems()
    value = read_json(message.value)
    if isinstance(value, tuple):
        return Reading(problems=value)
    try:
        stated = read_event(message.headers, message.value)
    except UnreadableEventError as error:
        _explain_event(message, value, error, problems)
        return Reading(problems=problems.found)
    fact = _checked(stated, context, problems)
    return Reading(problems=problems.found) if problems or fact is None else Reading(facts=(fact,))


def _checked(stated: Fact, context: Context, problems: Problems) -> Fact | None:
    content = normal(stated.content, "data", problems)
    occurred_at = normal_time(stated.occurred_at, "time", problems)
    recorded_at = normal_time(stated.recorded_at, "recordedat", problems)
    if recorded_at is not None:
        problems.keep(not_future(recorded_at, context.received_at, "recordedat"))
    if stated.source != context.source.id:
        problems.add("contradiction", "source", "is not the source that this topic belongs to")
    if not stated.source_id.strip():
        problems.add("missing", "sourceid", "is required")
    check_content(content, context, problems)
    patient = context.pseudonym(content.person)
    if stated.patient != patient:
        problems.add("contradiction", "subject", "is not the pseudonym of the person in the data")
    if problems:
        return None
    origin = Origin(
        source=context.source.id,
        source_id=stated.source_id,
        patient=patient,
        version=stated.version,
        occurred_at=occurred_at,
        recorded_at=recorded_at,
    )
    return make_fact(origin, content, context.received_at)


def _explain_event(message: Message, value: Json, error: UnreadableEventError, problems: Problems) -> None:
    """Note every reason why a message is no event: attribute by attribute, field by field."""
    data, kind = value, message.headers.get("ce_type", b"").decode("utf-8", "replace")
    if message.headers.get("content-type", b"").split(b";")[0].strip() == CONTENT_TYPE_STRUCTURED.encode():
        event = value if isinstance(value, dict) else {}
        explain(_Event, value, "event", problems)
        data, kind = event.get("data"), str(event.get("type"))
    if kind in FACT_TYPES and data is not None:
        explain(FACT_TYPES[kind], data, "data", problems)
    for problem in error.problems:
        if problem.code != "unreadable" or not problems:
            problems.add(problem.code, problem.place, without_value(problem.text))
