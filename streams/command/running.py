"""``medlist run``: the long-running processes."""

import os
import sys
from collections.abc import Mapping

import click

from connectors.settings import load_settings
from connectors.telemetry import CodedError, configure, get_logger
from streams.command.composition import ROLES, Composition, Role
from streams.topology.problems import OPERATOR_STATUS
from streams.topology.supervisor import Child, run_supervised
from streams.topology.threads import end_with_a_dead_thread

NEEDS: Mapping[Role, frozenset[str]] = {
    "intake": frozenset({"kafka", "pseudonym_key"}),
    "reconciler": frozenset({"kafka"}),
    "publisher": frozenset({"kafka", "nll_base_url", "nll_client_id"}),
    "listing": frozenset({"kafka"}),
    "nll-source": frozenset({"kafka", "nll_base_url", "nll_client_id"}),
}
"""The settings that each process cannot do without."""

HEALTH_PORT = "MEDLIST_HEALTH_PORT"

_log = get_logger()


@click.command(short_help="Run one of the long-running processes, or all of them.")
@click.argument(
    "role", metavar="intake|reconciler|publisher|listing|nll-source|all", type=click.Choice([*ROLES, "all"])
)
def run(role: Role | str) -> None:
    r"""Run one of medlist's processes in the foreground, until SIGTERM or SIGINT.

    \b
    intake      reads vendors' messages; writes facts, quarantine and answers
    reconciler  reads facts; writes lists and changes (as many processes as there are partitions, at most)
    publisher   reads lists; brings NLL in line with them
    listing     reads lists; writes them as FHIR
    nll-source  reads NLL for patients with a list; writes what others registered there, as messages
    all         all of them as child processes, started again when they ask for it; for one machine

    Logs are JSON lines on standard error. Exit statuses: 0 stopped when asked; 70 start it again; 78 a person must look
    first, the last log line says at what. Under `all` each process serves its health on the next port, in the order above.
    """
    configure()
    if role == "all":
        _settings([name for needs in NEEDS.values() for name in needs])
        sys.exit(run_supervised(children(os.environ)))
    for known in ROLES:
        if known == role:
            sys.exit(_run(known))


def children(environ: Mapping[str, str]) -> tuple[Child, ...]:
    """Return the processes of ``run all``; a health port that is set is counted up, so that they do not collide."""
    base = environ.get(HEALTH_PORT, "")
    first = int(base) if base.isdigit() else 0
    return tuple(
        Child(
            name=role,
            command=(sys.executable, "-m", "streams.command", "run", role),
            environment={**environ, HEALTH_PORT: str(first + number if first else 0)},
        )
        for number, role in enumerate(ROLES)
    )


def _run(role: Role) -> int:
    composition = _settings(NEEDS[role])
    end_with_a_dead_thread()
    _log.info("process.started", role=role, process_id=os.getpid())
    try:
        status = composition.run(role)
    except CodedError as error:
        _log.critical("process.crashed", role=role, exc_info=error, exit_status=OPERATOR_STATUS)
        return getattr(error, "status", OPERATOR_STATUS)
    _log.info("process.stopped", role=role, exit_status=status)
    return status


def _settings(needs: frozenset[str] | list[str]) -> Composition:
    """Read the settings, or leave with status 78 and a log line that names what is wrong."""
    try:
        settings = load_settings(os.environ, needs)
    except CodedError as error:
        _log.critical("settings.refused", exc_info=error, exit_status=OPERATOR_STATUS)
        sys.exit(OPERATOR_STATUS)
    configure(settings.log_level)
    return Composition(settings=settings)
