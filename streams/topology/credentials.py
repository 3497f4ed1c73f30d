"""How faust logs in: the same properties that librdkafka gets, translated, so that they are written down once."""

import ssl
from collections.abc import Mapping

from faust import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

Properties = Mapping[str, str | int | float | bool]


def faust_credentials(client: Properties) -> CredentialsT | None:
    """Faust's credentials for librdkafka's `client` properties; `None` for plaintext without login.

    Understands PLAINTEXT, SSL, SASL_PLAINTEXT and SASL_SSL, PEM files, PLAIN and SCRAM. Raises `ValueError` for another
    protocol, `OSError` when a file cannot be read.
    """
    protocol = str(client.get("security.protocol", "PLAINTEXT")).upper()
    if protocol == "PLAINTEXT":
        return None
    if protocol == "SSL":
        return SSLCredentials(context=tls_context(client))
    if protocol in {"SASL_PLAINTEXT", "SASL_SSL"}:
        return SASLCredentials(
            username=str(client["sasl.username"]),
            password=str(client["sasl.password"]),
            mechanism=str(client["sasl.mechanism"]),
            ssl_context=tls_context(client) if protocol == "SASL_SSL" else None,
        )
    raise ValueError(f"security.protocol {protocol}")


def tls_context(client: Properties) -> ssl.SSLContext:
    """A context that checks the broker's certificate and name, with our own certificate where one is given."""
    context = ssl.create_default_context(cafile=_text(client, "ssl.ca.location"))
    certificate = _text(client, "ssl.certificate.location")
    if certificate is not None:
        context.load_cert_chain(certificate, _text(client, "ssl.key.location"), _text(client, "ssl.key.password"))
    return context


def _text(client: Properties, name: str) -> str | None:
    value = client.get(name)
    return None if value is None else str(value)
