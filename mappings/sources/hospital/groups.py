"""Order groups: the segments from one ORC to the next, which are one record (HL7 v2.5.1 chapter 4.2)."""

from itertools import pairwise

import msgspec

from mappings.collecting import Problems
from mappings.sources.hospital.fields import Segment
from mappings.sources.hospital.hl7 import Tokens


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """One order group; its segments note their problems in ``problems``, apart from those of other groups."""

    orc: Segment
    rest: tuple[Segment, ...]
    problems: Problems

    def named(self, name: str) -> tuple[Segment, ...]:
        """Return the segments of a name, in order."""
        return tuple(segment for segment in self.rest if segment.name == name)

    def only(self, name: str) -> Segment | None:
        """Return the only segment of a name, if there is one."""
        found = self.named(name)
        if len(found) > 1:
            self.problems.add("contradiction", found[1].place, f"one order has at most one {name}")
            return None
        return found[0] if found else None

    def note(self) -> str | None:
        """Return the notes (NTE-3) of the order, a line each."""
        texts = [field.only_text() for segment in self.named("NTE") for field in segment.fields(3)]
        return "\n".join(text for text in texts if text is not None) or None


def order_groups(tokens: Tokens) -> tuple[Group, ...]:
    """Return the order groups of a message."""
    starts = [index for index, segment in enumerate(tokens.segments) if segment.name == "ORC"]
    found = []
    for begin, stop in pairwise([*starts, len(tokens.segments)]):
        problems = Problems()
        orc, *rest = (segment.noting(problems) for segment in tokens.segments[begin:stop])
        found.append(Group(orc=orc, rest=tuple(rest), problems=problems))
    return tuple(found)
