"""The addresses of the sandbox, and its life from start to stop."""

from typing import Final

from aiohttp import web

from connectors.nll_sandbox import admin, bundles, interactions, operations, terms
from connectors.nll_sandbox.auth import client_of
from connectors.nll_sandbox.capabilities import capabilities
from connectors.nll_sandbox.exchange import SANDBOX, endpoint, told_as_outcome
from connectors.nll_sandbox.server import Sandbox
from connectors.nll_sandbox.settings import SandboxSettings
from mappings.fhir.exact_json import write_json

_LARGEST_BODY: Final = 8 * 1024 * 1024
_KIND: Final = "/{kind:[A-Z][A-Za-z]+}"
_TERMS: Final = "/{terms:ValueSet|ConceptMap}"
_NAME: Final = r"/{name:[A-Za-z0-9.\-]{1,64}}"


def create_app(settings: SandboxSettings) -> web.Application:
    """The sandbox as an aiohttp application; seeded from ``settings.seed_files``."""
    app = web.Application(client_max_size=_LARGEST_BODY, middlewares=[told_as_outcome])
    app[SANDBOX] = Sandbox(settings)
    app.add_routes([web.post("/oauth2/token", _token), *_operations(), *_resources(), *admin.routes(app[SANDBOX])])
    app.on_cleanup.append(_close)
    return app


def _operations() -> list[web.RouteDef]:
    ping = endpoint(operations.ping, "open", "$ping")
    return [
        web.get("/metadata", endpoint(capabilities, "open", "capabilities")),
        web.get(_TERMS, endpoint(terms.search_terms, "lookup", "search")),
        web.get(f"{_TERMS}{_NAME}", endpoint(terms.read_terms, "lookup", "read")),
        web.get("/$ping", ping),
        web.post("/$ping", ping),
        web.post("/", endpoint(bundles.transaction, "write", "transaction")),
        web.post("/$verify", endpoint(bundles.verify, "write", "$verify", once=False)),
        web.post(
            "/$patient-dosage-directions",
            endpoint(operations.patient_dosage_directions, "lookup", "$patient-dosage-directions"),
        ),
        web.post("/MedicationRequest/$monitoring", endpoint(operations.monitoring, "persons", "$monitoring")),
        web.post(f"/MedicationRequest{_NAME}/$end", endpoint(operations.end, "write", "$end")),
    ]


def _resources() -> list[web.RouteDef]:
    return [
        web.get(f"{_KIND}{_NAME}/_history/{{version}}", endpoint(interactions.vread, "read", "vread")),
        web.get(f"{_KIND}{_NAME}/_history", endpoint(interactions.history, "read", "history")),
        web.post(f"{_KIND}/_search", endpoint(interactions.search_kind, "read", "search")),
        web.get(f"{_KIND}{_NAME}", endpoint(interactions.read, "read", "read")),
        web.put(f"{_KIND}{_NAME}", endpoint(interactions.update, "write", "update")),
        web.delete(f"{_KIND}{_NAME}", endpoint(interactions.no_such_method, "open", "delete")),
        web.get(_KIND, endpoint(interactions.search_kind, "read", "search")),
        web.post(_KIND, endpoint(interactions.create, "write", "create")),
    ]


async def _token(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    told = form | client_of(request.headers.get("authorization", ""))
    status, body = sandbox.tokens.issue(told, sandbox.clock())
    return web.Response(status=status, body=write_json(body), content_type="application/json")


async def _close(app: web.Application) -> None:
    app[SANDBOX].close()
