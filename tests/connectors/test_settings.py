"""Settings: where they come from, what is refused, and that no secret is ever shown."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.settings import DEMO_PSEUDONYM_KEY, MASK, Settings, load_settings
from connectors.telemetry import CodedError

KEY = "0123456789abcdef0123456789abcdef"


def refusal(environ: dict[str, str], *needs: str) -> str:
    """Load settings that cannot be loaded; returns the message."""
    with pytest.raises(CodedError) as raised:
        load_settings(environ, needs=needs)
    assert raised.value.code == "CFG-001"
    return raised.value.message


def test_variables_become_settings_of_their_types() -> None:
    """Each variable is read as the type of its setting."""
    settings = load_settings(
        {
            "MEDLIST_KAFKA": "a:9092,b:9092",
            "MEDLIST_PARTITIONS": "24",
            "MEDLIST_WATCHDOG_SECONDS": "1.5",
            "MEDLIST_TRUST_RECEIVED_AT": "true",
            "HOME": "/nobody",
        }
    )

    assert (settings.kafka, settings.partitions, settings.watchdog_seconds, settings.trust_received_at) == (
        "a:9092,b:9092",
        24,
        1.5,
        True,
    )


def test_nothing_set_is_enough_for_offline_work() -> None:
    """Without any variable the defaults hold, and what has no honest default stays None."""
    settings = load_settings({})

    assert (settings.partitions, settings.topic_prefix, settings.trust_received_at) == (12, "", False)
    assert (settings.kafka, settings.pseudonym_key, settings.nll_base_url) == (None, None, None)


@pytest.mark.parametrize("name", ["pseudonym_key", "MEDLIST_PSEUDONYM_KEY", "pseudonym-key"])
def test_a_mounted_file_is_a_setting(tmp_path: Path, name: str) -> None:
    """A file of the secrets directory sets what its name says, without the final line break."""
    (tmp_path / name).write_text(KEY + "\n")
    (tmp_path / "..data").mkdir()

    settings = load_settings({"MEDLIST_SECRETS_DIR": str(tmp_path)}, needs=["pseudonym_key"])

    assert settings.pseudonym_secret() == KEY.encode()


def test_a_variable_wins_over_a_file(tmp_path: Path) -> None:
    """Where both are given, the variable counts."""
    (tmp_path / "partitions").write_text("3")

    settings = load_settings({"MEDLIST_SECRETS_DIR": str(tmp_path), "MEDLIST_PARTITIONS": "5"})

    assert settings.partitions == 5


def test_a_secrets_directory_that_is_not_there_is_told() -> None:
    """An unreadable directory is a coded error of its own, not an empty one."""
    with pytest.raises(CodedError, match=r"CFG-002.*MEDLIST_SECRETS_DIR"):
        load_settings({"MEDLIST_SECRETS_DIR": "/nowhere/at/all"})


def test_every_problem_is_named_at_once() -> None:
    """One refusal names every variable that is missing, wrong or unknown, and what to write."""
    message = refusal(
        {
            "MEDLIST_PARTITIONS": "many",
            "MEDLIST_LOG_LEVEL": "debug",
            "MEDLIST_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "MEDLIST_PSEUDONYM_KEYS": KEY,
        },
        "kafka",
        "pseudonym_key",
    )

    for part in (
        "MEDLIST_PARTITIONS is wrong: write a whole number from 1 to 1000",
        "MEDLIST_LOG_LEVEL is wrong: write info, warning or error",
        "MEDLIST_KAFKA is missing: write the brokers as host:port",
        "MEDLIST_PSEUDONYM_KEY is missing: write at least 32 characters",
        "MEDLIST_PSEUDONYM_KEYS is not a setting: write MEDLIST_PSEUDONYM_KEY",
        "MEDLIST_KAFKA_SASL_MECHANISM is missing",
        "MEDLIST_KAFKA_SASL_USERNAME is missing",
        "MEDLIST_KAFKA_SASL_PASSWORD is missing",
    ):
        assert part in message


def test_no_refusal_holds_a_value() -> None:
    """What was written wrongly is never repeated: it may be a secret in the wrong place."""
    message = refusal({"MEDLIST_PARTITIONS": "hunter2", "MEDLIST_PSEUDONYM_KEY": "swordfish"})

    assert "hunter2" not in message
    assert "swordfish" not in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKA", "broker-without-port"),
        ("PARTITIONS", "0"),
        ("PARTITIONS", "1.5"),
        ("TOPIC_PREFIX", "with space"),
        ("HEALTH_PORT", "70000"),
        ("WATCHDOG_SECONDS", "0"),
        ("NLL_BASE_URL", "ftp://host"),
        ("KAFKA_SECURITY_PROTOCOL", "TLS"),
        ("PSEUDONYM_KEY", "too short"),
        ("INSTANCE_ID", "two words"),
    ],
)
def test_a_value_outside_its_range_is_refused(name: str, value: str) -> None:
    """Each setting has limits, and a value beyond them names its variable."""
    assert f"MEDLIST_{name} is wrong" in refusal({f"MEDLIST_{name}": value})


def test_the_demo_key_is_refused_in_production() -> None:
    """The key that stands in the source cannot key real patients."""
    message = refusal({"MEDLIST_PSEUDONYM_KEY": DEMO_PSEUDONYM_KEY})

    assert "MEDLIST_PSEUDONYM_KEY is the demo's public key" in message


@pytest.mark.parametrize(
    ("environ", "part"),
    [
        ({"NLL_BASE_URL": "http://nll.example/fhir"}, "MEDLIST_NLL_BASE_URL would send patients unencrypted"),
        ({"NLL_CLIENT_ID": "me"}, "MEDLIST_NLL_CLIENT_SECRET is missing"),
        ({"KAFKA_SSL_KEY_LOCATION": "/k"}, "MEDLIST_KAFKA_SSL_CERTIFICATE_LOCATION is missing"),
        ({"KAFKA_SASL_PASSWORD": "p"}, "MEDLIST_KAFKA_SECURITY_PROTOCOL does not use the password"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(environ: dict[str, str], part: str) -> None:
    """Settings that make no sense together are told before anything connects."""
    assert part in refusal({f"MEDLIST_{name}": value for name, value in environ.items()})


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/fhir", "http://localhost:1/", "https://nll.example/fhir"])
def test_https_or_this_machine_is_a_fine_endpoint(url: str) -> None:
    """Plain http is accepted only toward the machine itself."""
    assert load_settings({"MEDLIST_NLL_BASE_URL": url}).nll_base_url == url


@pytest.mark.parametrize(
    "name",
    ["MEDLIST_SERVICE_HOST", "MEDLIST_PORT", "MEDLIST_PORT_8080_TCP_ADDR", "MEDLIST_SANDBOX_SERVICE_PORT_HTTP"],
)
def test_what_kubernetes_sets_for_a_service_is_not_ours(name: str) -> None:
    """A Service called medlist puts variables into every pod; they are neither settings nor errors."""
    assert load_settings({name: "tcp://10.0.0.1:8080"}) == Settings()


def test_kafka_client_carries_addresses_and_security() -> None:
    """The client options have confluent-kafka's names, and only what is set."""
    settings = load_settings(
        {
            "MEDLIST_KAFKA": "k:9093",
            "MEDLIST_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "MEDLIST_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "MEDLIST_KAFKA_SASL_USERNAME": "medlist",
            "MEDLIST_KAFKA_SASL_PASSWORD": "secret",
            "MEDLIST_KAFKA_SSL_CA_LOCATION": "/etc/ca.pem",
        }
    )

    assert settings.kafka_client() == {
        "bootstrap.servers": "k:9093",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "medlist",
        "sasl.password": "secret",
        "ssl.ca.location": "/etc/ca.pem",
    }


