"""The hospital's reader is total: whatever stands in any place of a message becomes facts or named problems."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.envelope import decode_fact, encode_fact
from contracts.problems import PROBLEM_CODES
from mappings.sources.hospital import read
from mappings.sources.reading import Reading
from tests.examples import examples
from tests.mappings.recordings import Recording, discover

MARKER = "Zebraskog"
RECORDINGS = [recording for recording in discover() if recording.source.reader == "hospital"]
ODD_VALUES = st.one_of(
    st.sampled_from(["", '""', "^", "&", "~", "\\", "\\X0D\\", "\\XFF\\", "0", "-1", "1e9", "99999999999999", "NaN"]),
    st.sampled_from(["20240101", "20240331023000", "20241027023000", "99991231", "2024", "20240101120000+0100", "Q0H"]),
    st.sampled_from(
        [MARKER, f"{MARKER}^{MARKER}", f"1^{MARKER}", f"{MARKER}~{MARKER}", "CA", "DC", "HD", "D", "I", "O"]
    ),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12),
)


def read_as(recording: Recording, value: bytes) -> Reading:
    """Read other bytes as if this recording had carried them; check what holds for any reading."""
    reading = read(msgspec.structs.replace(recording.message, value=value), recording.context)
    assert reading.facts or reading.problems
    assert all(problem.code in PROBLEM_CODES and problem.place and problem.text for problem in reading.problems)
    assert not any(MARKER in problem.place + problem.text for problem in reading.problems)
    assert tuple(decode_fact(encode_fact(fact)) for fact in reading.facts) == reading.facts
    source_ids = [fact.source_id for fact in reading.facts]
    assert len(source_ids) == len(set(source_ids))
    return reading


def lines_of(recording: Recording) -> list[str]:
    """The segments of a recording."""
    codec = "latin-1" if b"8859/1" in recording.message.value else "utf-8"
    return recording.message.value.decode(codec).replace("\r", "\n").strip("\n").split("\n")


@given(data=st.data())
@settings(max_examples=examples(5))
def test_any_value_in_any_field_is_read_or_named(data: st.DataObject) -> None:
    """Odd values in up to four fields of a message are facts or problems, and problems never quote them."""
    lines = lines_of(data.draw(st.sampled_from(RECORDINGS)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        fields = lines[at].split("|")
        place = data.draw(st.integers(2 if fields[0] == "MSH" else 1, max(2, len(fields) + 2)))
        fields.extend([""] * (place + 1 - len(fields)))
        fields[place] = data.draw(ODD_VALUES)
        lines[at] = "|".join(fields)

    read_as(RECORDINGS[0], "\r".join(lines).encode())


@given(data=st.data())
@settings(max_examples=examples(4))
def test_any_mixture_of_segments_is_read_or_named(data: st.DataObject) -> None:
    """Segments left out, repeated, swapped or taken from another message never stop the reader."""
    lines = lines_of(data.draw(st.sampled_from(RECORDINGS)))
    others = lines_of(data.draw(st.sampled_from(RECORDINGS)))[1:]
    body = data.draw(st.lists(st.sampled_from([*lines[1:], *others, "ZZZ|1", "TQ2|1", "MSH|^~\\&"]), max_size=12))

    read_as(RECORDINGS[0], "\r".join([lines[0], *body]).encode())


@given(delimiters=st.text(min_size=5, max_size=5), ending=st.sampled_from(["\r", "\n", "\r\n"]), framed=st.booleans())
@settings(max_examples=examples(3))
def test_any_delimiters_are_used_or_refused(delimiters: str, ending: str, *, framed: bool) -> None:
    """A message may state other delimiters; those that cannot part anything are refused."""
    text = RECORDINGS[-1].message.value.decode().replace("\n", ending)
    table = str.maketrans(dict(zip("|^~\\&", delimiters, strict=True)))

    value = text.translate(table).encode("utf-8", "replace")
    read_as(RECORDINGS[-1], b"\x0b" + value + b"\x1c\r" if framed else value)
