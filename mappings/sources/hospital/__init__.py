"""The hospital's EHR: orders, administrations, stays and identity as HL7 v2.5.1 (profile: ``README.md`` beside this file)."""

from collections import Counter

from contracts.fact import Fact
from mappings.collecting import Problems
from mappings.sources.hospital.administrations import read_administrations
from mappings.sources.hospital.encounters import STATUS_BY_EVENT, read_encounter
from mappings.sources.hospital.groups import order_groups
from mappings.sources.hospital.header import Header, read_header
from mappings.sources.hospital.hl7 import Tokens, tokenize
from mappings.sources.hospital.links import LINK_EVENTS, read_link
from mappings.sources.hospital.orders import read_order
from mappings.sources.reading import Context, Message, Reading

ORDER_MESSAGES = {"RDE^O11": read_order, "RAS^O17": read_administrations}


def read(message: Message, context: Context) -> Reading:
    """Read one HL7 v2 message. Total: every input gives facts, problems or both.

    A problem of MSH, PID or PV1 leaves no fact; a problem of one order group leaves the facts of the others.
    """
    problems = Problems()
    tokens = tokenize(message.value, problems)
    if tokens is None:
        return Reading(problems=problems.found)
    header = read_header(tokens, context, problems)
    if header.kind in ORDER_MESSAGES:
        return _orders(tokens, header, problems)
    if header.kind in STATUS_BY_EVENT:
        facts = read_encounter(tokens, header, problems)
    elif header.kind in LINK_EVENTS:
        facts = read_link(tokens, header, problems)
    else:
        facts = ()
        problems.add("unsupported", "MSH-9", "this message type and event are not read; see the hospital profile")
    return Reading(facts=() if problems else facts, problems=problems.found)


def _orders(tokens: Tokens, header: Header, problems: Problems) -> Reading:
    groups = order_groups(tokens)
    if not groups:
        problems.add("missing", "ORC", "state the order in an ORC segment")
    read_group = ORDER_MESSAGES[header.kind]
    facts = [fact for group in groups for fact in read_group(group, header)]
    repeated = _said_twice(facts)
    if repeated:
        problems.add("contradiction", "ORC", "the message says two different things about one record; send one of them")
    every = (*problems.found, *(problem for group in groups for problem in group.problems.found))
    kept = () if problems else tuple(dict.fromkeys(facts))
    return Reading(facts=kept, problems=tuple(dict.fromkeys(every)))


def _said_twice(facts: list[Fact]) -> bool:
    ids = {(fact.source_id, fact.id) for fact in facts}
    return max(Counter(source_id for source_id, _ in ids).values(), default=0) > 1
