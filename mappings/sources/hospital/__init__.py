"""The hospital's EHR: orders, administrations, stays and identity as HL7 v2.5.1 (profile: ``README.md`` beside this file)."""

from collections import Counter

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
    read_facts = [(group, read_group(group, header)) for group in groups]
    facts = dict.fromkeys(fact for _, found in read_facts for fact in found)
    said = Counter(fact.source_id for fact in facts)
    for group, found in read_facts:
        if any(said[fact.source_id] > 1 for fact in found):
            text = "the message says something else about this record as well; send one of them"
            group.problems.add("contradiction", group.orc.place, text)
    kept = () if problems else tuple(fact for fact in facts if said[fact.source_id] == 1)
    every = (*problems.found, *(problem for group in groups for problem in group.problems.found))
    return Reading(facts=kept, problems=tuple(dict.fromkeys(every)))
