"""Builds hospital messages for tests: a sound message, and the one thing that a test changes in it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from contracts.sources import DEFAULT_SOURCES, SourceSystem
from mappings.sources.hospital import read
from mappings.sources.reading import Context, Message, Reading
from tests.mappings.recordings import pseudonym

HOSPITAL: Final[SourceSystem] = next(source for source in DEFAULT_SOURCES if source.id == "hospital")
CONTEXT: Final = Context(source=HOSPITAL, received_at=datetime(2024, 3, 1, 12, tzinfo=UTC), pseudonym=pseudonym)
Fields = Mapping[int, str]

MSH: Final[Fields] = {9: "RDE^O11^RDE_O11", 10: "M-1", 11: "P", 12: "2.5.1", 18: "UNICODE UTF-8"}
PID: Final[Fields] = {3: "191212121212^^^&1.2.752.129.2.1.3.1&ISO^NI"}
PV1: Final[Fields] = {2: "I", 19: "V-1"}
ORC: Final[Fields] = {1: "NW", 2: "ORD-1", 9: "20240301100000", 15: "20240301120000", 29: "I"}
RXE: Final[Fields] = {2: "99000000000030^Seloken ZOC 100 mg^NPL", 3: "1", 5: "tablett"}
TQ1: Final[Fields] = {1: "1", 3: "QD", 7: "20240302"}
RXA: Final[Fields] = {
    1: "1",
    2: "1",
    3: "20240301080000",
    5: "99000000000030^Seloken ZOC 100 mg^NPL",
    6: "1",
    7: "tablett",
    20: "CP",
}


def segment(name: str, fields: Fields, changes: Fields | None = None) -> str:
    """Write one segment."""
    every = {**fields, **(changes or {})}
    cells = [every.get(number, "") for number in range(1, max(every, default=0) + 1)]
    return f"MSH|^~\\&|{'|'.join(cells[2:])}" if name == "MSH" else "|".join([name, *cells])


def read_segments(segments: Sequence[str], *, source: SourceSystem = HOSPITAL, encoding: str = "utf-8") -> Reading:
    """Read a message of these segments."""
    context = msgspec.structs.replace(CONTEXT, source=source)
    return read(Message(value="\r".join(segments).encode(encoding)), context)


def order(
    *,
    msh: Fields | None = None,
    orc: Fields | None = None,
    rxe: Fields | None = None,
    timings: Sequence[Fields] = ({},),
) -> list[str]:
    """Write a sound order, with changes."""
    return [
        segment("MSH", MSH, msh),
        segment("PID", PID),
        segment("PV1", PV1),
        segment("ORC", ORC, orc),
        segment("RXE", RXE, rxe),
        *(segment("TQ1", TQ1, timing) for timing in timings),
        "RXR|PO",
    ]


def administration(*, orc: Fields | None = None, rxa: Fields | None = None) -> list[str]:
    """Write a sound administration, with changes."""
    return [
        segment("MSH", MSH, {9: "RAS^O17^RAS_O17"}),
        segment("PID", PID),
        segment("PV1", PV1),
        segment("ORC", ORC, {1: "RE", 15: "", 29: "", **(orc or {})}),
        segment("RXA", RXA, rxa),
        "RXR|PO",
    ]
