"""From the resources of a message to its reading."""

from collections import Counter
from collections.abc import Sequence

from contracts.fact import Fact
from mappings.collecting import Problems
from mappings.sources.fhir_r4.resources import Resource
from mappings.sources.reading import Reading


def gather(read: Sequence[tuple[Resource, Fact | None]], problems: Problems) -> Reading:
    """Return the facts of the resources that have no problems, and the problems of the others.

    Two resources that say different things about one record contradict each other; then neither is a fact.
    """
    facts = dict.fromkeys(fact for resource, fact in read if fact is not None and not resource.problems)
    counts = Counter(fact.source_id for fact in facts)
    for resource, fact in read:
        if fact is not None and not resource.problems and counts[fact.source_id] > 1:
            text = "another entry says something else about this record; send one of them"
            resource.problems.add("contradiction", resource.body.place, text)
    kept = tuple(fact for fact in facts if counts[fact.source_id] == 1)
    every = (*problems.found, *(problem for resource, _ in read for problem in resource.problems.found))
    return Reading(facts=kept, problems=tuple(dict.fromkeys(every)))
