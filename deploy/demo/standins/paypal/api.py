"""PayPal's REST API of payments, disputes and reports as far as Comptoir calls it, over an account with real state.

Written from PayPal's published OpenAPI documents and apart from the service's client, so that the two check each other.
"""

import asyncio
import base64
import json
import secrets
from collections import Counter
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.demo.standins.paypal.account import Account
from deploy.demo.standins.paypal.disputes import listed
from deploy.demo.standins.paypal.refunds import refund
from deploy.demo.standins.paypal.refusals import Refused, refusal
from deploy.demo.standins.paypal.reporting import MOST_FOUND, number_of, search
from deploy.demo.standins.paypal.shapes import Json, link, timestamp
from deploy.demo.standins.serving import FaultInjection, Handler

TOKEN_SECONDS = 32400
DISPUTES_A_PAGE, MOST_DISPUTES_A_PAGE = 10, 50
IN_MINIMAL_ANSWERS = ("id", "status", "links")


class Api:
    """Handlers of all calls. `asked` counts them by method and path."""

    def __init__(self, account: Account, client_id: str, client_secret: str) -> None:
        self.account = account
        self.faults = FaultInjection()
        self.token_faults = FaultInjection()
        self.requests: Counter[str] = Counter()
        self.refund_seconds = 0.0
        """How long a refund takes; the same request meanwhile is answered 409."""
        self.refund_status = "COMPLETED"
        """`PENDING` for refunds that take days."""
        self.report_lag = timedelta(0)
        """How late reports are; PayPal's are up to three hours."""
        self.most_found = MOST_FOUND
        """How many transactions a search may find."""
        self._client = f"{client_id}:{client_secret}"
        self._tokens: set[str] = set()
        self._answered: dict[str, tuple[Json, str]] = {}
        self._in_progress: set[str] = set()

    def expire_tokens(self) -> None:
        """Make every access token given so far invalid."""
        self._tokens.clear()

    def routes(self) -> list[Route]:
        """Return the routes of all calls."""
        calls: list[tuple[str, str, Handler]] = [
            ("GET", "/v2/checkout/orders/{id}", self._order),
            ("GET", "/v2/payments/captures/{id}", self._capture),
            ("POST", "/v2/payments/captures/{id}/refund", self._refund),
            ("GET", "/v2/payments/authorizations/{id}", self._authorization),
            ("GET", "/v2/payments/refunds/{id}", self._refund_shown),
            ("GET", "/v1/customer/disputes", self._disputes),
            ("GET", "/v1/customer/disputes/{id}", self._dispute),
            ("GET", "/v1/reporting/transactions", self._transactions),
        ]
        routes = [self.route(*call) for call in calls]
        return [*routes, Route("/v1/oauth2/token", self._token, methods=["POST"])]

    def route(self, method: str, path: str, handle: Handler) -> Route:
        """Return a route that needs an access token and may have trouble."""

        async def answer(request: Request) -> Response:
            self.requests[f"{method} {path}"] += 1
            return await self.faults.around(request, lambda query: self._guarded(query, handle), _status)

        return Route(path, answer, methods=[method])

    async def _guarded(self, request: Request, handle: Handler) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self._tokens:
            content = {"error": "invalid_token", "error_description": "Token signature verification failed"}
            return JSONResponse(content, 401)
        try:
            return await handle(request)
        except Refused as refused:
            return refusal(refused)

    async def _token(self, request: Request) -> Response:
        self.requests["POST /v1/oauth2/token"] += 1
        return await self.token_faults.around(request, self._new_token, _status)

    async def _new_token(self, request: Request) -> Response:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        expected = base64.b64encode(self._client.encode()).decode()
        if scheme != "Basic" or given != expected:
            content = {"error": "invalid_client", "error_description": "Client Authentication failed"}
            return JSONResponse(content, 401)
        form = dict(parse_qsl((await request.body()).decode()))
        if form.get("grant_type") != "client_credentials":
            content = {"error": "unsupported_grant_type", "error_description": "unsupported grant_type"}
            return JSONResponse(content, 400)
        token = f"A21AA{secrets.token_urlsafe(48)}"
        self._tokens.add(token)
        return JSONResponse(
            {
                "scope": "https://uri.paypal.com/services/payments/payment https://uri.paypal.com/services/reporting",
                "access_token": token,
                "token_type": "Bearer",
                "app_id": "APP-80W284485P519543T",
                "expires_in": TOKEN_SECONDS,
                "nonce": timestamp(self.account.clock()) + secrets.token_urlsafe(24),
            }
        )

    async def _order(self, request: Request) -> Response:
        return _one(self.account.orders, request)

    async def _capture(self, request: Request) -> Response:
        return _one(self.account.captures, request)

    async def _authorization(self, request: Request) -> Response:
        return _one(self.account.authorizations, request)

    async def _refund_shown(self, request: Request) -> Response:
        return _one(self.account.refunds, request)

    async def _refund(self, request: Request) -> Response:
        """Refund a capture. A repeated request id gives the first refund as it is now, whatever the body says."""
        key = request.headers.get("paypal-request-id", "")
        capture_id, is_whole = request.path_params["id"], _wants_all(request)
        if key in self._in_progress:
            raise Refused(409, "PREVIOUS_REQUEST_IN_PROGRESS")
        if key in self._answered:
            made, of_capture = self._answered[key]
            if of_capture != capture_id:
                raise Refused(422, "PAYPAL_REQUEST_ID_PREVIOUSLY_USED")
            return JSONResponse(_shown(made, is_whole=is_whole), 200)
        wanted = _wish(await request.body())
        self._in_progress |= {key} if key else set()
        try:
            await asyncio.sleep(self.refund_seconds)
            made = refund(self.account, capture_id, wanted, status=self.refund_status)
        finally:
            self._in_progress.discard(key)
        if key:
            self._answered[key] = made, capture_id
        return JSONResponse(_shown(made, is_whole=is_whole), 201)

    async def _dispute(self, request: Request) -> Response:
        return _one(self.account.disputes, request)

    async def _disputes(self, request: Request) -> Response:
        """List disputes, the last changed first; `next_page_token` is the last one seen."""
        query = dict(request.query_params)
        if "start_time" in query and "disputed_transaction_id" in query:
            raise Refused(400, "INVALID_PARAMETER_VALUE", "start_time")
        size = number_of(query, "page_size", DISPUTES_A_PAGE, MOST_DISPUTES_A_PAGE)
        found = [each for each in self.account.disputes.values() if _is_wanted(each, query)]
        found.sort(key=lambda each: str(each["update_time"]), reverse=True)
        start = number_of(query, "next_page_token", 1) - 1
        url = f"{self.account.api_url}/v1/customer/disputes"
        links = [link(f"{url}?{urlencode(query)}", "self")]
        if len(found) > start + size:
            links.append(link(f"{url}?{urlencode({**query, 'next_page_token': start + size + 1})}", "next"))
        return JSONResponse({"items": [listed(each) for each in found[start : start + size]], "links": links})

    async def _transactions(self, request: Request) -> Response:
        return JSONResponse(
            search(self.account, dict(request.query_params), self.report_lag, self.most_found)
        )


