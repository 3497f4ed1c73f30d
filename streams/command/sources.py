"""The source systems of a region: read from the file that ``MEDLIST_SOURCES_FILE`` names, and checked whole."""

import re
from pathlib import Path
from typing import Final

import msgspec

from connectors.telemetry import CodedError
from contracts.sources import DEFAULT_SOURCES, FORWARD_SOURCE, SourceSystem
from contracts.topics import own_topics
from mappings.sources.readers import READERS
from streams.topology.intake.routes import wrong_sources

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
"""An id is part of topic names (``out.<id>.ack.v1``)."""

_TOPIC: Final = re.compile(r"[A-Za-z0-9._-]{1,180}")
_OURS: Final = frozenset(spec.name for spec in own_topics(partitions=1))

_REMEDY: Final = (
    "MEDLIST_SOURCES_FILE names a JSON list of objects with the fields of `SourceSystem` in contracts/sources.py: "
    "id, reader, topic, zone, end_date, and publishes_itself where the system registers in NLL. Leave `forward` out."
)


def sources_of(file: Path | None) -> tuple[SourceSystem, ...]:
    """Return the sources that stand in a file, and our own ``forward``; without a file the default ones.

    Raises one ``CodedError`` that names every bad entry: ``CFG-003`` when the file cannot be read, ``CFG-004`` when it
    is no such list.
    """
    if file is None:
        return DEFAULT_SOURCES
    try:
        data = file.read_bytes()
    except OSError as error:
        found = f"the file of sources cannot be read: {type(error).__name__}"
        raise CodedError("CFG-003", found, _REMEDY) from error
    return parse_sources(data)


def parse_sources(data: bytes) -> tuple[SourceSystem, ...]:
    """Return the sources that a JSON text lists, and ``forward``. Raises ``CodedError`` (``CFG-004``)."""
    try:
        entries = msgspec.json.decode(data, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _refusal(["it is no JSON list"]) from error
    read = [_entry(number, entry) for number, entry in enumerate(entries)]
    sources = [one for one in read if isinstance(one, SourceSystem)]
    wrong = [one for one in read if isinstance(one, str)]
    wrong += [text for source in sources for text in _wrong_names(source)]
    if sources or not wrong:
        wrong += wrong_sources(sources, READERS)
    if wrong:
        raise _refusal(wrong)
    return (*sources, FORWARD_SOURCE)


def _entry(number: int, entry: msgspec.Raw) -> SourceSystem | str:
    try:
        return msgspec.json.decode(entry, type=SourceSystem)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return f"entry {number}: {error}"


def _wrong_names(source: SourceSystem) -> list[str]:
    wrong = []
    if not _ID.fullmatch(source.id):
        wrong.append(f"id {source.id!r}: write small letters, digits and dashes")
    if not _TOPIC.fullmatch(source.topic):
        wrong.append(f"source {source.id}: topic {source.topic!r}: write letters, digits, dot, dash and underscore")
    if source.topic in _OURS:
        wrong.append(f"source {source.id}: topic {source.topic} is medlist's own")
    if source.id == FORWARD_SOURCE.id or source.topic == FORWARD_SOURCE.topic or source.reader == FORWARD_SOURCE.reader:
        wrong.append(f"source {source.id}: id, topic and reader of {FORWARD_SOURCE.id} are medlist's own")
    return wrong


def _refusal(wrong: list[str]) -> CodedError:
    return CodedError("CFG-004", "the file of sources is not right: " + "; ".join(wrong), _REMEDY)
