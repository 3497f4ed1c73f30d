"""Every setting of medlist: from `MEDLIST_*` variables and from files of a mounted directory of secrets.

A variable wins over a file; an empty value counts as not set. Files lie in `MEDLIST_SECRETS_DIR`, one per setting as
Kubernetes mounts a Secret, named like the setting with or without the prefix, in any case (`pseudonym_key`,
`MEDLIST_PSEUDONYM_KEY`). An unknown `MEDLIST_*` variable is an error and not a silent nothing, except those that
Kubernetes makes for a Service of that name and those that only the tooling reads.
"""

import difflib
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from connectors.telemetry.errors import CodedError

PREFIX: Final = "MEDLIST_"
SECRETS_DIR: Final = "MEDLIST_SECRETS_DIR"
DEMO_PSEUDONYM_KEY: Final = "public-key-of-the-demo-never-for-real-patients"
"""Pseudonyms made with this key protect nobody: it stands in the source. Refused outside the demo."""

MASK: Final = "********"
_TOOLING: Final = frozenset({SECRETS_DIR, "MEDLIST_PYTHON", "MEDLIST_KAFKA_VERSION", "MEDLIST_CACHE"})
_KUBERNETES_SERVICE: Final = re.compile(
    r"MEDLIST_([A-Z0-9_]+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)?)"
)
_ADDRESSES = r"^[A-Za-z0-9._\[\]:-]+:\d{1,5}(,[A-Za-z0-9._\[\]:-]+:\d{1,5})*$"
_NAME = r"^[A-Za-z0-9._-]{1,200}$"
_LOOPBACK: Final = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/.*)?")

