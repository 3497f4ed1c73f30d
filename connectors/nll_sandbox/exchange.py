"""The steps every request goes through, whatever it asks for.

Fault before - token - headers - purpose - request id - the interaction - audit - fault after.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from connectors.nll_sandbox.audit import Entry
from connectors.nll_sandbox.faults import Drawn
from connectors.nll_sandbox.headers import Demand, RequestContext, read_headers
from connectors.nll_sandbox.kinds import KINDS
from connectors.nll_sandbox.outcomes import Answer, Refusal, answer_of, refuse
from connectors.nll_sandbox.resources import child, codes
from connectors.nll_sandbox.rights import purpose_fits
from connectors.nll_sandbox.server import Call, Notes, Sandbox
from connectors.nll_sandbox.settings import Caller
from connectors.nll_sandbox.store import LATEST
from mappings.fhir.exact_json import write_json

SANDBOX: Final = web.AppKey("sandbox", Sandbox)
FHIR_JSON: Final = "application/fhir+json"
_LOOKED_UP: Final = frozenset({"Patient", "Medication"})

Interaction = Callable[[Sandbox, Call], Answer | Refusal]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def endpoint(interaction: Interaction, demand: Demand, name: str, *, once: bool = True) -> Handler:
    """The aiohttp handler of one interaction; ``name`` is what the audit log calls it.

    Writes are carried out once for each request id, unless ``once`` is off.
    """
    writes = demand == "write" and once

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        sandbox = request.app[SANDBOX]
        drawn = sandbox.faults.draw(writes=writes)
        if drawn.latency_seconds:
            await asyncio.sleep(drawn.latency_seconds)
        exchange = _Exchange(sandbox, request, body, drawn)
        answer = exchange.answer(interaction, demand, once=writes)
        sandbox.audit.add(exchange.entry(name, answer))
        if answer.status < 300:  # noqa: PLR2004 - only what succeeded can be lost on the way
            if drawn.drops and request.transport is not None:
                request.transport.abort()
            elif drawn.late_error is not None:
                answer = answer_of(drawn.late_error)
        return _response(request, answer)

    return handle


@web.middleware
async def told_as_outcome(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What aiohttp itself refuses (no such address, method, too large a body) is told as an OperationOutcome too."""
    try:
        return await handler(request)
    except web.HTTPClientError as error:
        refusal = refuse(error.status, "http", f"HTTP: {error.reason}.", kind="not-supported")
        allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return _response(request, answer_of(Refusal(refusal.status, refusal.issues, allowed)))


class _Exchange:
    """One request on its way."""

    def __init__(self, sandbox: Sandbox, request: web.Request, body: bytes, drawn: Drawn) -> None:
        self._sandbox = sandbox
        self._request = request
        self._body = body
        self._drawn = drawn
        self._now = sandbox.clock()
        self._notes = Notes()
        self._caller: Caller | None = None
        self._context = RequestContext(request_id=request.headers.get("x-request-id", ""))

    def answer(self, interaction: Interaction, demand: Demand, *, once: bool) -> Answer:
        """What the client is told."""
        if self._drawn.expires_tokens:
            self._sandbox.tokens.forget()
        result = self._drawn.refusal or self._result(interaction, demand, once=once)
        if isinstance(result, Refusal):
            self._notes.issues = result.issues
            return answer_of(result)
        return result

    def entry(self, name: str, answer: Answer) -> Entry:
        """What the audit log is told."""
        caller, context, notes = self._caller, self._context, self._notes
        fault = "dropped" if self._drawn.drops else "late-error" if self._drawn.late_error else ""
        return Entry(
            at=self._now.isoformat(),
            interaction=name,
            status=answer.status,
            kind=self._request.match_info.get("kind", ""),
            name=self._request.match_info.get("name", ""),
            patient=notes.patient or context.patient,
            role="" if caller is None else caller.role,
            caregiver="" if caller is None else caller.caregiver,
            subject="" if caller is None else caller.subject,
            purpose=context.purpose,
            access=context.access,
            request_id=context.request_id,
            context_id=context.context_id,
            activity=next(iter(codes(child(context.provenance, "activity"))), ""),
            codes=tuple(issue.code for issue in notes.issues),
            resources=tuple(notes.resources),
            stored=notes.stored,
            unchanged=notes.unchanged,
            hidden=notes.hidden,
            replayed=notes.replayed,
            fault="refused" if self._drawn.refusal else fault if answer.status < 300 else "",  # noqa: PLR2004
        )

    def _result(self, interaction: Interaction, demand: Demand, *, once: bool) -> Answer | Refusal:
        kind = self._request.match_info.get("kind", "")
        if kind and kind not in KINDS:
            return refuse(404, "unknown-kind", "The server holds no such resources.", kind="not-supported")
        if demand == "read" and kind in _LOOKED_UP:
            demand = "lookup"
        if demand != "open":
            refusal = self._admit(demand)
            if refusal is not None:
                return refusal
        call = self._call()
        if once and self._sandbox.settings.same_request_id == "replay":
            return self._once(interaction, call)
        return interaction(self._sandbox, call)

    def _admit(self, demand: Demand) -> Refusal | None:
        """Who asks, with which headers, for which purpose; or why not."""
        caller = self._sandbox.tokens.caller(self._request.headers.get("authorization"), self._now)
        if isinstance(caller, Refusal):
            return caller
        self._caller = caller
        context = read_headers(self._request.headers, demand, self._sandbox.settings)
        if isinstance(context, Refusal):
            return context
        self._context = context
        return purpose_fits(caller, context)

    def _call(self) -> Call:
        patient = self._context.patient
        stale = self._drawn.stale_read and patient is not None
        return Call(
            base=f"{self._request.scheme}://{self._request.host}",
            path=dict(self._request.match_info),
            query=_query(self._request, self._body),
            body=self._body,
            caller=self._caller or Caller(role="", caregiver="", subject=""),
            context=self._context,
            now=self._now,
            notes=self._notes,
            as_of=self._sandbox.store.before_last_write(patient) if stale and patient is not None else LATEST,
        )

    def _once(self, interaction: Interaction, call: Call) -> Answer | Refusal:
        """Carry a write out once for each request id: the same request again gets the answer that was given."""
        store, address = self._sandbox.store, f"{self._request.method} {self._request.path}"
        fingerprint = hashlib.sha256(address.encode() + b"\0" + call.body).digest()
        given = store.given_answer(call.context.request_id)
        if given is not None:
            if given.fingerprint == fingerprint:
                self._notes.replayed = True
                return given.answer
            text = "The request id was used for another request; use a new one."
            return refuse(409, "request-id-reused", text, kind="duplicate")
        result = interaction(self._sandbox, call)
        if isinstance(result, Answer):
            store.remember_answer(call.context.request_id, fingerprint, result)
        return result


def _query(request: web.Request, body: bytes) -> Mapping[str, str]:
    """The search parameters, from the address or from the form of a ``_search``."""
    query = dict(request.query)
    if request.path.endswith("/_search"):
        query.update(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return query


def _response(request: web.Request, answer: Answer) -> web.Response:
    headers = {"X-Request-ID": request.headers.get("x-request-id", ""), **answer.headers}
    body = None if answer.body is None else write_json(answer.body)
    media = None if body is None else FHIR_JSON
    return web.Response(status=answer.status, headers=headers, body=body, content_type=media)
