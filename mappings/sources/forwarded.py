"""Facts that the reconciler forwards to the patient whom a link between two person numbers says they also concern.

They are facts already, received long ago: nothing of them is read anew, and only the reconciler may write them.
"""

from contracts.envelope import UnreadableEventError, decode_fact
from contracts.problems import Problem
from mappings.sources.reading import Context, Message, Reading


def read(message: Message, context: Context) -> Reading:
    """Return the fact of a forwarded event, as it is."""
    del context
    try:
        fact = decode_fact(message.value)
    except UnreadableEventError as error:
        return Reading(problems=error.problems)
    if fact.forwarded_to is None:
        text = "is required here; only the reconciler may write to this topic"
        return Reading(problems=(Problem(code="missing", place="forwardedto", text=text),))
    return Reading(facts=(fact,))
