"""Running the story on the stage: deliver, wait until it has gone all the way, look, compare."""

import hashlib
import time
from collections.abc import Sequence

import msgspec

from contracts.medication_list import MedicationList, decode_list
from contracts.publication import Publication
from contracts.quarantine import Ack, Quarantined
from streams.command.demo.expectation import brief, brief_of_nll, differences, expected_at_nll
from streams.command.demo.nll import Found, look
from streams.command.demo.stage import Stage
from streams.command.demo.story import Delivery
from streams.command.demo.telling import Teller

STEP_SECONDS = 30.0
SETTLED = frozenset({"published", "parked"})


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How the story ended.

    ``wrong`` are the deliveries after which the list was not the expected one; ``published_right``: what stands at the
    endpoint in the end is what should.
    """

    lists: tuple[MedicationList, ...]
    publications: tuple[Publication, ...]
    quarantine: tuple[Quarantined, ...]
    found: tuple[Found, ...]
    wrong: tuple[int, ...]
    published_right: bool


class _Shown(msgspec.Struct):
    encoded: bytes | None = None
    publication: Publication | None = None


def show(stage: Stage, story: Sequence[Delivery], teller: Teller) -> Outcome:
    """Deliver the story message by message; each goes all the way before the next. Raises ``CodedError``."""
    began, shown = time.monotonic(), _Shown()
    wrong = tuple(delivery.number for delivery in story if not _step(stage, delivery, len(story), shown, teller))
    observer = stage.observer
    lists = tuple(decode_list(observer.lists[patient]) for patient in sorted(observer.lists))
    persons = [one.person for one in lists if one.person is not None]
    found = tuple(resource for person in persons for resource in look(stage.settings, person))
    outcome = Outcome(
        lists=lists,
        publications=tuple(observer.publications[patient] for patient in sorted(observer.publications)),
        quarantine=tuple(observer.quarantine.values()),
        found=found,
        wrong=wrong,
        published_right=brief_of_nll(found) == expected_at_nll(),
    )
    teller.quarantined(outcome.quarantine, {delivery.message_id: delivery for delivery in story})
    teller.endpoint(outcome.found, shown.publication, lists[0] if lists else None)
    teller.finished(outcome.wrong, len(story), time.monotonic() - began, published_right=outcome.published_right)
    return outcome


def _step(stage: Stage, delivery: Delivery, of: int, shown: _Shown, teller: Teller) -> bool:
    """Deliver one message and show what came of it; whether the list is the expected one."""
    ack = deliver(stage, delivery)
    encoded, publication = _newest(stage)
    one = None if encoded is None else decode_list(encoded)
    found = differences(delivery.number, brief(one))
    teller.delivered(delivery, of, ack)
    teller.listed(one, changed=encoded != shown.encoded, differences=found)
    if publication is not None and publication != shown.publication and encoded != shown.encoded:
        teller.published(publication)
    shown.encoded, shown.publication = encoded, publication
    return not found


def deliver(stage: Stage, delivery: Delivery) -> Ack:
    """Send a message and wait until its facts are in the list and the list is settled toward NLL; the vendor's answer.

    Raises ``CodedError`` when that takes too long or a part of the stage has ended.
    """
    observer = stage.observer
    stage.deliver(delivery)
    for done, what in (
        (lambda: delivery.message_id in observer.acks, "an answer to the vendor"),
        (observer.is_caught_up, "the list"),
        (lambda: _is_settled(stage), "the publication"),
    ):
        observer.wait(done, f"{what}, delivery {delivery.number}", STEP_SECONDS, stage.faults.check)
    return observer.acks[delivery.message_id]


def _is_settled(stage: Stage) -> bool:
    observer = stage.observer
    for patient, encoded in observer.lists.items():
        publication = observer.publications.get(patient)
        if publication is None or publication.state not in SETTLED:
            return False
        if publication.list_hash != hashlib.sha256(encoded).hexdigest():
            return False
    return True


def _newest(stage: Stage) -> tuple[bytes | None, Publication | None]:
    """The list and its publication; the story has one patient."""
    observer = stage.observer
    for patient, encoded in observer.lists.items():
        return encoded, observer.publications.get(patient)
    return None, None
