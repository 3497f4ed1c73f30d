"""A faithful sandbox of the national medication list's FHIR endpoint (Nationella läkemedelslistan, NLL). See README.md."""

from connectors.nll_sandbox.app import create_app
from connectors.nll_sandbox.serving import run_sandbox, serve
from connectors.nll_sandbox.settings import Caller, Client, SandboxSettings, assumptions

__all__ = ["Caller", "Client", "SandboxSettings", "assumptions", "create_app", "run_sandbox", "serve"]
