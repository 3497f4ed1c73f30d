"""The limit of everything that the intake does."""

from datetime import timedelta

import msgspec


class IntakeLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one intake process; sizes in bytes, times in seconds unless named otherwise."""

    batch_messages: int = 500
    """Messages taken at once; what waits beyond it waits for the next round."""
    idle_seconds: float = 0.1
    """How long to wait for a first message when nothing is under way; also how fast a stop is noticed."""
    settle_soon_seconds: float = 0.05
    """The same while deliveries are under way: then they are settled and committed. Nobody waits for it: facts and answers are sent
    at once, and what is not yet committed is at most sent again. With a tenth of it the broker wrote a commit for every message."""
    under_way_messages: int = 2_000
    """Messages under way that are settled before more are sent; a crash repeats at most these and one batch."""
    under_way_seconds: float = 0.1
    """The same, by the age of the oldest."""
    pack_facts: int = 500
    """Facts in one record of the fact topic."""
    record_bytes: int = 900_000
    """A record's value; below `connectors.kafka.clients.RECORD_BYTES_LIMIT`, which counts headers too."""
    attribute_bytes: int = 65_536
    """All headers and the key of a message together; of a message with more none is read or kept."""
    part_bytes: int = 400_000
    """The part of an original that stands in one quarantine record: a third more in base64."""
    part_problem_bytes: int = 150_000
    """The problems that stand in one quarantine record."""
    problem_characters: int = 300
    """Of a problem's place and text, in quarantine and answers; longer ones are cut and marked so."""
    answer_facts: int = 5_000
    """Fact ids in an answer."""
    answer_problems: int = 500
    """Problems in an answer."""
    message_id_characters: int = 200
    """A vendor's message id that is returned in answers; a longer one is not."""
    future: timedelta = timedelta(minutes=5)
    """How far a source's clock may be ahead of ours."""
    delivery_seconds: float = 45.0
    """How long deliveries may take, beyond the client's own limit."""
    request_seconds: float = 30.0
    """One question to a broker."""
    watch_seconds: float = 5.0
    """How often the watchdog looks."""
