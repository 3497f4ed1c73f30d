"""What must hold for a canonical fact beyond its types: whose it is, and that its parts do not contradict each other."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from contracts.facts.base import Content
from contracts.facts.correction import Decision, Retraction
from contracts.facts.list_statement import ListRow
from contracts.facts.person import Block, IdentityLink
from contracts.values import Identifier
from mappings.codes.persons import read_person
from mappings.collecting import Problems
from mappings.sources.reading import Context

_NEEDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "same-treatment": (),
        "different-treatment": (),
        "choose-value": ("field", "chosen"),
        "accept": ("finding",),
    }
)
"""Kind of decision -> what it cannot do without."""
_LEAST_RECORDS: Final[Mapping[str, int]] = MappingProxyType({"same-treatment": 2, "different-treatment": 2})


def check_content(content: Content, context: Context, problems: Problems) -> None:
    """Note what contradicts itself, by kind of content."""
    check_person(content.person, "data.person", context, problems)
    match content:
        case IdentityLink():
            _check_link(content, context, problems)
        case Retraction() if content.target.system != context.source.id:
            problems.add("contradiction", "data.target.system", "a source takes back its own records only")
        case ListRow() if not any(reference.role == "list" for reference in content.references):
            problems.add("missing", "data.references", "a row refers to its statement (role list)")
        case Block() if content.scope != "all" and content.target is None:
            problems.add("missing", "data.target", "a block of this scope names what it covers")
        case Decision():
            _check_decision(content, problems)
        case _:
            pass


def check_person(person: Identifier, place: str, context: Context, problems: Problems) -> None:
    """Note a person identifier that is wrong, or not in the one written form (its pseudonym would be another)."""
    read = problems.keep(read_person(person.value, person.system, f"{place}.value", context.received_at.date()))
    if read is not None and read != person:
        problems.add("person-invalid", place, "write twelve characters without sign, and the system as a URI")


def _check_link(content: IdentityLink, context: Context, problems: Problems) -> None:
    check_person(content.other, "data.other", context, problems)
    if content.other == content.person:
        problems.add("contradiction", "data.other", "a person is not linked to itself")
    if context.pseudonym(content.other) != content.other_patient:
        problems.add("contradiction", "data.other_patient", "is not the pseudonym of the other person")


def _check_decision(content: Decision, problems: Problems) -> None:
    for name in _NEEDS[content.kind]:
        if getattr(content, name) is None:
            problems.add("missing", f"data.{name}", f"is required to {content.kind}")
    least = _LEAST_RECORDS.get(content.kind, 1)
    if len(set(content.records)) < least:
        problems.add("missing", "data.records", f"name at least {least} different records")
    if not content.basis:
        problems.add("missing", "data.basis", "name the facts that the decider saw")
    if content.chosen is not None and content.chosen not in content.records:
        problems.add("contradiction", "data.chosen", "is none of the records that the decision is about")
