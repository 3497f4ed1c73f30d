"""The composition root: the one place that knows every part, and puts them together from the settings."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, get_args

import msgspec

from connectors.settings import Settings
from contracts.sources import SourceSystem
from contracts.topics import TopicSpec, own_topics, vendor_topics
from streams.command.reconciling import core_factory, engine_settings
from streams.command.sources import sources_of
from streams.topology.core import CoreFactory
from streams.topology.intake import IntakeParts, intake_process
from streams.topology.listing import ListingParts, listing_process
from streams.topology.nll_source import NllSourceParts, nll_source_process
from streams.topology.publisher import PublisherParts, publisher_process
from streams.topology.reconciling.archive import StoredRows
from streams.topology.reconciling.core import tick_record
from streams.topology.settings import EngineSettings, Isolation
from streams.topology.wakeups import wall_clock
from streams.worker import run_reconciler

Role = Literal["intake", "reconciler", "publisher", "listing", "nll-source"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)


@dataclass(frozen=True, kw_only=True)
class Composition:
    """One deployment of medlist. ``embedded``: on the demo's broker, which does not isolate transactions."""

    settings: Settings
    embedded: bool = False

    @property
    def isolation(self) -> Isolation:
        """How rows, sends and positions are kept together."""
        return "none" if self.embedded else "transactions"

    @cached_property
    def sources(self) -> tuple[SourceSystem, ...]:
        """The source systems of this region, ours among them. Raises ``CodedError`` when their file is not right."""
        return sources_of(self.settings.sources_file)

    @cached_property
    def topics(self) -> tuple[TopicSpec, ...]:
        """Every topic that must exist, by its name on the cluster."""
        by_system = {source.id: source.topic for source in self.sources}
        partitions = self.settings.partitions
        return tuple(
            msgspec.structs.replace(spec, name=self.settings.topic(spec.name))
            for spec in (*own_topics(partitions), *vendor_topics(by_system, partitions))
        )

    @property
    def engine(self) -> EngineSettings:
        """The engine's settings."""
        return engine_settings(self.settings, embedded=self.embedded)

    def core_factory(self) -> CoreFactory:
        """Return what makes the reconciler's core of a partition."""
        return core_factory(self.settings)

    def run(self, role: Role) -> int:
        """Run one role as this process, from its main thread, until it is asked to stop; its exit status.

        Raises ``CodedError`` when it cannot begin.
        """
        match role:
            case "intake":
                return intake_process(self.settings, self.sources, wall_clock, IntakeParts())
            case "reconciler":
                engine = msgspec.structs.replace(self.engine, rows=StoredRows)
                return run_reconciler(engine, self.core_factory(), tick_record)
            case "publisher":
                parts = PublisherParts(isolation=self.isolation)
                return publisher_process(self.settings, self.sources, wall_clock, parts)
            case "nll-source":
                reading = NllSourceParts(isolation=self.isolation)
                return nll_source_process(self.settings, self.sources, wall_clock, reading)
            case "listing":
                return listing_process(self.settings, ListingParts(isolation=self.isolation))
