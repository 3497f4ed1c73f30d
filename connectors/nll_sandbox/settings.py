"""How the sandbox behaves where the real endpoint's behaviour is known, and where it is not: then the field says so."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, get_type_hints

import msgspec

Clock = Callable[[], datetime]
"""Gives the present moment, with a zone."""

SEED_FOLDER: Final = Path(__file__).parent / "seed"

_ASSUMED: Final = msgspec.Meta(extra={"assumption": True})


def system_clock() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who a bearer token stands for: a role, and the claims that filtering and AFF rules read (``nll-reference`` 1.7)."""

    role: str
    caregiver: str
    subject: str
    prescriber_code: str | None = None
    profession: str | None = None
    pharmacy: str | None = None


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """An OAuth2 client of the token endpoint."""

    secret: str
    caller: Caller


REGION: Final = "2321000065"
_REGION_SYSTEM: Final = Caller(role="system", caregiver=REGION, subject="medlist", profession="LK")
_PRESCRIBER: Final = Caller(
    role="prescriber", caregiver=REGION, subject="test-prescriber", prescriber_code="9000027", profession="LK"
)
_PHARMACIST: Final = Caller(
    role="pharmacist", caregiver="5568097890", subject="test-pharmacist", profession="AP", pharmacy="7350000000009"
)
_OTHER_REGION: Final = Caller(
    role="prescriber", caregiver="2321000016", subject="test-other-region", prescriber_code="9000035", profession="LK"
)
_PATIENT: Final = Caller(role="patient", caregiver="", subject="test-patient")

TEST_TOKENS: Final[Mapping[str, Caller]] = MappingProxyType(
    {
        "test-system": _REGION_SYSTEM,
        "test-prescriber": _PRESCRIBER,
        "test-pharmacist": _PHARMACIST,
        "test-other-region": _OTHER_REGION,
        "test-patient": _PATIENT,
    }
)
"""Tokens that never expire, one for each role; made up."""

TEST_CLIENTS: Final[Mapping[str, Client]] = MappingProxyType(
    {
        "medlist": Client(secret="medlist-test-secret", caller=_REGION_SYSTEM),  # noqa: S106 - a made-up secret
        "pharmacy": Client(secret="pharmacy-test-secret", caller=_PHARMACIST),  # noqa: S106 - a made-up secret
        "other-region": Client(secret="other-region-test-secret", caller=_OTHER_REGION),  # noqa: S106 - a made-up secret
    }
)
"""OAuth2 clients of the token endpoint; made up."""


class SandboxSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Every choice of the sandbox.

    Fields marked ``_ASSUMED`` stand for behaviour of the real endpoint that no source confirms; ``assumptions()``
    lists them and README.md explains each.
    """

    database: str = ":memory:"
    clock: Clock = system_clock
    tokens: Mapping[str, Caller] = TEST_TOKENS
    clients: Mapping[str, Client] = TEST_CLIENTS
    admin_token: str | None = None
    articles_file: Path = SEED_FOLDER / "articles.csv"
    prescribers_file: Path = SEED_FOLDER / "prescribers.csv"
    workplaces_file: Path = SEED_FOLDER / "workplaces.csv"
    seed_files: tuple[Path, ...] = ()

    token_seconds: Annotated[int, _ASSUMED] = 3600
    stale_version_status: Annotated[Literal[409, 412], _ASSUMED] = 412
    stale_list_status: Annotated[Literal[409, 412, 422], _ASSUMED] = 409
    list_version_header: Annotated[str, _ASSUMED] = "x-medicationlist-version"
    version_required_on_update: Annotated[bool, _ASSUMED] = True
    activity_must_fit: Annotated[bool, _ASSUMED] = True
    same_request_id: Annotated[Literal["replay", "ignore"], _ASSUMED] = "replay"
    population: Annotated[Literal["open", "seeded"], _ASSUMED] = "open"
    article_register: Annotated[Literal["open", "seeded"], _ASSUMED] = "seeded"
    prescriber_register: Annotated[Literal["open", "seeded"], _ASSUMED] = "open"
    aff_severities: Annotated[Mapping[str, Literal["reject", "warn", "off"]], _ASSUMED] = MappingProxyType({})
    purposes: Annotated[frozenset[str], _ASSUMED] = frozenset({"VARD", "EXPEDIERING", "KOMPLETTERING", "PATIENT"})
    access_types: Annotated[frozenset[str], _ASSUMED] = frozenset(
        {"SAMTYCKE", "DOSSAMTYCKE", "BARN", "FORMODAT_SAMTYCKE", "NODATKOMST", "EGEN"}
    )
    filters: Annotated[bool, _ASSUMED] = True
    lock_opening_access: Annotated[frozenset[str], _ASSUMED] = frozenset({"NODATKOMST"})
    hidden_status: Annotated[Literal[403, 404], _ASSUMED] = 403
    page_size: Annotated[int, _ASSUMED] = 200


def assumptions() -> tuple[str, ...]:
    """The names of the settings that stand for behaviour that no source confirms."""
    hints: dict[str, Any] = get_type_hints(SandboxSettings, include_extras=True)
    return tuple(name for name, hint in hints.items() if _ASSUMED in getattr(hint, "__metadata__", ()))
