"""Everything FHIR that the suite publishes, collected while it runs and validated at once at its end.

Collected are the resources that our own client sends to a sandbox (told by its ``x-user-agent``), in whatever test and from
whatever process, and every Bundle that a test finds on ``medlist.list-fhir.v1``. Each process of a run writes a file of its own
into ``build/published``; what differs in ids alone is kept once. ``python -m tests.published`` (`make published`) validates them
with one validator, and fails where anything is wrong and where nothing was collected.
"""

import hashlib
import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from aiohttp import web

from mappings.fhir.elements import child, objects
from mappings.fhir.exact_json import JsonObject, read_json, write_json
from tests.fhir_validator.built import ValidatorUnavailableError
from tests.fhir_validator.validator import FhirValidator, running

COLLECTED: Final = Path(__file__).parents[1] / "build" / "published"
OUR_CLIENTS: Final = "medlist"
"""How every system of ours names itself; whoever tries a sandbox with something wrong names itself otherwise."""

_NLL: Final = "urn:medlist:fhir:nll-"
_PROFILES: Final = {
    "MedicationRequest": f"{_NLL}medication-request",
    "Basic": f"{_NLL}data-lock",
    "Parameters": "http://hl7.org/fhir/StructureDefinition/Parameters",
}
_WRITES: Final = frozenset({"POST", "PUT"})
_READS: Final = ("/_search", "/token", "$monitoring", "$patient-dosage-directions")
_NAMES: Final = re.compile(
    rb'"(?:id|versionId|lastUpdated)":"[^"]*"|("reference":"[A-Za-z#]*)[^"]*"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
)


class Wrong(NamedTuple):
    """A resource that the validator finds wrong, and how."""

    resource: JsonObject
    problems: tuple[str, ...]


class Collector:
    """Writes down what is published, each shape once."""

    def __init__(self, directory: Path = COLLECTED) -> None:
        self._file = directory / f"{os.getpid()}.ndjson"
        self._seen: set[bytes] = set()

    def note(self, document: bytes | None) -> None:
        """A resource was published; one that is removed is nothing."""
        if document is None:
            return
        # Ids differ in every test: two resources that differ in them alone are wrong or right together.
        shape = hashlib.sha256(_NAMES.sub(rb"\1", document)).digest()
        if shape not in self._seen:
            self._seen.add(shape)
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("ab") as file:
                file.write(b" ".join(document.splitlines()) + b"\n")

    @web.middleware
    async def passing(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Note what our client writes to a sandbox, on its way there."""
        ours = request.headers.get("x-user-agent", "").startswith(OUR_CLIENTS)
        if ours and request.method in _WRITES and not request.path.endswith(_READS):
            self.note(await request.read())
        return await handler(request)


collector: Final = Collector()


def collected(directory: Path = COLLECTED) -> Iterator[JsonObject]:
    """What was published; of a transaction the resources that it carries."""
    for file in sorted(directory.glob("*.ndjson")):
        for line in file.read_bytes().splitlines():
            resource = read_json(line)
            if resource.get("resourceType") == "Bundle" and resource.get("type") == "transaction":
                yield from (child(entry, "resource") for entry in objects(resource.get("entry")))
            else:
                yield resource


def wrong(resources: Iterable[JsonObject], validator: FhirValidator) -> list[Wrong]:
    """The resources that the validator finds wrong; one of a kind that nobody has given a profile is wrong too."""
    found = []
    for resource in resources:
        profile = _PROFILES.get(str(resource.get("resourceType")))
        if profile is None and not child(resource, "meta").get("profile"):
            found.append(Wrong(resource, ("nobody says what it should be",)))
            continue
        errors = validator.errors(write_json(resource), *(() if profile is None else (profile,)))
        if errors:
            found.append(Wrong(resource, tuple(f"{one.place}: {one.text}" for one in errors)))
    return found


def main(directory: Path = COLLECTED) -> int:
    """Validate what was collected; the exit status is 1 when something is wrong, or nothing is there."""
    resources = list(collected(directory))
    if not resources:
        sys.stderr.write(f"nothing was collected in {directory}: run the tests first\n")
        return 1
    try:
        with running() as validator:
            found = wrong(resources, validator)
    except ValidatorUnavailableError as unavailable:
        sys.stderr.write(f"not validated: {unavailable}\n")
        return 1 if os.environ.get("CI") else 0
    for one in found:
        print(*one.problems, msgspec.json.encode(one.resource).decode()[:2000], sep="\n  ")
    print(f"published in the suite: {len(resources)} different resources, {len(found)} wrong")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
