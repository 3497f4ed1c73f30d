"""A region's own source systems: read from a file, checked whole, ours always among them."""

import json
from pathlib import Path

import msgspec
import pytest

from connectors.settings import Settings
from connectors.telemetry import CodedError
from contracts.sources import DEFAULT_SOURCES, FORWARD_SOURCE
from streams.command.composition import Composition
from streams.command.sources import parse_sources
from tests.streams.command.conftest import Medlist

ENTRY = {
    "id": "ambulance",
    "reader": "hospital",
    "topic": "in.ambulance.medication.v1",
    "zone": "Europe/Stockholm",
    "end_date": "last-day-taken",
}


def written(tmp_path: Path, entries: object) -> Path:
    """Write a file of sources."""
    path = tmp_path / "sources.json"
    path.write_text(json.dumps(entries))
    return path


def refused(entries: object) -> str:
    """What is said of a list that is refused."""
    with pytest.raises(CodedError) as raised:
        parse_sources(json.dumps(entries).encode())
    assert raised.value.code == "CFG-004"
    return raised.value.message


def test_without_a_file_the_default_sources_hold() -> None:
    """A laptop needs no file, and our own source is among the default ones."""
    assert Composition(settings=Settings()).sources == DEFAULT_SOURCES
    assert FORWARD_SOURCE in DEFAULT_SOURCES


def test_a_regions_file_replaces_the_default_sources_and_ours_is_added(tmp_path: Path) -> None:
    """What the file names is all there is, besides `forward`; its topics and answers must exist."""
    composition = Composition(settings=Settings(sources_file=written(tmp_path, [ENTRY]), topic_prefix="r."))

    names = {spec.name for spec in composition.topics}
    assert [source.id for source in composition.sources] == ["ambulance", "forward"]
    assert {"r.in.ambulance.medication.v1", "r.out.ambulance.ack.v1", "r.medlist.forward.v1"} <= names
    assert not any(".municipal." in name for name in names)


def test_the_default_sources_written_to_a_file_are_the_default_sources(tmp_path: Path) -> None:
    """The file has the shape of the struct, nothing else."""
    entries = [msgspec.to_builtins(source) for source in DEFAULT_SOURCES if source != FORWARD_SOURCE]

    read = Composition(settings=Settings(sources_file=written(tmp_path, entries))).sources

    assert read == DEFAULT_SOURCES


def test_every_bad_entry_is_named_at_once() -> None:
    """One error names every entry: a missing field, an unknown reader, a zone, a repeated topic, a word of ours."""
    said = refused(
        [
            {"id": "half"},
            {**ENTRY, "colour": "red"},
            ENTRY | {"id": "one", "reader": "telepathy"},
            ENTRY | {"id": "two", "zone": "Europe/Kronoberg"},
            ENTRY | {"id": "Three!"},
            ENTRY | {"id": "four", "topic": "medlist.fact.v1"},
            ENTRY | {"id": "forward"},
        ]
    )

    assert "entry 0: " in said
    assert "entry 1: " in said
    assert "source one: no reader is named telepathy" in said
    assert "source two: no time zone is named Europe/Kronoberg" in said
    assert "id 'Three!'" in said
    assert "topic medlist.fact.v1 is medlist's own" in said
    assert "forward are medlist's own" in said
    assert "topic in.ambulance.medication.v1: several sources" in said


@pytest.mark.parametrize("text", [b"", b"{}", b"[", b"\xff", b'"sources"'])
def test_what_is_no_list_is_refused(text: bytes) -> None:
    """Whatever stands in the file, the answer is a coded error."""
    with pytest.raises(CodedError, match="CFG-004"):
        parse_sources(text)


def test_an_empty_list_is_refused() -> None:
    """A region without sources is a mistake in the file, not a wish."""
    assert "there is no source" in refused([])


def test_commands_read_the_file_and_say_what_is_wrong(medlist: Medlist, tmp_path: Path) -> None:
    """`topics` shows the region's topics; a file that is not there is told with what to write."""
    path = written(tmp_path, [ENTRY])

    shown = medlist("topics", "--json", MEDLIST_SOURCES_FILE=str(path))
    missing = medlist("topics", MEDLIST_SOURCES_FILE=str(tmp_path / "nowhere.json"))

    assert "in.ambulance.medication.v1" in {topic["name"] for topic in json.loads(shown.stdout)["topics"]}
    assert missing.exit_code == 1
    assert "CFG-003" in missing.stderr
    assert "MEDLIST_SOURCES_FILE" in missing.stderr
