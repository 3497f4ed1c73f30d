"""The story: recorded messages (``contracts/recordings/story``) in the order in which they are delivered."""

from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import msgspec

from contracts.quarantine import MESSAGE_ID_HEADER, RECEIVED_AT_HEADER

ROOT: Final[Traversable] = files("contracts") / "recordings" / "story"


class _Headers(msgspec.Struct, frozen=True):
    source: str
    headers: Mapping[str, str] = {}


class _Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    message: str
    received_at: datetime
    sv: str
    en: str


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message delivered at one time; a message may be delivered more than once, and late.

    ``number`` counts deliveries from 1, ``message`` names the recording, ``title`` tells in two languages what happens.
    """

    number: int
    message: str
    source: str
    value: bytes
    received_at: datetime
    content_headers: Mapping[str, str]
    title: Mapping[str, str]

    @property
    def message_id(self) -> str:
        """The vendor's id of this delivery, by which its answer is recognised."""
        return f"{self.number:02}"

    @property
    def headers(self) -> list[tuple[str, str | bytes | None]]:
        """The Kafka headers with which it is sent: the vendor's own, its id, and the story's time of receipt."""
        own = {**self.content_headers, MESSAGE_ID_HEADER: self.message_id}
        own[RECEIVED_AT_HEADER] = self.received_at.isoformat()
        return [(name, value.encode()) for name, value in own.items()]


def load_story() -> tuple[Delivery, ...]:
    """Return the deliveries, in their order."""
    steps = msgspec.json.decode((ROOT / "delivery.json").read_bytes(), type=list[_Step])
    return tuple(_delivery(number, step) for number, step in enumerate(steps, 1))


def _delivery(number: int, step: _Step) -> Delivery:
    folder = ROOT / step.message
    headers = msgspec.json.decode((folder / "headers.json").read_bytes(), type=_Headers)
    (message,) = (file for file in folder.iterdir() if file.name.startswith("message."))
    return Delivery(
        number=number,
        message=step.message,
        source=headers.source,
        value=message.read_bytes(),
        received_at=step.received_at,
        content_headers=headers.headers,
        title={"sv": step.sv, "en": step.en},
    )
