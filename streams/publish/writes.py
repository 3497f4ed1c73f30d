"""Which versions of our prescriptions at the endpoint are our own writing, and which are somebody else's. Pure.

Rules (``contracts/decisions/what-another-changed-there-stands.md``). A version of a prescription that bears our record's id is ours
- if it is the first, since only we register under that id;
- if it is the one that our last accepted write made, or says what that one says: another's change of what is no content
  (a note, what was dispensed) takes nothing from us;
- if a write of ours whose answer is not known explains it: it says what that write said, or that write closes and it is the
  next version and closed.
Any other is somebody else's. Where nothing is recorded nobody can tell.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec

from contracts.publication import Publication, Sending, Written
from mappings.fhir.content import content_of
from mappings.fhir.elements import child, text_at
from mappings.fhir.exact_json import JsonObject

CLOSED: Final = frozenset({"stopped", "cancelled", "entered-in-error"})
"""Statuses that nothing leads out of."""

FIRST: Final = 1


class Writes(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of our own writes about one patient."""

    written: tuple[Written, ...] = ()
    sending: tuple[Sending, ...] = ()


def writes_of(publication: Publication) -> Writes:
    """Return what a publication tells of our writes."""
    return Writes(written=publication.written, sending=publication.sending)


def content_digest(resource: JsonObject) -> str:
    """Return the SHA-256 (hex) of what a prescription says, and of whether it is closed."""
    said = content_of(resource), text_at(resource, "status") in CLOSED
    return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()


def is_ours(resource: JsonObject, writes: Writes) -> bool | None:
    """Return whether a stored version is our own writing; ``None`` when nothing recorded tells.

    Nor does it tell of a version older than one that we wrote: that is no longer what stands there.
    """
    if wrote(resource, writes):
        return True
    name, number = _identity(resource)
    known = _written(name, writes)
    if known is None:
        return False if any(one.id == name for one in writes.sending) else None
    if known.content == content_digest(resource):
        return True
    return None if number < version_number(known.version) else False


def wrote(resource: JsonObject, writes: Writes) -> bool:
    """Return whether a stored version is the very one that a write of ours made, and not only says the same."""
    name, number = _identity(resource)
    known = _written(name, writes)
    if number == FIRST or (known is not None and known.version == str(number)):
        return True
    return any(_explains(one, resource, number) for one in writes.sending if one.id == name)


def learned(writes: Writes, resources: Iterable[JsonObject]) -> Writes:
    """Return what is known once these versions were seen: those of ours count as written, what they settle is settled."""
    for resource in resources:
        writes = _seen(writes, resource)
    return writes


def accepted(writes: Writes, written: Written) -> Writes:
    """Return what is known once the endpoint has accepted a write: nothing of that prescription is outstanding."""
    others = (one for one in writes.written if one.id != written.id)
    return Writes(
        written=tuple(sorted((*others, written), key=lambda one: one.id)),
        sending=tuple(one for one in writes.sending if one.id != written.id),
    )


def outstanding(writes: Writes, sending: Iterable[Sending]) -> Writes:
    """Return what is known once these writes are about to be sent."""
    known = {*writes.sending, *sending}
    return msgspec.structs.replace(
        writes, sending=tuple(sorted(known, key=lambda one: (one.id, one.onto, one.content or "")))
    )


def withdrawn(writes: Writes, sending: Iterable[Sending]) -> Writes:
    """Return what is known once these writes are known not to have been carried out."""
    gone = set(sending)
    return msgspec.structs.replace(writes, sending=tuple(one for one in writes.sending if one not in gone))


def version_number(version: str | None) -> int:
    """A version as a number, since NLL counts them; one that is none compares as the oldest."""
    return int(version) if version is not None and version.isascii() and version.isdigit() else 0


def _seen(writes: Writes, resource: JsonObject) -> Writes:
    name, number = _identity(resource)
    known = _written(name, writes)
    if known is not None and number < version_number(known.version):
        return writes
    settled = [one for one in writes.sending if one.id == name and version_number(one.onto) < number]
    ours = wrote(resource, writes)
    writes = withdrawn(writes, settled)
    waiting = writes.sending
    if ours:
        known = Written(id=name, version=str(number), content=content_digest(resource))
    elif known is None and settled:
        known = Written(id=name, version=max(settled, key=lambda one: version_number(one.onto)).onto)
    return writes if known is None else msgspec.structs.replace(accepted(writes, known), sending=waiting)


def _explains(one: Sending, resource: JsonObject, number: int) -> bool:
    onto = version_number(one.onto)
    if one.content is None:
        return number == onto + 1 and text_at(resource, "status") in CLOSED
    return number > onto and one.content == content_digest(resource)


def _written(name: str, writes: Writes) -> Written | None:
    return next((one for one in writes.written if one.id == name), None)


def _identity(resource: JsonObject) -> tuple[str, int]:
    return text_at(resource, "id") or "", version_number(text_at(child(resource, "meta"), "versionId"))
