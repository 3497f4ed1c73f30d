"""Damage done to recorded messages: what a network, a vendor's bug or a hand edit makes of them."""

import copy
import json
from typing import Any

from hypothesis import strategies as st
from lxml import etree

MARKER = "Marker-19121212-1212"
"""Stands for a personal value that has strayed into a field where nobody expects it."""

junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["", " ", "0", "-1", "1e9", "9999-12-31", "99991231235959", "20260329023000", "\ud800", MARKER]),
    st.just([]),
    st.just({}),
    st.just([{}]),
    st.just({"value": "NaN", "unit": ""}),
)


@st.composite
def damaged_bytes(draw: st.DrawFn, data: bytes) -> bytes:
    """Cut, drop, repeat, swap or overwrite parts of a message."""
    start, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
    part = data[start:end]
    damages = [
        data[:start],
        data[:start] + data[end:],
        data[:end] + part + data[end:],
        data[end:] + part + data[:start],
        data[:start] + draw(st.binary(max_size=8)) + data[start:],
    ]
    return draw(st.sampled_from(damages))


@st.composite
def damaged_json(draw: st.DrawFn, data: bytes) -> bytes:
    """Replace, drop or repeat some values of a JSON message, which stays JSON."""
    value = json.loads(data)
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from(_json_places(value)))
        damage = draw(st.sampled_from(["replace", "drop", "repeat"]))
        if damage == "replace":
            holder[key] = copy.deepcopy(draw(junk))
        elif damage == "drop":
            del holder[key]
        elif isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        if not _json_places(value):
            break
    return json.dumps(value).encode("utf-8", "replace")


@st.composite
def damaged_xml(draw: st.DrawFn, data: bytes) -> bytes:
    """Empty, overwrite, drop or repeat some elements of an XML message, which stays XML."""
    root = etree.fromstring(data)
    for _ in range(draw(st.integers(1, 3))):
        nodes = [node for node in root.iter() if node.getparent() is not None]
        if not nodes:
            break
        node = draw(st.sampled_from(nodes))
        parent = node.getparent()
        damage = draw(st.sampled_from(["text", "drop", "repeat"]))
        if damage == "text":
            node.text = draw(st.sampled_from(["", "0", "-1", "1e9", "NaN", "99991231235959", "20260329023000", MARKER]))
        elif parent is not None and damage == "drop":
            parent.remove(node)
        elif parent is not None:
            parent.append(copy.deepcopy(node))
    return etree.tostring(root)


def _json_places(value: Any) -> list[tuple[Any, Any]]:
    """Return every holder and key of a JSON value."""
    members: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        members = list(value.items())
    elif isinstance(value, list):
        members = list(enumerate(value))
    return [place for key, member in members for place in [(value, key), *_json_places(member)]]
