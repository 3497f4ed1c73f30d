"""The dose pharmacy: JSON messages with the objects of the dose dispensing contracts (RIV-DOS, SOL).

The shape, with what of it is documented and what is our assumption, stands in the ``README.md`` beside this file.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from contracts.fact import Fact
from mappings.codes.json_input import JsonObject, root_object
from mappings.collecting import Problems
from mappings.sources.dose_pharmacy.header import Header, read_header
from mappings.sources.dose_pharmacy.orders import read_orders
from mappings.sources.dose_pharmacy.patients import BASIS, CONSENT, read_basis, read_consent, read_status
from mappings.sources.dose_pharmacy.rolls import CANCELLED, STATUS_OF, read_roll
from mappings.sources.reading import Context, Message, Reading

EventReader = Callable[[JsonObject, str, Header | None, Context], list[Fact]]

EVENTS: Final[Mapping[str, EventReader]] = MappingProxyType(
    {
        **dict.fromkeys((*STATUS_OF, CANCELLED), read_roll),
        **dict.fromkeys(CONSENT, read_consent),
        **dict.fromkeys(BASIS, read_basis),
        "vardtagarstatus-andrad": read_status,
        "bestallning-andrad": read_orders,
    }
)
"""``handelse`` -> what reads the object that it is about."""


def read(message: Message, context: Context) -> Reading:
    """Read one event: a fact per readable row or entry, and every problem of the others."""
    problems = Problems()
    root = root_object(message.value, problems)
    if root is None:
        return Reading(problems=problems.found)
    header = read_header(root, context)
    event = root.text("handelse", required=True)
    reader = EVENTS.get(event or "")
    if event is not None and reader is None:
        problems.add("unsupported", root.at("handelse"), "no event of this name becomes a fact; see the README")
    facts = reader(root, event, header, context) if reader is not None and event is not None else []
    return Reading(facts=tuple(facts), problems=problems.found)
