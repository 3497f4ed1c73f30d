"""How faust logs in: translated from librdkafka's properties."""

import pytest
from faust import SASLCredentials

from streams.topology.credentials import faust_credentials


def test_plaintext_needs_none() -> None:
    """Without a protocol, or with PLAINTEXT, there is nothing to log in with."""
    assert faust_credentials({"bootstrap.servers": "b:1"}) is None
    assert faust_credentials({"security.protocol": "PLAINTEXT"}) is None


def test_scram_over_tls() -> None:
    """Name, password and mechanism are taken over, and the broker's certificate and name are checked."""
    credentials = faust_credentials(
        {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": "reconciler",
            "sasl.password": "made-up",
        }
    )

    assert isinstance(credentials, SASLCredentials)
    assert (credentials.username, credentials.password) == ("reconciler", "made-up")
    assert credentials.mechanism.value == "SCRAM-SHA-512"
    assert credentials.ssl_context.check_hostname


def test_an_unknown_protocol_is_refused() -> None:
    """Nothing is guessed about how to log in."""
    with pytest.raises(ValueError, match="KERBEROS"):
        faust_credentials({"security.protocol": "KERBEROS"})