_Text = Annotated[str, Field(min_length=1, max_length=2000)]
_Name = Annotated[str, Field(pattern=_NAME)]
_Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")]
_Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseModel):
    """The settings of one process; each field's description says what to write.

    Made by `load_settings` from the environment, or by `Settings.for_demo`. Optional settings are `None` until given:
    the commands that need one name it in `load_settings(needs=...)`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kafka: Annotated[str, Field(pattern=_ADDRESSES)] | None = Field(
        default=None, description="the brokers as host:port, with commas between them"
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        default=None, description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"
    )
    kafka_sasl_username: _Text | None = Field(default=None, description="the name of this process at the brokers")
    kafka_sasl_password: SecretStr | None = Field(default=None, description="its password, best as a mounted file")
    kafka_ssl_ca_location: Path | None = Field(
        default=None, description="path of a PEM file with the authorities that signed the brokers' certificates"
    )
    kafka_ssl_certificate_location: Path | None = Field(
        default=None, description="path of this process's own certificate, PEM"
    )
    kafka_ssl_key_location: Path | None = Field(default=None, description="path of that certificate's key, PEM")
    kafka_ssl_key_password: SecretStr | None = Field(default=None, description="the password of that key, if any")

    pseudonym_key: Annotated[SecretStr, Field(min_length=32)] | None = Field(
        default=None,
        description="at least 32 characters, the same in every process, never changed: patients are keyed with it",
    )
    partitions: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=12, description="a whole number from 1 to 1000, the same in every process, never changed"
    )
    topic_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,60}$")] = Field(
        default="", description="letters, digits, dot, dash and underscore, set before every topic name"
    )
    intake_group: _Name = Field(default="medlist-intake", description="the consumer group of the intake")
    reconciler_group: _Name = Field(default="medlist-reconciler", description="the consumer group of the reconciler")
    publisher_group: _Name = Field(default="medlist-publisher", description="the consumer group of the publisher")
    listing_group: _Name = Field(default="medlist-listing", description="the consumer group of the listing")
    instance_id: _Name | None = Field(
        default=None, description="a name that only this process has and keeps over restarts, such as the pod's"
    )
    trust_received_at: bool = Field(default=False, description="true only for a replay of stored messages, else false")

    sources_file: Path | None = Field(
        default=None,
        description="path of a JSON list of the region's source systems; without it those of contracts/sources.py",
    )

    nll_base_url: _Url | None = Field(default=None, description="the address of the FHIR endpoint, https://host/path")
    nll_token_url: _Url | None = Field(default=None, description="where access tokens are had, https://host/path")
    nll_client_id: _Text | None = Field(default=None, description="this system's name at the token endpoint")
    nll_client_secret: SecretStr | None = Field(default=None, description="its secret, best as a mounted file")
    nll_scope: _Text | None = Field(default=None, description="the scope to ask for, words with spaces between them")
    nll_org_info: _Text = Field(default="medlist", description="how NLL is told which organisation asks (x-org-info)")
    nll_user_agent: _Text = Field(default="medlist", description="how NLL is told which system asks (x-user-agent)")
    nll_source_group: _Name = Field(
        default="medlist-nll-source", description="the consumer group of the process that reads NLL"
    )
    nll_look_seconds: Annotated[float, Field(ge=1, le=86_400)] = Field(
        default=3600.0, description="seconds between two looks at what NLL holds of a patient"
    )
    nll_requests_per_second: Annotated[float, Field(gt=0, le=1000)] = Field(
        default=5.0, description="how many requests a second one process that reads NLL may send"
    )
    nll_plaintext: bool = Field(
        default=False, description="true only where another process encrypts the way to NLL, else false"
    )

    health_host: _Text = Field(default="127.0.0.1", description="the address that health and metrics are served on")
    health_port: _Port = Field(default=0, description="a port from 1 to 65535; 0 lets the system choose")
    watchdog_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=60.0, description="seconds without progress, with work waiting, after which the process ends itself"
    )
    log_level: Literal["info", "warning", "error"] = Field(
        default="info", description="info, warning or error; there is no debug, since libraries log payloads there"
    )

    @classmethod
    def for_demo(cls, kafka: str, nll_base_url: str | None = None, topic_prefix: str = "") -> Self:
        """Settings for an embedded broker and made-up patients: the public key, few partitions."""
        return cls(
            kafka=kafka,
            nll_base_url=nll_base_url,
            topic_prefix=topic_prefix,
            pseudonym_key=SecretStr(DEMO_PSEUDONYM_KEY),
            partitions=4,
        )

    def topic(self, name: str) -> str:
        """The name that a topic of `contracts.topics` has on this cluster."""
        return f"{self.topic_prefix}{name}"

    def pseudonym_secret(self) -> bytes:
        """The key that pseudonyms are made with; raises `CodedError` if none is set."""
        if self.pseudonym_key is None:
            raise _refusal([_missing("pseudonym_key")])
        return self.pseudonym_key.get_secret_value().encode()

    def kafka_client(self) -> dict[str, str | int | float | bool]:
        """What every confluent-kafka client needs: addresses and security, to be extended by its user.

        Raises `CodedError` if no brokers are set.
        """
        if self.kafka is None:
            raise _refusal([_missing("kafka")])
        given = {
            "bootstrap.servers": self.kafka,
            "security.protocol": self.kafka_security_protocol,
            "sasl.mechanism": self.kafka_sasl_mechanism,
            "sasl.username": self.kafka_sasl_username,
            "sasl.password": _revealed(self.kafka_sasl_password),
            "ssl.ca.location": _path(self.kafka_ssl_ca_location),
            "ssl.certificate.location": _path(self.kafka_ssl_certificate_location),
            "ssl.key.location": _path(self.kafka_ssl_key_location),
            "ssl.key.password": _revealed(self.kafka_ssl_key_password),
        }
        return {name: value for name, value in given.items() if value is not None}

    def masked(self) -> dict[str, str | int | float | bool | None]:
        """Every setting by its variable's name, secrets as stars, ready for JSON; for `medlist config`."""
        shown: dict[str, str | int | float | bool | None] = {}
        for name in type(self).model_fields:
            value: object = getattr(self, name)
            match value:
                case SecretStr():
                    shown[_variable(name)] = MASK
                case Path():
                    shown[_variable(name)] = str(value)
                case str() | bool() | int() | float() | None:
                    shown[_variable(name)] = value
                case _:
                    raise TypeError(name)
        return shown


