"""Apache Kafka's own jars, fetched once by Maven into a cache outside the tree."""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

LOCAL = Path(__file__).parents[2] / "deploy" / "local"
DEFAULT_VERSION = "3.9.2"
_FETCH_SECONDS = 600
_JAVA_SECONDS = 30
_OLDEST_JAVA = 17


class BrokerUnavailableError(RuntimeError):
    """No broker can be had on this machine; the text says what is missing and how to get it."""


def kafka_version() -> str:
    """The Kafka that tests run on: `MEDLIST_KAFKA_VERSION`, or the default leg."""
    return os.environ.get("MEDLIST_KAFKA_VERSION") or DEFAULT_VERSION


def java() -> str:
    """Path of a Java of at least version 17; raises `BrokerUnavailableError`."""
    home = os.environ.get("JAVA_HOME")
    path = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if path is None:
        raise BrokerUnavailableError("no Java: install a Java 17 runtime (Debian: openjdk-17-jre-headless)")
    told = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=_JAVA_SECONDS, check=False)
    found = re.search(r'version "(\d+)', told.stderr)
    if found is None or int(found.group(1)) < _OLDEST_JAVA:
        raise BrokerUnavailableError("Java is older than 17: install a Java 17 runtime, or set JAVA_HOME to one")
    return path


def kafka_libraries(version: str) -> Path:
    """The folder with the jars of one Kafka version, fetched if need be; safe against several runs at once.

    A folder that exists is whole: it is filled elsewhere and moved into place. Raises `BrokerUnavailableError` where
    Maven is missing or cannot fetch.
    """
    cache = _cache()
    libraries = cache / f"kafka-{version}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"kafka-{version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not libraries.is_dir():
            _fetch(version, libraries)
    return libraries


def _fetch(version: str, libraries: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise BrokerUnavailableError("no Maven to fetch Kafka with: install it (Debian: maven)")
    with tempfile.TemporaryDirectory(prefix=f"{libraries.name}.", dir=libraries.parent) as scratch:
        filling = Path(scratch) / "jars"
        command = [maven, "-q", "-B", "-ntp", "-f", str(LOCAL / "pom.xml"), f"-Dkafka.version={version}"]
        command += ["dependency:copy-dependencies", f"-DoutputDirectory={filling}", "-DincludeScope=runtime"]
        told = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_SECONDS, check=False)
        if told.returncode != 0 or not any(filling.glob("kafka_*.jar")):
            raise BrokerUnavailableError(f"Maven could not fetch Kafka {version}:\n{told.stdout[-2000:]}")
        filling.rename(libraries)


def _cache() -> Path:
    chosen = os.environ.get("MEDLIST_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "medlist"
