"""Hiding ids: the same facts without the links that their sources state, as systems without shared ids would send them."""

from typing import Final

import msgspec

from contracts.fact import Fact
from contracts.facts.base import TreatmentContent

_KEPT_ROLES: Final = frozenset({"list", "encounter"})
"""References that do not say which treatment a record belongs to."""


def hide_links(fact: Fact) -> Fact:
    """Return the fact without chain, predecessor, successor, order and prescription references and shared identifiers.

    Source ids stay, so versions of one record are still known as such; the event id stays too, so that the truth still
    names it (it is then no longer what ``make_fact`` would derive).
    """
    content = fact.content
    if not isinstance(content, TreatmentContent):
        return fact
    kept = tuple(reference for reference in content.references if reference.role in _KEPT_ROLES)
    hidden = msgspec.structs.replace(content, identifiers=(), references=kept)
    return msgspec.structs.replace(fact, content=hidden)
