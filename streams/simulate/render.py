"""A score in words: figures, a table by kind of mess, and the worst misses."""

from collections import Counter

from streams.simulate.kinds import KINDS
from streams.simulate.score import Score


def render(result: Score, misses: int = 20) -> str:
    """Return a readable report with at most ``misses`` misses, the worst first. It names pseudonyms and no drug."""
    shown = "hidden" if result.hide_ids else "shown"
    lines = [
        f"{result.patients} patients, {result.courses} courses, {result.facts} facts, ids {shown}",
        f"precision     {_percent(result.precision)} per patient   {_percent(result.precision_of_links)} of all links",
        f"recall        {_percent(result.recall)} per patient   {_percent(result.recall_of_links)} of all links",
        f"states right  {_percent(result.states_right)} of {result.states}",
        "",
        f"{'kind of mess':<24}{'courses':>8}{'precision':>11}{'recall':>9}{'states':>9}",
    ]
    for kind, of_kind in sorted(result.by_kind.items(), key=lambda entry: (entry[1].recall or 0.0, entry[0])):
        lines.append(
            f"{kind:<24}{of_kind.courses:>8}{_percent(of_kind.precision):>11}{_percent(of_kind.recall):>9}"
            f"{_percent(of_kind.states_right):>9}"
        )
    counts = Counter(miss.kind for miss in result.misses)
    lines += ["", "misses: " + (", ".join(f"{number} {kind}" for kind, number in counts.items()) or "none")]
    for miss in result.misses[:misses]:
        lines.append(
            f"- {miss.kind} {miss.patient} {'+'.join(miss.groups)} [{', '.join(miss.mess)}] {miss.links} links"
        )
        lines.append(f"  {miss.detail}" + (f"; e.g. {' '.join(miss.facts)}" if miss.facts else ""))
    return "\n".join(lines)


def render_kinds() -> str:
    """Return what the kinds of mess mean, as a Markdown table."""
    rows = [f"| {kind} | {meaning} |" for kind, meaning in KINDS.items()]
    return "\n".join(["| kind | meaning |", "|---|---|", *rows])


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share * 100:.2f} %"
