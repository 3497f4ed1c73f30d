"""Intake: vendors' messages in, packed facts, quarantine and answers out.

Rules, each with a test:

1. Every message ends as facts, in quarantine with every problem named, or both; and its sender gets an answer.
2. Everything that a message became is acknowledged by the brokers before the message's offset is committed. After a crash
   the uncommitted messages are read again: facts, quarantine records and answers may come twice. Duplicate facts have equal
   ids and are absorbed by the reconciler; duplicate quarantine records have equal ids; of answers the last one counts.
3. Facts are packed per partition of the fact topic, which follows from the patient's pseudonym alone
   (`connectors.pseudonym`), and sent by an idempotent producer without transactions, so that offsets are dense.
   A link between two person numbers goes to the partitions of both.
4. Packing follows the load: whatever is waiting goes together, and nothing waits for more.
5. What does not fit into a record is a problem of its message and never an exception.
6. A delivery that failed, and whatever nobody foresaw, ends the process (`stopping`); a supervisor starts it again.

Pure: `interpreting`, `packing`, `answering`. I/O: `consuming`, `sending`, `loop`, `watching`, `replay`. Put together: `run`.
"""

from streams.topology.intake.replay import read_quarantine, replay_quarantine
from streams.topology.intake.run import Intake, IntakeParts, intake_process, run_intake

__all__ = ["Intake", "IntakeParts", "intake_process", "read_quarantine", "replay_quarantine", "run_intake"]
