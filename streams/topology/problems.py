"""Why the engine stops: a catalogue of codes, what each means for whoever is called, and the exit status.

Exit statuses of a worker: 0 it was asked to stop and did; 70 (`EX_SOFTWARE`) start it again, it goes on where it was;
78 (`EX_CONFIG`) starting it again cannot help, a person must look first. The texts name places and rules, never values.
"""

from enum import Enum

from connectors.telemetry.errors import CodedError

STOPPED_STATUS = 0
RESTART_STATUS = 70
OPERATOR_STATUS = 78


class StopCode(Enum):
    """Base of the catalogues: one reason to stop each, with the exit status and what to do. A code is never reused."""

    def __init__(self, code: str, status: int, remedy: str) -> None:
        self.code = code
        self.status = status
        self.remedy = remedy


class StopError(CodedError):
    """A process must stop, or cannot start. ``detail`` names the place (topic, partition, offset), never a value."""

    def __init__(self, reason: StopCode, detail: str) -> None:
        super().__init__(reason.code, detail, reason.remedy)
        self.reason = reason
        self.detail = detail

    @property
    def status(self) -> int:
        """The exit status that says what a supervisor should do."""
        return self.reason.status


class EngineCode(StopCode):
    """One reason to stop each, with the exit status and what to do. A code is never reused."""

    GAP = (
        "ENG-001",
        RESTART_STATUS,
        "The restart seeks to our position. If it comes again, check that nothing transactional writes to the fact topic.",
    )
    STUCK = (
        "ENG-002",
        RESTART_STATUS,
        "The restart fetches anew. If it comes again, look at the broker and at the leader of the partition.",
    )
    WRITE_FAILED = (
        "ENG-003",
        RESTART_STATUS,
        "Nothing was stored. `_FENCED`: another worker owns the partition; else check broker, disk, in-sync replicas.",
    )
    SEND_FAILED = ("ENG-004", RESTART_STATUS, "Check the broker, its disk, and `max.message.bytes` of the topic.")
    RESTORE_FAILED = (
        "ENG-005",
        RESTART_STATUS,
        "The state could not be read back. Check the broker, the state topic, and the rights to read it.",
    )
    UNFORESEEN = (
        "ENG-006",
        RESTART_STATUS,
        "A bug. If it comes again at the same position, keep the record and report the place that the detail names.",
    )
    SHUTDOWN_TIMEOUT = (
        "ENG-007",
        RESTART_STATUS,
        "The stop took too long, mostly because no broker answered. Nothing is lost.",
    )
    TOPICS_WRONG = (
        "ENG-008",
        OPERATOR_STATUS,
        "Run `medlist topics --apply`. How many partitions a topic has is fixed for ever, and must be equal for all.",
    )
    POSITION_UNREADABLE = (
        "ENG-009",
        OPERATOR_STATUS,
        "Something else wrote to the state topic. Stop it, then rebuild the state from the facts.",
    )
    STATE_WITHOUT_POSITION = (
        "ENG-010",
        OPERATOR_STATUS,
        "The state topic holds rows but no position. Empty it and rebuild the state from the facts.",
    )
    POSITION_OUTSIDE_LOG = (
        "ENG-011",
        OPERATOR_STATUS,
        "Facts are gone (retention, truncation). Restore the fact topic; or rebuild the state, knowing that some miss.",
    )
    TOPIC_REPLACED = (
        "ENG-012",
        OPERATOR_STATUS,
        "The fact topic was deleted and made anew. Restore it; or start over with an empty state topic.",
    )
    RECORD_CHANGED = (
        "ENG-013",
        OPERATOR_STATUS,
        "The log was truncated and refilled. Restore the fact topic; or rebuild the state from the facts.",
    )
    RECORD_TOO_LARGE = (
        "ENG-015",
        OPERATOR_STATUS,
        "Nothing is stored, facts wait. Raise the topic's `max.message.bytes`; above 1,000,000 a patient has too many facts.",
    )
    HEALTH_UNSERVED = (
        "ENG-016",
        OPERATOR_STATUS,
        "Stop what listens there, or give MEDLIST_HEALTH_HOST and MEDLIST_HEALTH_PORT a free address; port 0 takes any.",
    )
    READ_FAILED = (
        "ENG-017",
        RESTART_STATUS,
        "Facts cannot be read, for the reason named. Check the broker, the fact topic, and the rights to read it.",
    )


class EngineError(StopError):
    """The engine must stop."""
