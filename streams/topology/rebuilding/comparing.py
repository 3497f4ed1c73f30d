"""A rebuilt patient against the live one: row by row, list by list, byte by byte. Pure."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Literal

import msgspec

from streams.topology.rebuilding.folding import Folded
from streams.topology.reconciling.core import ListMark

Kind = Literal[
    "row-missing",
    "row-extra",
    "row-differs",
    "mark-differs",
    "list-missing",
    "list-extra",
    "list-differs",
    "due",
    "clock",
]
"""Missing and extra are the live side's. ``clock``: the live partition's clock is another (no patient). ``due``: the live list is to change by itself at a time that has come, and has not yet; not a fault, it is about to."""

_decode_mark = msgspec.msgpack.Decoder(ListMark).decode


class Difference(msgspec.Struct, frozen=True, order=True):
    """What differs for one patient. ``place`` is a row's name or a field; never a value."""

    patient: str
    kind: Kind
    place: str = ""


def compare(
    patient: str,
    rebuilt: Folded | None,
    live_rows: Mapping[bytes, bytes],
    live_list: bytes | None,
    clock: datetime,
) -> list[Difference]:
    """Return everything that differs; `rebuilt` is None when no fact of the patient is in the log."""
    rows = {} if rebuilt is None else rebuilt.rows
    mark_key = f"{patient}|m".encode()
    unlike = {key for key, row in rows.items() if live_rows.get(key) != row} | (live_rows.keys() - rows.keys())
    if mark_key in rows and mark_key in live_rows:
        unlike.add(mark_key)  # what is due shows there, equal or not
    found: list[Difference] = []
    for key in sorted(unlike):
        name = key.decode().partition("|")[2]
        if key not in live_rows:
            found.append(Difference(patient, "row-missing", name))
        elif key not in rows:
            found.append(Difference(patient, "row-extra", name))
        elif key == mark_key:
            found += _marks(patient, rows[key], live_rows[key], clock)
        else:
            found.append(Difference(patient, "row-differs", name))
    if any(one.kind == "due" for one in found):
        return found
    return found + _lists(patient, rebuilt, live_list)


def _marks(patient: str, rebuilt: bytes, live: bytes, clock: datetime) -> list[Difference]:
    """When a list was last made depends on how records were cut into batches; everything else in a mark must be equal."""
    ours, theirs = _decode_mark(rebuilt), _decode_mark(live)
    if theirs.next_change_at is not None and theirs.next_change_at <= clock:
        return [Difference(patient, "due", theirs.next_change_at.isoformat())]
    fields = ("digest", "rules", "next_change_at", "goes_on_as")
    return [
        Difference(patient, "mark-differs", name) for name in fields if getattr(ours, name) != getattr(theirs, name)
    ]


def _lists(patient: str, rebuilt: Folded | None, live: bytes | None) -> list[Difference]:
    if rebuilt is None or not rebuilt.medication_list:
        return [] if live is None else [Difference(patient, "list-extra")]
    if live is None:
        return [Difference(patient, "list-missing")]
    return [] if rebuilt.medication_list == live else [Difference(patient, "list-differs")]


def hash_of(list_hashes: Mapping[str, bytes]) -> str:
    """One hash over the hash of each patient's list, in order of patient."""
    whole = sha256()
    for patient in sorted(list_hashes):
        whole.update(patient.encode() + b"\x00" + list_hashes[patient])
    return whole.hexdigest()


def hash_of_list(medication_list: bytes) -> bytes:
    """The SHA-256 of a list's bytes."""
    return sha256(medication_list).digest()
