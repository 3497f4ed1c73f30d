"""The demo in words: what happens, what the list says of it, what waits in quarantine, what reached NLL."""

from collections.abc import Mapping, Sequence
from typing import Final

from rich import box
from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from contracts.medication_list import MedicationList
from contracts.publication import HELD_REASONS, HELD_REASONS_SV, Publication
from contracts.quarantine import Ack, Quarantined
from streams.command.demo.nll import Found
from streams.command.demo.story import Delivery
from streams.command.tables import drug_name, moment, print_lines
from streams.reconcile.explain_texts import Language

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "sv": {
        "starting": "Startar mäklare, intag, sammanställning, publicering och NLL-sandlåda på den här datorn ...",
        "fact": "uppgift",
        "facts": "uppgifter",
        "problem": "fel, i karantän",
        "problems": "fel, i karantän",
        "accepted": "mottaget",
        "partial": "delvis mottaget",
        "quarantined": "inte mottaget",
        "unchanged": "Listan är oförändrad.",
        "wrong": "Listan är inte den förväntade (contracts/recordings/story/expected).",
        "wrong_nll": "Det som står i NLL-sandlådan är inte det förväntade (contracts/recordings/story/expected/nll.json).",
        "quarantine": "I karantän",
        "nll": "I NLL-sandlådan, läst med GET",
        "ours": "medlist",
        "theirs": "vårdsystemet självt",
        "held": "Inte skickat",
        "sent": "Skickat till NLL",
        "right": "Klart: listan är den förväntade efter varje steg",
        "failed": "Fel: listan är inte den förväntade efter steg",
        "heads": "Recept|Status|Läkemedel|Dosering|Version|Registrerat av",
        "create": "nytt recept",
        "update": "ändrat recept",
        "replace": "ersatt recept",
        "end": "avslutat recept",
        "cancel": "makulerat recept",
    },
    "en": {
        "starting": "Starting broker, intake, reconciler, publisher and NLL sandbox on this machine ...",
        "fact": "fact",
        "facts": "facts",
        "problem": "problem, to quarantine",
        "problems": "problems, to quarantine",
        "accepted": "accepted",
        "partial": "accepted in part",
        "quarantined": "not accepted",
        "unchanged": "The list is unchanged.",
        "wrong": "The list is not the expected one (contracts/recordings/story/expected).",
        "wrong_nll": "What stands in the NLL sandbox is not what is expected (contracts/recordings/story/expected/nll.json).",
        "quarantine": "In quarantine",
        "nll": "In the NLL sandbox, read with GET",
        "ours": "medlist",
        "theirs": "the source itself",
        "held": "Not sent",
        "sent": "Sent to NLL",
        "right": "Done: the list is the expected one after every step",
        "failed": "Wrong: the list is not the expected one after step",
        "heads": "Prescription|Status|Drug|Dosage|Version|Registered by",
        "create": "new prescription",
        "update": "changed prescription",
        "replace": "replaced prescription",
        "end": "ended prescription",
        "cancel": "cancelled prescription",
    },
}


class Teller:
    """Tells one run of the demo on a console."""

    def __init__(self, console: Console, lang: Language) -> None:
        self._console = console
        self._lang = lang
        self._words = _WORDS[lang]

    def starting(self) -> None:
        """Say that everything starts."""
        self._console.print(self._words["starting"], style="dim")

    def delivered(self, delivery: Delivery, of: int, ack: Ack) -> None:
        """Tell a delivery and what its sender was answered."""
        self._console.print(Rule(style="dim"))
        self._console.print(
            Text(f"{delivery.number}/{of}  {moment(delivery.received_at)}  ", style="dim")
            + Text(delivery.title[self._lang], style="bold")
        )
        counts = (("fact", ack.fact_count), ("problem", ack.problem_count))
        became = [f"{number} {self._words[word if number == 1 else f'{word}s']}" for word, number in counts if number]
        told = ", ".join([self._words[ack.outcome], *became])
        self._console.print(Text(f"{delivery.source}: {told}", style="dim"))

    def listed(self, one: MedicationList | None, *, changed: bool, differences: Sequence[str] = ()) -> None:
        """Show the list, when it has changed; and how it differs from the expected one."""
        if one is not None and changed:
            print_lines(self._console, one, self._lang)
        else:
            self._console.print(self._words["unchanged"], style="dim")
        if differences:
            self._console.print(self._words["wrong"], style="bold red")
        for line in differences:
            self._console.print(line, style="red", markup=False)

    def published(self, publication: Publication) -> None:
        """Tell what was sent toward NLL."""
        for done in publication.operations:
            self._console.print(Text(f"{self._words['sent']}: {self._words[done.kind]} {done.id or ''}", style="cyan"))
        for problem in publication.problems:
            self._console.print(Text(f"NLL: {problem.code} {problem.place}", style="red"))

    def quarantined(self, records: Sequence[Quarantined], deliveries: Mapping[str, Delivery]) -> None:
        """Show what waits in quarantine, with every problem."""
        if not records:
            return
        self._heading("quarantine")
        for record in records:
            sent = dict(record.headers).get("medlist-message-id", b"").decode()
            title = deliveries[sent].title[self._lang] if sent in deliveries else record.id
            self._console.print(f"{record.source}: {title}", markup=False)
            for problem in record.problems:
                self._console.print(f"  {problem.code}  {problem.place}: {problem.text}", markup=False)

    def endpoint(self, found: Sequence[Found], publication: Publication | None, one: MedicationList | None) -> None:
        """Show what stands at the endpoint, and what was not sent and why."""
        self._heading("nll")
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        for head in self._words["heads"].split("|"):
            table.add_column(head, overflow="fold")
        for resource in found:
            by = self._words["theirs" if resource.record is None else "ours"]
            cells = (resource.nll_id, resource.status, resource.product, resource.dosage, resource.version, by)
            table.add_row(*(Text(cell or "-") for cell in cells))
        self._console.print(table)
        names = _names(one)
        reasons = HELD_REASONS_SV if self._lang == "sv" else HELD_REASONS
        for held in publication.held if publication is not None else ():
            reason = f"{reasons[held.reason]} [{held.reason}]"
            self._console.print(f"{self._words['held']}: {names.get(held.record, held.record)}: {reason}", markup=False)

    def finished(self, wrong: Sequence[int], deliveries: int, seconds: float, *, published_right: bool) -> None:
        """Say how it went."""
        self._console.print()
        if not published_right:
            self._console.print(self._words["wrong_nll"], style="bold red")
        if wrong or not published_right:
            steps = ", ".join(str(number) for number in wrong)
            self._console.print(f"{self._words['failed']} {steps or '-'}.", style="bold red")
        else:
            self._console.print(f"{self._words['right']} ({deliveries}; {seconds:.0f} s).", style="bold green")

    def _heading(self, word: str) -> None:
        self._console.print()
        self._console.print(Rule(self._words[word], style="dim", align="left"))


def _names(one: MedicationList | None) -> dict[str, str]:
    """Return record id -> what its prescription is of."""
    if one is None:
        return {}
    return {
        prescription.record: f"{prescription.content.medication.text or drug_name(item)} ({prescription.source})"
        for item in one.items
        for prescription in item.prescriptions
    }
