"""What the reconciler is made of, for whoever runs or rebuilds it: nothing here needs faust, an intake or a publisher."""

from collections.abc import Callable
from typing import Final

from connectors.pseudonym import partition_of
from connectors.settings import Settings
from contracts import topics
from streams.command.knowledge import reconciler
from streams.topology.core import CoreFactory
from streams.topology.reconciling.core import ReconcilingCore
from streams.topology.settings import EngineSettings

SENT_TO: Final = (topics.LIST, topics.CHANGE, topics.QUARANTINE, topics.FORWARD)
"""Where the reconciler sends, besides its state."""


def engine_settings(settings: Settings, *, embedded: bool = False) -> EngineSettings:
    """Return the engine's settings for our topics; ``embedded`` for the demo's broker, which does not isolate transactions.

    Stored times of receipt are the only clock of a replay: then nothing else wakes it.
    """
    return EngineSettings(
        connection=settings,
        group=settings.reconciler_group,
        fact_topic=settings.topic(topics.FACT),
        state_topic=settings.topic(topics.STATE),
        isolation="none" if embedded else "transactions",
        wake_ups=not settings.trust_received_at,
    )


def core_factory(settings: Settings) -> CoreFactory:
    """Return what makes the reconciler's core of a partition."""
    bound = reconciler()
    named = {name: settings.topic(name) for name in SENT_TO}
    return lambda partition: ReconcilingCore(bound, named, is_of(settings, partition))


def is_of(settings: Settings, partition: int) -> Callable[[str], bool]:
    """Return what tells whether a pseudonym belongs to a partition."""
    partitions = settings.partitions
    return lambda pseudonym: partition_of(pseudonym, partitions) == partition
