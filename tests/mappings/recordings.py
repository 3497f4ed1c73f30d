"""Recordings: stored example messages with what is expected of them, found by walking ``contracts/recordings``."""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from contracts.envelope import to_event
from contracts.sources import DEFAULT_SOURCES, SourceSystem
from contracts.values import Identifier
from mappings.sources.reading import Context, Message, Reading

ROOT: Final = Path(__file__).resolve().parents[2] / "contracts" / "recordings"
MESSAGE_NAMES: Final = ("message.hl7", "message.xml", "message.json")
_SOURCES = {source.id: source for source in DEFAULT_SOURCES}


class RecordingHeaders(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``headers.json``: who sent the message, when it was received, and its Kafka headers."""

    source: str
    received_at: datetime
    headers: dict[str, str] = {}


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One recording: ``folder`` is named as a sentence."""

    folder: Path
    message: Message
    context: Context

    @property
    def source(self) -> SourceSystem:
        """The source system that sent it."""
        return self.context.source

    @property
    def expected_path(self) -> Path:
        """Where the golden lies."""
        return self.folder / "expected.json"


def pseudonym(person: Identifier) -> str:
    """The pseudonym of tests: reproducible, and good for nothing else."""
    return "p-" + hashlib.sha256(f"{person.system}|{person.value}".encode()).hexdigest()[:12]


def message_file(folder: Path) -> Path:
    """Return the message of a recording's folder."""
    found = [folder / name for name in MESSAGE_NAMES if (folder / name).exists()]
    assert len(found) == 1, f"{folder} holds one of {', '.join(MESSAGE_NAMES)}"
    return found[0]


def load(folder: Path) -> Recording:
    """Load one recording."""
    headers = msgspec.json.decode((folder / "headers.json").read_bytes(), type=RecordingHeaders)
    return Recording(
        folder=folder,
        message=Message(
            value=message_file(folder).read_bytes(),
            headers={name: value.encode() for name, value in headers.headers.items()},
        ),
        context=Context(source=_SOURCES[headers.source], received_at=headers.received_at, pseudonym=pseudonym),
    )


def discover() -> list[Recording]:
    """Return every recording, in the order of their names."""
    return [load(path.parent) for path in sorted(ROOT.glob("*/*/headers.json"))]


def name_of(recording: Recording) -> str:
    """Return ``system/case``, as tests are named."""
    return recording.folder.relative_to(ROOT).as_posix()


def outcome(reading: Reading) -> dict[str, Any]:
    """Return a reading as it stands in ``expected.json``: structured-mode events, and problems."""
    return {
        "facts": [json.loads(msgspec.json.encode(to_event(fact), order="deterministic")) for fact in reading.facts],
        "problems": [msgspec.to_builtins(problem) for problem in reading.problems],
    }
