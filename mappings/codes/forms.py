"""Pharmaceutical forms (läkemedelsformer): slug, group, dose unit, Swedish words."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from mappings.codes.tables import fold, index, read_table, split


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """One form. ``group`` holds forms between which a treatment may move; ``dose_unit`` is the UCUM code of one unit."""

    slug: str
    group: str
    dose_unit: str
    words: tuple[str, ...]

    @property
    def swedish(self) -> str:
        """The Swedish word."""
        return self.words[0]


FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        row["slug"]: Form(slug=row["slug"], group=row["group"], dose_unit=row["dose_unit"], words=split(row["words"]))
        for row in read_table("forms")
    }
)
"""Slug -> form."""

_BY_WORD = index("forms", ((fold(word), form.slug) for form in FORMS.values() for word in (*form.words, form.slug)))


def form_from_word(word: str) -> str | None:
    """Return the slug of a Swedish or English word, ``None`` for one that no row names."""
    return _BY_WORD.get(fold(word))
