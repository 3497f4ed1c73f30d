"""The validator's classes and libraries, built once by Maven into a cache outside the tree."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from tests.kafka.libraries import BrokerUnavailableError, java

PROJECT: Final = Path(__file__).parent
JAR: Final = "fhir-validator.jar"
_BUILD_SECONDS: Final = 600
_KEY_LENGTH: Final = 12


class ValidatorUnavailableError(RuntimeError):
    """No validator can be had on this machine; the text says what is missing and how to get it."""


def command(definitions: Path) -> list[str]:
    """What starts the validator on a folder of definitions, built if need be. Raises `ValidatorUnavailableError`."""
    try:
        machine = java()
    except BrokerUnavailableError as missing:
        raise ValidatorUnavailableError(str(missing)) from missing
    home = _built()
    # Our jar comes first: its one-line OID registry hides the library's, whose 21,350 lines are read for each resource.
    class_path = os.pathsep.join((str(home / JAR), str(home / "lib" / "*")))
    tuned = ["-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    return [machine, *tuned, "-cp", class_path, "medlist.fhir.Serve", str(definitions)]


def _built() -> Path:
    """The folder with the jar and its libraries; safe against several runs at once.

    A folder that exists is whole: it is filled elsewhere and moved into place. Its name tells the sources it is made of.
    """
    home = _cache() / f"fhir-validator-{_key()}"
    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.is_dir():
            _build(home)
    return home


def _build(home: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise ValidatorUnavailableError("no Maven to build the validator with: install it (Debian: maven)")
    with tempfile.TemporaryDirectory(prefix=f"{home.name}.", dir=home.parent) as scratch:
        project = Path(scratch)
        shutil.copy(PROJECT / "pom.xml", project)
        shutil.copytree(PROJECT / "src", project / "src")
        told = subprocess.run(
            [maven, "-q", "-B", "-ntp", "-f", str(project / "pom.xml"), "package"],
            capture_output=True,
            text=True,
            timeout=_BUILD_SECONDS,
            check=False,
        )
        if told.returncode != 0:
            raise ValidatorUnavailableError(f"Maven could not build the validator:\n{told.stdout[-2000:]}")
        filling = project / "filling"
        filling.mkdir()
        (project / "target" / JAR).rename(filling / JAR)
        (project / "target" / "lib").rename(filling / "lib")
        filling.rename(home)


def _key() -> str:
    digest = hashlib.sha256()
    for path in (PROJECT / "pom.xml", *sorted((PROJECT / "src").rglob("*"))):
        if path.is_file():
            digest.update(path.relative_to(PROJECT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:_KEY_LENGTH]


def _cache() -> Path:
    chosen = os.environ.get("MEDLIST_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "medlist"
