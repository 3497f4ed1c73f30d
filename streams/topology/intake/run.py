"""The intake put together: `run_intake` in a thread of anything, `intake_process` as a process of its own."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.pseudonym import pseudonymiser
from connectors.settings import Settings
from contracts.sources import SourceSystem
from mappings.sources.readers import READERS
from mappings.sources.reading import Reader
from streams.topology.intake.consuming import SourceConsumer
from streams.topology.intake.health import HealthThread
from streams.topology.intake.interpreting import Edge
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.loop import Clock, Loop
from streams.topology.intake.metrics import IntakeMetrics
from streams.topology.intake.routes import routes
from streams.topology.intake.standing import Standings
from streams.topology.intake.stopping import IntakeStop
from streams.topology.intake.watching import Watch
from streams.topology.signals import asked_to_stop

STOPPED_STATUS = 0


@dataclass(frozen=True, kw_only=True)
class IntakeParts:
    """What a test or the demo may exchange; everybody else takes it as it is."""

    readers: Mapping[str, Reader] = field(default_factory=lambda: READERS)
    limits: IntakeLimits = field(default_factory=IntakeLimits)
    stop: IntakeStop = field(default_factory=IntakeStop)


class Intake:
    """One intake, put together; nothing runs or connects yet.

    Needs the settings `kafka` and `pseudonym_key`. Raises `CodedError` for a setting that is missing, and for sources that
    have no reader or contradict each other.
    """

    def __init__(self, settings: Settings, sources: Sequence[SourceSystem], parts: IntakeParts) -> None:
        limits = parts.limits
        edge = Edge(
            pseudonym=pseudonymiser(settings.pseudonym_secret()),
            trust_received_at=settings.trust_received_at,
            limits=limits,
        )
        by_topic = routes(sources, parts.readers, settings.topic)
        self._stop = parts.stop
        self._standings = Standings()
        self._metrics = IntakeMetrics()
        self._loop = Loop(settings, by_topic, edge, SourceConsumer(settings, limits, self._standings), self._metrics)
        self._watch = Watch(settings, limits, self._standings, self._metrics)
        self.health = HealthThread(settings, self._standings, self._watch, self._metrics)
        """The health endpoint; serves while it is entered as a context."""

    def run(self, clock: Clock, stop_event: threading.Event) -> None:
        """Move messages until `stop_event` is set; then finish what was taken, commit it, and return.

        Raises `IntakeError` when it cannot begin: a topic that is not there, no broker. From then on a fault ends the
        process (`IntakeStop`), also from within a thread.
        """
        self._loop.begin()
        self._watch.start(self._stop)
        try:
            self._loop.run(clock, stop_event)
        except Exception as error:  # noqa: BLE001 - does not continue: it leaves
            self._stop(error)
        finally:
            self._watch.close()

    def caught_up(self) -> bool:
        """Whether everything that is in the source topics now is done and committed; asks the broker. For any thread."""
        looked = self._watch.look()
        ours = self._standings.assigned
        if looked is None or not self._standings.ready:
            return False
        return all(here in looked and not looked[here].lag for here in ours)


def run_intake(
    settings: Settings,
    sources: Sequence[SourceSystem],
    clock: Clock,
    stop_event: threading.Event,
    parts: IntakeParts | None = None,
) -> None:
    """Run an intake in this thread until `stop_event` is set, without health endpoint. Raises as `Intake` does."""
    Intake(settings, sources, parts or IntakeParts()).run(clock, stop_event)


def intake_process(
    settings: Settings, sources: Sequence[SourceSystem], clock: Clock, parts: IntakeParts | None = None
) -> int:
    """Run an intake as this process until SIGTERM or SIGINT, with its health endpoint; return the exit status.

    To be called from the main thread. Raises as `Intake` does.
    """
    stop_event = asked_to_stop()
    intake = Intake(settings, sources, parts or IntakeParts())
    with intake.health:
        intake.run(clock, stop_event)
    return STOPPED_STATUS