def _one(kept: dict[str, Json], request: Request) -> Response:
    """Return the object that the path names. Raises Refused."""
    try:
        return JSONResponse(kept[request.path_params["id"]])
    except KeyError:
        raise Refused(404, "INVALID_RESOURCE_ID") from None


def _wish(body: bytes) -> Json:
    """Return the wanted refund. Raises Refused."""
    try:
        wanted = json.loads(body or b"{}")
    except ValueError:
        raise Refused(400, "MALFORMED_REQUEST_JSON") from None
    if not isinstance(wanted, dict):
        raise Refused(400, "INVALID_PARAMETER_SYNTAX", "/")
    return wanted


def _wants_all(request: Request) -> bool:
    return "return=representation" in request.headers.get("prefer", "")


def _shown(made: Json, *, is_whole: bool) -> Json:
    return made if is_whole else {name: made[name] for name in IN_MINIMAL_ANSWERS}


def _is_wanted(dispute: Json, query: dict[str, str]) -> bool:
    """Return whether a dispute matches the query's filters; times compare as text, all being in UTC."""
    states = query.get("dispute_state", "")
    transactions = [each["seller_transaction_id"] for each in dispute["disputed_transactions"]]
    return (
        (not states or listed(dispute)["dispute_state"] in states.split(","))
        and query.get("disputed_transaction_id", transactions[0]) in transactions
        and dispute["create_time"] >= query.get("start_time", "")
        and query.get("update_time_after", "")
        <= dispute["update_time"]
        <= query.get("update_time_before", "9")
    )


def _status(status: int) -> Response:
    return refusal(Refused(status))
