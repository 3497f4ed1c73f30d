"""Where partitions end, asked of brokers of which some may be away."""

import time
from collections.abc import Callable, Iterable
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

Place = tuple[str, int]
"""A topic and a partition of it."""

ASK_SECONDS: Final = 5.0
ASK_ON_SECONDS: Final = 1.0
"""How long for each further partition once one was not answered: either nobody answers, or that one has no leader just now."""

GIVE_UP_SECONDS: Final = 10.0
"""After so long without any answer there is nobody to ask."""


def known_ends(
    client: Consumer,
    places: Iterable[Place],
    heard: Callable[[], None],
    go_on: Callable[[], bool] = lambda: True,
    *,
    seconds: float = ASK_SECONDS,
) -> dict[Place, int]:
    """Return the end of each partition of which a broker tells it: all but those without a leader; none where nobody answers.

    ``seconds``: how long for a question. Calls ``heard`` after each question, answered or not, and asks as long as ``go_on`` says.
    """
    ends: dict[Place, int] = {}
    began = time.monotonic()
    for topic, partition in places:
        if not go_on() or (not ends and time.monotonic() - began > GIVE_UP_SECONDS):
            break
        try:
            ends[topic, partition] = client.get_watermark_offsets(TopicPartition(topic, partition), timeout=seconds)[1]
        except KafkaException:
            seconds = min(seconds, ASK_ON_SECONDS)
        finally:
            heard()
    return ends
