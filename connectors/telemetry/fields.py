"""The allow-list: which fields a log line may have, and what shape each value must have.

A field that does not stand here, or whose value has another shape, is left out and counted in `dropped`. No sentence,
capitalised name or number of a person fits a shape; but a shape cannot tell one lower-case word from another, so a
field of kind word gets literals and codes of our own source, never a text that came from a message.
"""

import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

Shape = Callable[[object], bool]

_LARGEST_COUNT: Final = 10**15
_LARGEST_DURATION: Final = 10**9
_MOST_ENTRIES: Final = 50


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -1 <= value <= _LARGEST_COUNT


def _duration(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and abs(value) <= _LARGEST_DURATION
    )


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _shaped(pattern: str) -> Shape:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _each(one: Shape) -> Shape:
    return lambda value: isinstance(value, list | tuple) and len(value) <= _MOST_ENTRIES and all(map(one, value))


_word = _shaped(r"(?=.{1,60}$)[a-z]+\d{0,3}([._-][a-z]*\d{0,3})*")
_code = _shaped(r"_?[A-Z][A-Z_]{1,40}|[A-Z]{3}-\d{3}|[A-Z]{1,4}\d{1,4}")
_identifier = _shaped(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{64}")
_topic = _shaped(r"[A-Za-z0-9._-]{0,60}(in|out|medlist)\.[a-z0-9_-]+(\.[a-z0-9_-]+)*\.v\d{1,3}")
_group = _shaped(r"[A-Za-z0-9._-]{0,60}medlist-[a-z-]+")
_address = _shaped(r"([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:]+\]):\d{1,5}(,([a-z0-9-]+(\.[a-z0-9-]+)*):\d{1,5})*")
_route = _shaped(r"(GET|PUT|POST|HEAD|PATCH|DELETE) (/(\{[a-z_]+\}|[$]?[A-Za-z][A-Za-z-]*)?)+")
_resource = _shaped(r"[A-Z][A-Za-z]{2,40}")

FIELDS: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        # How many, how much.
        **dict.fromkeys(
            ("attempt", "bytes", "count", "entries", "facts", "findings", "items", "lag", "limit", "messages"), _count
        ),
        **dict.fromkeys(("patients", "pending", "parked", "problems", "records", "skipped", "writes"), _count),
        # Where in Kafka, which process, which answer.
        **dict.fromkeys(("partition", "offset", "position", "expected", "end", "generation", "version"), _count),
        **dict.fromkeys(("partitions", "offsets"), lambda value: _count(value) or _each(_count)(value)),
        **dict.fromkeys(("port", "process_id", "status", "exit_status"), _count),
        # How long.
        **dict.fromkeys(("seconds", "milliseconds", "age_seconds", "wait_seconds", "timeout_seconds"), _duration),
        # Yes or no.
        **dict.fromkeys(("created", "ready", "transactional", "retryable", "fatal"), _flag),
        # Words and codes of our own.
        **dict.fromkeys(("system", "domain", "kind", "stage", "role", "state", "mode", "reason", "outcome"), _word),
        **dict.fromkeys(("operation", "layer", "rule", "finding", "problem", "setting", "signal"), _word),
        **dict.fromkeys(("problem_codes", "finding_codes", "reasons", "systems"), _each(_word)),
        **dict.fromkeys(("kafka_error", "signal_name"), _code),
        **dict.fromkeys(("error_codes", "checks"), _each(_code)),
        # Names of things that are no persons.
        "topic": _topic,
        "topics": _each(_topic),
        "group": _group,
        "address": _address,
        "route": _route,
        "resource_type": _resource,
        # Ids that say nothing by themselves: uuid, hash, or a patient's pseudonym, which is a keyed hash.
        **dict.fromkeys(("event_id", "fact", "list_hash", "patient", "request_id", "rules", "treatment"), _identifier),
        "fact_ids": _each(_identifier),
    }
)


def allowed(given: Mapping[str, object]) -> tuple[dict[str, object], int]:
    """The fields that may be logged, and how many were left out."""
    kept = {name: value for name, value in given.items() if name in FIELDS and FIELDS[name](value)}
    return kept, len(given) - len(kept)
