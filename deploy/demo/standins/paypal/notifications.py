"""PayPal's webhook management: subscriptions, the log of events, the online check of a signature, certificates."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.demo.standins.paypal.api import Api
from deploy.demo.standins.paypal.certificates import Holder
from deploy.demo.standins.paypal.events import TYPES, EventLog
from deploy.demo.standins.paypal.refusals import Refused, refusal
from deploy.demo.standins.paypal.reporting import number_of, timestamp_of
from deploy.demo.standins.paypal.shapes import Json, link
from deploy.demo.standins.paypal.signing import ALGORITHM, Transmission, is_signed
from deploy.demo.standins.serving import FaultInjection, Handler

EVENTS_A_PAGE, MOST_EVENTS_A_PAGE = 10, 300
KEPT = timedelta(days=30)
CERTIFICATES = "/v1/notifications/certs/"


class Notifications:
    """One webhook of the merchant's app. `subscribed` are the types that it gets."""

    def __init__(self, api: Api, log: EventLog, webhook_id: str, webhook_url: str) -> None:
        self.webhook_id, self.webhook_url = webhook_id, webhook_url
        self.subscribed: set[str] = set(TYPES)
        self.certificates: dict[str, Holder] = {}
        """Leaves by the last part of their address."""
        self.shows_chain = True
        """Whether a certificate is served with its intermediate."""
        self.certificate_faults = FaultInjection()
        self._api, self._log = api, log

    def routes(self) -> Sequence[Route]:
        """Return the routes of all calls, and of the certificates, which need no token."""
        base = "/v1/notifications"
        calls: list[tuple[str, str, Callable[[Request], Response]]] = [
            ("GET", f"{base}/webhooks", self._webhooks),
            ("GET", f"{base}/webhooks/{{id}}", self._one_webhook),
            ("GET", f"{base}/webhooks/{{id}}/event-types", self._event_types),
            ("GET", f"{base}/webhooks-events", self._events),
            ("GET", f"{base}/webhooks-events/{{id}}", self._event),
            ("POST", f"{base}/webhooks-events/{{id}}/resend", self._resend),
        ]
        routes = [self._api.route(method, path, _later(answer)) for method, path, answer in calls]
        check = self._api.route("POST", f"{base}/verify-webhook-signature", self._verify)
        return [*routes, check, Route(CERTIFICATES + "{name}", self._certificate)]

    def _webhook(self) -> Json:
        url = f"{self._api.account.api_url}/v1/notifications/webhooks/{self.webhook_id}"
        links = [link(url, "self"), link(url, "update", "PATCH"), link(url, "delete", "DELETE")]
        return {"id": self.webhook_id, "url": self.webhook_url, "event_types": self._types(), "links": links}

    def _types(self) -> list[Json]:
        return [
            {"name": name, "description": TYPES.get(name, name), "status": "ENABLED"}
            for name in sorted(self.subscribed)
        ]

    def _webhooks(self, _: Request) -> Response:
        return JSONResponse({"webhooks": [self._webhook()]})

    def _one_webhook(self, request: Request) -> Response:
        return JSONResponse(self._named(request))

    def _event_types(self, request: Request) -> Response:
        return JSONResponse({"event_types": self._named(request)["event_types"]})

    def _named(self, request: Request) -> Json:
        if request.path_params["id"] != self.webhook_id:
            raise Refused(404, "INVALID_RESOURCE_ID")
        return self._webhook()

    def _event(self, request: Request) -> Response:
        for one in self._log.happened:
            if one.id == request.path_params["id"]:
                return JSONResponse(one.content)
        raise Refused(404, "INVALID_RESOURCE_ID")

    def _resend(self, request: Request) -> Response:
        try:
            self._log.again(request.path_params["id"])
        except KeyError:
            raise Refused(404, "INVALID_RESOURCE_ID") from None
        return JSONResponse({}, 202)

    def _events(self, request: Request) -> Response:
        """List events, the newest first; the next link holds the times and the place to go on from."""
        query = dict(request.query_params)
        size = number_of(query, "page_size", EVENTS_A_PAGE, MOST_EVENTS_A_PAGE)
        now = self._api.account.clock()
        start = timestamp_of(query, "start_time") if "start_time" in query else now - KEPT
        end = timestamp_of(query, "end_time") if "end_time" in query else now
        found = self._log.between(start, end, query.get("event_type", ""), query.get("transaction_id", ""))
        place = number_of(query, "index_id", 1) - 1
        shown = found[place : place + size]
        url = f"{self._api.account.api_url}/v1/notifications/webhooks-events"
        links = [link(f"{url}?{urlencode(query)}", "self")]
        if len(found) > place + size:
            times = {"start_time": start.isoformat(), "end_time": end.isoformat(), "page_size": size}
            further = {"move_to": "next", "index_id": place + size + 1}
            links.append(link(f"{url}?{urlencode({**query, **times, **further})}", "next"))
        content = {"events": [one.content for one in shown], "count": len(shown), "links": links}
        return JSONResponse(content)

    async def _verify(self, request: Request) -> Response:
        """Check a delivery's signature, as long as its event is given byte by byte as it was delivered."""
        text = (await request.body()).decode("utf-8", "surrogateescape")
        try:
            query = json.loads(text)
            event = _written_in(text, "webhook_event")
            transmission = Transmission(
                query["transmission_id"], query["transmission_time"], query["webhook_id"]
            )
            name, signature = query["cert_url"].rpartition("/")[2], query["transmission_sig"]
            is_ours = query["webhook_id"] == self.webhook_id and query["auth_algo"] == ALGORITHM
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refused(400, "VALIDATION_ERROR") from None
        holder = self.certificates.get(name)
        is_good = (
            is_ours and holder is not None and is_signed(transmission, event, signature, holder.certificate)
        )
        return JSONResponse({"verification_status": "SUCCESS" if is_good else "FAILURE"})

    async def _certificate(self, request: Request) -> Response:
        return await self.certificate_faults.around(
            request, _later(self._shown_certificate), lambda status: Response(status_code=status)
        )

    def _shown_certificate(self, request: Request) -> Response:
        holder = self.certificates.get(request.path_params["name"])
        if holder is None:
            return refusal(Refused(404))
        return Response(holder.chain_pem(whole=self.shows_chain), media_type="application/x-pem-file")


def _later(answer: Callable[[Request], Response]) -> Handler:
    async def handle(request: Request) -> Response:
        return answer(request)

    return handle


def _written_in(text: str, name: str) -> bytes:
    """Return a field's value as it is written in a JSON text. Raises ValueError."""
    start = text.index(":", text.index(f'"{name}"')) + 1
    while text[start].isspace():
        start += 1
    _, end = json.JSONDecoder().raw_decode(text, start)
    return text[start:end].encode("utf-8", "surrogateescape")
