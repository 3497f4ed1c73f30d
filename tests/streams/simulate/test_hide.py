"""Hiding ids: no stated link is left, everything else is."""

from contracts.facts.base import TreatmentContent
from streams.simulate.hide import hide_links
from streams.simulate.world import Simulated


def test_no_stated_link_is_left(world: tuple[Simulated, ...]) -> None:
    """Only the whole list and the stay that a record belongs to stay named."""
    hidden = [hide_links(fact) for simulated in world for fact in simulated.facts]

    contents = [fact.content for fact in hidden if isinstance(fact.content, TreatmentContent)]

    assert {reference.role for content in contents for reference in content.references} == {"list", "encounter"}
    assert not any(content.identifiers for content in contents)


def test_everything_else_stays(world: tuple[Simulated, ...]) -> None:
    """Ids, versions, times and drugs are as they were."""
    for fact in (fact for simulated in world for fact in simulated.facts):
        hidden = hide_links(fact)

        assert (hidden.id, hidden.source_id, hidden.version) == (fact.id, fact.source_id, fact.version)
        if isinstance(fact.content, TreatmentContent) and isinstance(hidden.content, TreatmentContent):
            assert hidden.content.medication == fact.content.medication
        else:
            assert hidden == fact
