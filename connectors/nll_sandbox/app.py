"""The HTTP face of the sandbox: addresses, and the steps every request goes through."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from connectors.nll_sandbox import admin, interactions
from connectors.nll_sandbox.exact_json import write_json
from connectors.nll_sandbox.headers import Demand, read_headers
from connectors.nll_sandbox.kinds import KINDS
from connectors.nll_sandbox.outcomes import Answer, Refusal, answer_of, refuse
from connectors.nll_sandbox.server import Call, Sandbox
from connectors.nll_sandbox.settings import SandboxSettings

SANDBOX: Final = web.AppKey("sandbox", Sandbox)
FHIR_JSON: Final = "application/fhir+json"
_LOOKED_UP: Final = frozenset({"Patient", "Medication"})

Interaction = Callable[[Sandbox, Call], Answer | Refusal]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def create_app(settings: SandboxSettings) -> web.Application:
    """The sandbox as an aiohttp application; seeded from ``settings.seed_files``."""
    app = web.Application(client_max_size=8 * 1024 * 1024)
    sandbox = Sandbox(settings)
    app[SANDBOX] = sandbox
    kind, name = "/{kind:[A-Z][A-Za-z]+}", "/{name:[A-Za-z0-9.\\-]{1,64}}"
    app.add_routes(
        [
            web.post("/oauth2/token", _token),
            web.get(f"{kind}{name}/_history/{{version}}", _handler(interactions.vread, "read")),
            web.get(f"{kind}{name}/_history", _handler(interactions.history, "read")),
            web.post(f"{kind}/_search", _handler(interactions.search_kind, "read")),
            web.get(f"{kind}{name}", _handler(interactions.read, "read")),
            web.put(f"{kind}{name}", _handler(interactions.update, "write")),
            web.delete(f"{kind}{name}", _handler(interactions.no_such_method, "open")),
            web.get(kind, _handler(interactions.search_kind, "read")),
            web.post(kind, _handler(interactions.create, "write")),
            *admin.routes(sandbox),
        ]
    )
    app.on_cleanup.append(_close)
    return app


async def _close(app: web.Application) -> None:
    app[SANDBOX].close()


async def _token(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    status, body = sandbox.tokens.issue(form, sandbox.clock())
    return web.Response(status=status, body=write_json(body), content_type="application/json")


def _handler(interaction: Interaction, demand: Demand) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        result = _result(request, interaction, demand, body)
        answer = answer_of(result) if isinstance(result, Refusal) else result
        return _response(request, answer)

    return handle


def _result(request: web.Request, interaction: Interaction, demand: Demand, body: bytes) -> Answer | Refusal:
    sandbox = request.app[SANDBOX]
    now = sandbox.clock()
    kind = request.match_info.get("kind", "")
    if kind and kind not in KINDS:
        return refuse(404, "unknown-kind", "The server holds no such resources.", kind="not-supported")
    if demand == "read" and kind in _LOOKED_UP:
        demand = "lookup"
    caller = sandbox.tokens.caller(request.headers.get("authorization"), now)
    if isinstance(caller, Refusal):
        return caller
    context = read_headers(request.headers, demand, sandbox.settings)
    if isinstance(context, Refusal):
        return context
    call = Call(
        base=f"{request.scheme}://{request.host}",
        path=dict(request.match_info),
        query=_query(request, body),
        body=body,
        caller=caller,
        context=context,
        now=now,
    )
    if demand != "write" or sandbox.settings.same_request_id != "replay":
        return interaction(sandbox, call)
    return _once(sandbox, call, f"{request.method} {request.path}", interaction)


def _once(sandbox: Sandbox, call: Call, address: str, interaction: Interaction) -> Answer | Refusal:
    """Carry a write out once for each request id: the same request again gets the answer that was given."""
    fingerprint = hashlib.sha256(address.encode() + b"\0" + call.body).digest()
    given = sandbox.store.given_answer(call.context.request_id)
    if given is not None:
        if given.fingerprint == fingerprint:
            return given.answer
        text = "The request id was used for another request; use a new one."
        return refuse(409, "request-id-reused", text, kind="duplicate")
    result = interaction(sandbox, call)
    if isinstance(result, Answer):
        sandbox.store.remember_answer(call.context.request_id, fingerprint, result)
    return result


def _query(request: web.Request, body: bytes) -> Mapping[str, str]:
    """The search parameters, from the address or from the form of a ``_search``."""
    query = dict(request.query)
    if request.method == "POST" and request.path.endswith("/_search"):
        query.update(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return query


def _response(request: web.Request, answer: Answer) -> web.Response:
    headers = {"X-Request-ID": request.headers.get("x-request-id", ""), **answer.headers}
    body = None if answer.body is None else write_json(answer.body)
    return web.Response(
        status=answer.status,
        headers=headers,
        body=body,
        content_type=FHIR_JSON if body is not None else None,
    )
