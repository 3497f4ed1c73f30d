"""The register of readers: the only place that knows every source mapping."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mappings.sources import canonical, dose_pharmacy, forwarded, hospital, municipal, nll, pharmacy, primary_care
from mappings.sources.reading import Reader

READERS: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        "canonical": canonical.read,
        "dose_pharmacy": dose_pharmacy.read,
        "forwarded": forwarded.read,
        "hospital": hospital.read,
        "municipal": municipal.read,
        "nll": nll.read,
        "pharmacy": pharmacy.read,
        "primary_care": primary_care.read,
    }
)
"""``SourceSystem.reader`` -> the mapping."""
