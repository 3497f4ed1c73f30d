"""Is a resource base FHIR R4? Asked of ``fhir.resources`` (R4B), an implementation that is not ours.

For tests, and for a sample of what is sent: it costs a hundred times what building a resource does. It knows base
cardinalities, types and value shapes; profiles and terminology are for the validator of the test suite.
"""

from functools import cache
from typing import Any, Final

import pydantic

from contracts.problems import Problem
from mappings.fhir.exact_json import JsonObject, write_json

SHARE_BASE: Final = 10_000


def fhir_problems(resource: JsonObject) -> tuple[Problem, ...]:
    """Return what is not base FHIR about a resource, with the place of each; never a value.

    Raises ``KeyError`` for a kind of resource that nobody publishes.
    """
    try:
        _model(resource["resourceType"]).model_validate_json(write_json(resource))
    except pydantic.ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        return tuple(sorted({_problem(one["loc"], one["type"]) for one in found}))
    return ()


def in_sample(name: str, share: float) -> bool:
    """Return whether the thing of this id (hexadecimal) is in the sample of this share (0 to 1): always the same ones."""
    return int(name.replace("-", "")[:8], 16) % SHARE_BASE < share * SHARE_BASE


def _problem(location: tuple[int | str, ...], kind: str) -> Problem:
    place = ".".join(str(part) for part in location) or "resource"
    return Problem(code="unreadable", place=place, text=f"is not FHIR R4: {kind}")


@cache
def _model(kind: str) -> Any:
    """The model of a resource, imported when it is first asked for: the imports take a second."""
    from fhir.resources.R4B.bundle import Bundle  # noqa: PLC0415
    from fhir.resources.R4B.medicationdispense import MedicationDispense  # noqa: PLC0415
    from fhir.resources.R4B.medicationrequest import MedicationRequest  # noqa: PLC0415

    return {"Bundle": Bundle, "MedicationRequest": MedicationRequest, "MedicationDispense": MedicationDispense}[kind]
