"""Corrections: a source takes back what it said, a person settles what systems cannot."""

from typing import Literal

from contracts.facts.base import Content
from contracts.values import Identifier, Practitioner, Reason


class Retraction(Content, frozen=True, kw_only=True):
    """A source takes back a record (``version`` ``None``) or one version of it. Only the issuer's retraction counts.

    ``target.system`` is the source, ``target.value`` the source id. It may arrive before what it retracts.
    """

    target: Identifier
    version: int | None = None
    reason: Reason | None = None


class Decision(Content, frozen=True, kw_only=True):
    """A person settles a conflict. Survives replay; re-opened when a fact in ``basis`` no longer stands as it did.

    ``records`` are the records concerned (source, source id). ``same-treatment`` and ``different-treatment`` are about
    matching; ``choose-value`` picks, for ``field``, the value that record ``chosen`` carries; ``accept`` closes a finding
    of code ``finding`` about the records. ``basis`` are the ids of the facts that the decider saw.
    """

    kind: Literal["same-treatment", "different-treatment", "choose-value", "accept"]
    records: tuple[Identifier, ...]
    basis: tuple[str, ...]
    finding: str | None = None
    field: str | None = None
    chosen: Identifier | None = None
    decided_by: Practitioner | None = None
    motivation: str | None = None
