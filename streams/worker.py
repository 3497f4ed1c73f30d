"""Entry of the reconciler: runs the engine's worker in the foreground of this process until it is asked to stop.

SIGTERM and SIGINT stop it in order. Exit statuses: 0 stopped when asked; 70 start it again, it goes on at its position
(also after `kill -9`); 78 a person must look first, the log line `engine.stopped` says at what.
"""

import gc

from streams.topology.app import create_worker
from streams.topology.core import CoreFactory, Tick
from streams.topology.failstop import FailStop
from streams.topology.memory import GC_THRESHOLDS
from streams.topology.preflight import require_topics
from streams.topology.problems import EngineError
from streams.topology.settings import EngineSettings


def run_reconciler(settings: EngineSettings, core_factory: CoreFactory, tick: Tick) -> int:
    """Run until asked to stop and return 0; everything else leaves the process with 70 or 78 (see the module).

    To be called from the main thread, since it handles signals, and last: the process has to end soon after. Logs go where it
    has configured telemetry.
    """
    gc.set_threshold(*GC_THRESHOLDS)
    stop = FailStop()
    try:
        require_topics(settings)
    except EngineError as error:
        stop(error)
    worker = create_worker(settings, core_factory, tick, stop)
    try:
        worker.execute_from_commandline()
    except SystemExit as finished:  # that is how it returns
        if finished.code:
            stop(worker.crash_reason or finished)
    return 0  # the deadline of the stop stays: a thread in which a client hangs would keep the process from ending
