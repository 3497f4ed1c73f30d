"""Why a value does not fit its type: every reason with its place, where a decoder stops at the first."""

import re
from typing import Any, get_args, get_origin

import msgspec

from mappings.collecting import Problems

_QUOTED = re.compile(r" *'[^']*'")
_FIELD_NAME = re.compile(r"[a-z_]{1,40}")


def explain(kind: Any, value: object, place: str, problems: Problems) -> None:
    """Note everything that keeps a JSON value from being of a type; nothing, if it is."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        struct, member = _parts(kind)
        if isinstance(value, dict) and struct is not None:
            _explain_struct(struct, value, place, problems)
        elif isinstance(value, list) and member is not None:
            for index, inner in enumerate(value):
                explain(member, inner, f"{place}[{index}]", problems)
        else:
            text, _, _ = str(error).partition(" - at ")
            problems.add("unreadable", place, without_value(text))


def without_value(text: str) -> str:
    """Return a decoder's message without what it quotes of the value: that may be personal."""
    return _QUOTED.sub("", text)


def _explain_struct(struct: type[msgspec.Struct], value: dict[str, object], place: str, problems: Problems) -> None:
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    for name, field in fields.items():
        if name in value:
            explain(field.type, value[name], f"{place}.{name}", problems)
        elif field.required:
            problems.add("missing", f"{place}.{name}", "is required")
    if not struct.__struct_config__.forbid_unknown_fields:
        return
    for name in sorted(set(value) - set(fields)):
        shown = name if _FIELD_NAME.fullmatch(name) else "?"
        problems.add("unsupported", f"{place}.{shown}", "is no field of this object; correct its name or leave it out")


def _parts(kind: Any) -> tuple[type[msgspec.Struct] | None, Any]:
    """Return the struct, and the type of the members of the tuple, that a type allows (alone or in a union)."""
    struct, member = None, None
    for option in (kind, *get_args(kind)):
        if isinstance(option, type) and issubclass(option, msgspec.Struct):
            struct = option
        if get_origin(option) is tuple:
            member = get_args(option)[0]
    return struct, member