def test_a_missing_broker_or_key_is_told_on_use() -> None:
    """Who asks for what was not set gets the coded error, not None."""
    settings = Settings()

    with pytest.raises(CodedError, match="MEDLIST_KAFKA is missing"):
        settings.kafka_client()
    with pytest.raises(CodedError, match="MEDLIST_PSEUDONYM_KEY is missing"):
        settings.pseudonym_secret()


def test_masked_shows_everything_but_secrets() -> None:
    """The shown settings are whole and JSON-safe, with stars for every secret that is set."""
    settings = Settings(
        kafka="k:9092",
        pseudonym_key=SecretStr(KEY),
        kafka_sasl_password=SecretStr("marker-password"),
        nll_client_secret=SecretStr("marker-client"),
        kafka_ssl_key_password=SecretStr("marker-key"),
        kafka_ssl_ca_location=Path("/etc/ca.pem"),
    )

    shown = settings.masked()

    assert shown.keys() == {f"MEDLIST_{name.upper()}" for name in Settings.model_fields}
    assert shown["MEDLIST_PSEUDONYM_KEY"] == MASK
    assert shown["MEDLIST_KAFKA_SSL_CA_LOCATION"] == "/etc/ca.pem"
    text = json.dumps(shown) + repr(settings)
    assert "marker" not in text
    assert KEY not in text


def test_the_prefix_stands_before_every_topic() -> None:
    """A prefixed installation has topics of its own on a shared cluster."""
    settings = Settings.for_demo("127.0.0.1:1", topic_prefix="demo.")

    assert settings.topic("medlist.fact.v1") == "demo.medlist.fact.v1"


def test_every_setting_says_what_to_write() -> None:
    """A setting without a description would give a refusal that helps nobody."""
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
