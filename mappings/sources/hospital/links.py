"""Identity: ADT^A40 (merge), A47 (another number), A37 (unlink) (HL7 v2.5.1 chapter 3.3.40, 3.3.47, 3.3.37).

The record of a link is named by the two pseudonyms, never by the numbers, and not by their order: so an unlinking is a new
version of the link that it takes apart.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from contracts.fact import Fact
from contracts.facts.person import IdentityLink
from contracts.values import Identifier
from mappings.collecting import Problems
from mappings.sources.hospital import times
from mappings.sources.hospital.header import UNLINK, Header, Stamp, fact, only, recorded
from mappings.sources.hospital.hl7 import Tokens
from mappings.sources.hospital.identities import person


class _Meaning(msgspec.Struct, frozen=True, kw_only=True):
    status: Literal["linked", "separate"]
    cause: Literal["number-changed", "merged", "mistake"]


LINK_EVENTS: Final[Mapping[str, _Meaning]] = MappingProxyType(
    {
        "ADT^A40": _Meaning(status="linked", cause="merged"),
        "ADT^A47": _Meaning(status="linked", cause="number-changed"),
        UNLINK: _Meaning(status="separate", cause="mistake"),
    }
)
"""Message and event (MSH-9) -> what it says about the two numbers."""


def read_link(tokens: Tokens, header: Header, problems: Problems) -> tuple[Fact, ...]:
    """Return the fact that links or parts two person numbers, or note why there is none."""
    event, other = only(tokens, "EVN", problems), _other(tokens, header, problems)
    if event is None:
        return ()
    happened, recorded_at = times.instant(event, 6, header.source), recorded(event, 2, header.context)
    if header.person is not None and header.person == other:
        problems.add("contradiction", "PID[1]-3", "the two numbers are one; there is nothing to link or part")
    if problems or header.person is None or other is None:
        return ()
    meaning, other_patient = LINK_EVENTS[header.kind], header.context.pseudonym(other)
    content = IdentityLink(
        person=header.person,
        other=other,
        other_patient=other_patient,
        status=meaning.status,
        cause=meaning.cause,
    )
    one, two = sorted((header.context.pseudonym(header.person), other_patient))
    stamp = Stamp(source_id=f"identity-link/{one}/{two}", occurred_at=happened, recorded_at=recorded_at)
    return (fact(header, stamp, content),)


def _other(tokens: Tokens, header: Header, problems: Problems) -> Identifier | None:
    """Return the second number: of the second PID where two are parted, else of MRG-1."""
    received_on = header.context.received_at.date()
    if header.kind != UNLINK:
        merged = only(tokens, "MRG", problems)
        return None if merged is None else person(merged, 1, received_on)
    second = [segment for segment in tokens.segments if segment.name == "PID"][1:]
    if len(second) != 1:
        problems.add("missing", "PID[2]", "state the two persons in two PID segments")
        return None
    return person(second[0], 3, received_on)