def load_settings(environ: Mapping[str, str], needs: Collection[str] = ()) -> Settings:
    """Read the settings of this process from `environ` and the directory it names.

    `needs` are the fields that the caller cannot do without (`{"kafka", "pseudonym_key"}`). Raises one `CodedError`
    (`CFG-001`) that names every variable that is missing, wrong or unknown, and what to write; never a value.
    """
    found = _from_files(environ) | _from_variables(environ)
    known = {name: value for name, value in found.items() if name in Settings.model_fields}
    problems = [_unknown(name) for name in sorted(found.keys() - known.keys())]
    problems += [_missing(name) for name in sorted(needs) if name not in known]
    problems += _contradictions(known)
    settings = None
    try:
        settings = Settings.model_validate(known)
    except ValidationError as error:
        problems += [_wrong(str(wrong["loc"][0])) for wrong in error.errors(include_input=False, include_url=False)]
    if problems or settings is None:
        raise _refusal(list(dict.fromkeys(problems)))
    return settings


def _from_variables(environ: Mapping[str, str]) -> dict[str, str]:
    ours = {
        name.removeprefix(PREFIX).lower(): value.strip()
        for name, value in environ.items()
        if name.startswith(PREFIX) and name not in _TOOLING and value.strip()
    }
    return {
        name: value
        for name, value in ours.items()
        if name in Settings.model_fields or not _KUBERNETES_SERVICE.fullmatch(_variable(name))
    }


def _from_files(environ: Mapping[str, str]) -> dict[str, str]:
    if not environ.get(SECRETS_DIR):
        return {}
    directory = Path(environ[SECRETS_DIR])
    try:
        # Kubernetes keeps its own entries there with a leading dot.
        files = sorted(file for file in directory.iterdir() if file.is_file() and not file.name.startswith("."))
        texts = {file.name: file.read_text(encoding="utf-8").strip() for file in files}
    except (OSError, UnicodeDecodeError) as error:
        raise CodedError(
            "CFG-002",
            f"the directory in {SECRETS_DIR} cannot be read: {type(error).__name__}",
            f"Set {SECRETS_DIR} to a readable directory with one text file per setting, or leave it out.",
        ) from error
    names = {name: name.lower().replace("-", "_").removeprefix(PREFIX.lower()) for name in texts}
    return {names[name]: text for name, text in texts.items() if text}


def _contradictions(known: Mapping[str, str]) -> list[str]:
    """What each value alone does not show; looks at the texts, so that it speaks beside other problems."""
    problems = []
    protocol = known.get("kafka_security_protocol", "PLAINTEXT")
    if protocol.startswith("SASL"):
        needed = ("kafka_sasl_mechanism", "kafka_sasl_username", "kafka_sasl_password")
        problems += [f"{_missing(name)} (the security protocol asks for it)" for name in needed if name not in known]
    elif "kafka_sasl_password" in known:
        problems.append(f"{_variable('kafka_security_protocol')} does not use the password that is set: write SASL_SSL")
    for one, other in (
        ("kafka_ssl_certificate_location", "kafka_ssl_key_location"),
        ("kafka_ssl_key_location", "kafka_ssl_certificate_location"),
        ("nll_client_id", "nll_client_secret"),
        ("nll_client_secret", "nll_client_id"),
        ("nll_client_id", "nll_token_url"),
    ):
        if one in known and other not in known:
            problems.append(f"{_missing(other)} (it goes with {_variable(one)})")
    if known.get("pseudonym_key") == DEMO_PSEUDONYM_KEY:
        problems.append(f"{_variable('pseudonym_key')} is the demo's public key: write a secret of your own")
    for name in ("nll_base_url", "nll_token_url"):
        url = known.get(name, "")
        if url.startswith("http:") and not _LOOPBACK.fullmatch(url) and "nll_plaintext" not in known:
            problems.append(f"{_variable(name)} would send patients unencrypted: write https://")
    return problems


def _refusal(problems: list[str]) -> CodedError:
    return CodedError(
        "CFG-001",
        "the settings are not right: " + "; ".join(problems),
        f"Set these variables, or put files of the same names into the directory that {SECRETS_DIR} names.",
    )


def _variable(field: str) -> str:
    return f"{PREFIX}{field.upper()}"


def _missing(field: str) -> str:
    return f"{_variable(field)} is missing: write {_what_to_write(field)}"


def _wrong(field: str) -> str:
    return f"{_variable(field)} is wrong: write {_what_to_write(field)}"


def _unknown(field: str) -> str:
    close = difflib.get_close_matches(field, Settings.model_fields, n=1)
    return f"{_variable(field)} is not a setting" + (f": write {_variable(close[0])}" if close else ": remove it")


def _what_to_write(field: str) -> str:
    return Settings.model_fields[field].description or ""


def _revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)
