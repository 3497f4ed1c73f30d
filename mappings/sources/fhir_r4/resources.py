"""The resources of a FHIR R4 message: one resource, or the entries of a Bundle; and what they refer to.

Rules this module owns:

1. A Bundle (collection, transaction, batch, message) is read entry by entry: each notes its own problems, one bad entry does
   not hide the others.
2. A reference is followed inside the message only: ``#id`` to what a resource contains, ``fullUrl`` or ``Type/id`` to another
   entry. Nothing is fetched.
3. A modifier extension and ``implicitRules`` change the meaning of what stands beside them (FHIR R4 2.1.0.5, 2.27.4): a
   resource with one that we do not know is refused.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from mappings.codes.json_input import JsonObject, root_object
from mappings.collecting import Problems

BUNDLE_TYPES: Final = frozenset({"collection", "transaction", "batch", "message"})
WRITES: Final = frozenset({"POST", "PUT"})
SUPPORTING: Final = frozenset({"Patient", "Medication", "Practitioner", "PractitionerRole", "Organization", "Location"})
"""Types that other resources refer to; they say nothing about a treatment on their own."""
MAX_ENTRIES: Final = 1_000


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """One resource of a message, noting its problems apart; ``others`` are what it may refer to."""

    body: JsonObject
    problems: Problems
    others: Mapping[str, JsonObject]

    def follow(self, reference: JsonObject, kind: str) -> JsonObject | None:
        """Return the resource of a kind that a reference names and the message holds."""
        target = reference.text("reference")
        found = None if target is None else self.others.get(target)
        if found is None or found.text("resourceType") != kind:
            return None
        return found.with_problems(self.problems)


def read_resources(data: bytes, kind: str, problems: Problems) -> tuple[Resource, ...]:
    """Return the resources of a kind in a message; ``problems`` notes what is wrong with the message as a whole."""
    root = root_object(data, problems)
    if root is None:
        return ()
    if root.text("resourceType", required=True) == "Bundle":
        return _entries(root, kind, problems)
    return tuple(found for found in [_resource(root, kind, {})] if found is not None)


def _entries(bundle: JsonObject, kind: str, problems: Problems) -> tuple[Resource, ...]:
    if bundle.text("type", required=True) not in {None, *BUNDLE_TYPES}:
        problems.add("unsupported", bundle.at("type"), f"send one of: {', '.join(sorted(BUNDLE_TYPES))}")
        return ()
    entries = bundle.children("entry", required=True)
    if len(entries) > MAX_ENTRIES:
        problems.add("too-long", bundle.at("entry"), f"send at most {MAX_ENTRIES} entries in one message")
        return ()
    others = dict(_names(entries))
    found = []
    for entry in entries:
        body = entry.child("resource", required=True)
        if body is None or not _is_write(entry):
            continue
        resource = _resource(body, kind, others)
        if resource is not None:
            found.append(resource)
    if not found and not problems:
        problems.add("missing", bundle.at("entry"), f"no entry is a {kind}")
    return tuple(found)


def _is_write(entry: JsonObject) -> bool:
    request = entry.child("request")
    method = None if request is None else request.text("method")
    if request is None or method in WRITES:
        return True
    entry.problems.add("unsupported", request.at("method"), "only POST and PUT say something; retract by status")
    return False


def _names(entries: Iterable[JsonObject]) -> Iterable[tuple[str, JsonObject]]:
    quiet = Problems()
    for entry in entries:
        body = entry.with_problems(quiet).child("resource")
        if body is None:
            continue
        if (full_url := entry.with_problems(quiet).text("fullUrl")) is not None:
            yield full_url, body
        if (own_id := body.text("id")) is not None:
            yield f"{body.text('resourceType')}/{own_id}", body


def _resource(body: JsonObject, kind: str, others: Mapping[str, JsonObject]) -> Resource | None:
    found = body.text("resourceType", required=True)
    if found in SUPPORTING and others:
        return None
    if found != kind:
        if found is not None:
            body.problems.add("unsupported", body.at("resourceType"), f"this reader reads {kind}")
        return None
    problems = Problems()
    own = body.with_problems(problems)
    contained = {f"#{name}": inner for inner in own.children("contained") if (name := inner.text("id")) is not None}
    for name in ("modifierExtension", "implicitRules"):
        if name in own:
            problems.add(
                "unsupported", own.at(name), "changes the meaning of the resource and is not known; leave it out"
            )
    return Resource(body=own, problems=problems, others={**others, **contained})
