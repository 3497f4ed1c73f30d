"""Coding and identifier systems: from the name, OID or URI that a source states to the FHIR system that facts carry."""

import re
from typing import Final

from mappings.codes.tables import index, read_table, split

_OID = re.compile(r"[0-2](\.\d{1,20}){1,30}", re.ASCII)
_BY_NAME: Final = index(
    "coding_systems",
    (
        (name.casefold(), row["system"])
        for row in read_table("coding_systems")
        for name in (*split(row["names"]), row["system"])
    ),
)


def system_from_name(name: str) -> str | None:
    """Return the FHIR system of a name (``WC``), OID (with or without ``urn:oid:``) or URI.

    An OID that no row names stays an OID (``urn:oid:...``), a URI stays itself; another unknown name gives ``None``.
    """
    bare = name.strip().removeprefix("urn:oid:")
    if known := _BY_NAME.get(bare.casefold()) or _BY_NAME.get(name.strip().casefold()):
        return known
    if _OID.fullmatch(bare):
        return f"urn:oid:{bare}"
    return name.strip() if "://" in name or name.startswith("urn:") else None
