"""Which broker is taken, and what happens where none can be had."""

from pathlib import Path

import pytest

from tests.kafka.found import some_broker
from tests.kafka.libraries import BrokerUnavailableError, java, kafka_libraries

pytest_plugins = ["pytester"]


def test_a_named_broker_is_taken_as_it_is(tmp_path: Path) -> None:
    """Where an address is given, nothing is started."""
    with some_broker(tmp_path, named="kafka.example:9092") as broker:
        assert broker == ("kafka.example:9092", "MEDLIST_KAFKA")


def test_no_java_is_told_with_a_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without Java is told which package to install."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(BrokerUnavailableError, match="openjdk-17-jre-headless"):
        java()


def test_an_old_java_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Java 11 would fail later and less clearly."""
    old = tmp_path / "java"
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    old.chmod(0o755)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")

    with pytest.raises(BrokerUnavailableError, match="older than 17"):
        java()


def test_a_failed_fetch_leaves_no_half_filled_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """When Maven fails in the middle, the next run does not take what it left for the whole."""
    maven = tmp_path / "mvn"
    maven.write_text(
        "#!/bin/sh\n"
        'for word in "$@"; do case $word in -DoutputDirectory=*) folder=${word#*=};; esac; done\n'
        'mkdir -p "$folder"; echo half > "$folder/kafka_2.13-0.0.jar"; echo "no route"; exit 1\n'
    )
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setenv("MEDLIST_CACHE", str(tmp_path / "cache"))

    with pytest.raises(BrokerUnavailableError, match="no route"):
        kafka_libraries("0.0")

    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["kafka-0.0.lock"]


@pytest.mark.parametrize(("ci", "outcome"), [("true", {"errors": 1}), ("", {"skipped": 1})])
def test_without_a_broker_a_laptop_skips_and_ci_fails(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str, outcome: dict[str, int]
) -> None:
    """Tests that need a broker may be left out on a laptop, with the reason, but never in CI."""
    monkeypatch.setenv("CI", ci)
    monkeypatch.delenv("MEDLIST_KAFKA", raising=False)
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(pytester.path))
    pytester.makeconftest("from tests.conftest import kafka")
    pytester.makepyfile("def test_needs_kafka(kafka): pass")

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:asyncio", "-rsE")

    result.assert_outcomes(**outcome)
    result.stdout.fnmatch_lines(["*no Kafka to test on: no Java*"])
