"""The validator as tests ask it: one resource in, what is wrong with it out."""

import contextlib
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

import msgspec

from mappings.fhir.exact_json import JsonObject, write_json
from tests.fhir_validator.built import ValidatorUnavailableError, command

DEFINITIONS: Final = Path(__file__).parents[2] / "contracts" / "fhir"
_START_SECONDS: Final = 300.0
_ANSWER_SECONDS: Final = 60.0

_AS_ERRORS: Final = frozenset({"REFERENCE_REF_SUSPICIOUS"})
"""Warnings that are errors to us: the first is a reference to a type of resource that does not exist."""


class Issue(NamedTuple):
    """One complaint. ``rule`` is HAPI's own name for it."""

    severity: str
    place: str
    rule: str
    text: str

    @property
    def is_error(self) -> bool:
        """Whether the resource is wrong; else it is a warning or for information."""
        return self.severity in {"error", "fatal"} or self.rule in _AS_ERRORS


class _Answer(msgspec.Struct, frozen=True):
    issues: tuple[dict[str, str | None], ...]


class _Ready(msgspec.Struct, frozen=True):
    definitions: int


class FhirValidator:
    """A running validator; one question at a time. ``definitions`` is how many definitions it holds."""

    def __init__(self, process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
        self._process = process
        self._said = said
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.definitions = msgspec.json.decode(self._line(_START_SECONDS), type=_Ready).definitions

    def issues(self, resource: JsonObject | bytes, *profiles: str) -> list[Issue]:
        """Everything there is to say about a resource as one of these profiles, and as those that it claims itself.

        Raises ``ValueError`` where neither says what it should be: base FHIR alone accepts nearly everything.
        """
        document = resource if isinstance(resource, bytes) else write_json(resource)
        claimed = msgspec.json.decode(document).get("meta", {}).get("profile")
        if not profiles and not claimed:
            raise ValueError("a resource without meta.profile, and no profile to check it against")
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(" ".join(profiles).encode() + b"\t" + b" ".join(document.splitlines()) + b"\n")
        stdin.flush()
        answer = msgspec.json.decode(self._line(_ANSWER_SECONDS), type=_Answer)
        return [Issue(**{name: value or "" for name, value in one.items()}) for one in answer.issues]

    def errors(self, resource: JsonObject | bytes, *profiles: str) -> list[Issue]:
        """What is wrong with a resource; empty when nothing is."""
        return [issue for issue in self.issues(resource, *profiles) if issue.is_error]

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def _line(self, seconds: float) -> bytes:
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError(f"the validator did not answer within {seconds:.0f} s") from None
        if not line:
            self._said.seek(0)
            said = self._said.read().decode()[-2000:]
            raise ValidatorStoppedError(f"the validator ended with status {self._process.wait()}: {said}")
        return line


class ValidatorStoppedError(RuntimeError):
    """The validator ended by itself: a definition cannot be used (the text names it), or it broke."""


@contextlib.contextmanager
def running(definitions: Path = DEFINITIONS) -> Iterator[FhirValidator]:
    """A validator for as long as the context lasts; raises `ValidatorUnavailableError` where none can be had."""
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command(definitions), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said) as process,
    ):
        try:
            yield FhirValidator(process, said)
        finally:
            process.kill()


def main(arguments: Iterable[str]) -> int:
    """Validate files (``[PROFILE] FILE...``), print what is wrong; the exit status is 1 if anything is."""
    given = list(arguments)
    profiles = [one for one in given if ":" in one]
    files = [Path(one) for one in given if ":" not in one]
    bad = 0
    with running() as validator:
        for file in files:
            for issue in validator.issues(file.read_bytes(), *profiles):
                bad += issue.is_error
                print(f"{file}: {issue.severity} {issue.place}: {issue.text} [{issue.rule}]")
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (ValidatorUnavailableError, ValidatorStoppedError) as problem:
        sys.exit(str(problem))
