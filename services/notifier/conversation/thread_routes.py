"""Internal routes that read conversations: threads, received mails, attachments. Reading changes nothing.

All of this content comes from outside and is not trusted. A raw mail and an attachment are downloaded, never
shown by a browser: their type is the one of our own detection, and their policy lets nothing run.
"""

from typing import Any
from urllib.parse import quote
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.chassis.http.paging import dated
from services.chassis.messaging.process import Process
from services.notifier.conversation import reading_store as store
from services.notifier.conversation.participant_store import read_addresses
from services.notifier.conversation.queries import inbound_query, thread_query
from services.notifier.mails.listing import identifier_of

_DOWNLOAD = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_PRIVATE = {"Cache-Control": "no-store"}


class NotReceived(LookupError):
    """No received mail or attachment has this id, or its content was not kept."""

    def __init__(self, what: str, identifier: UUID) -> None:
        super().__init__(
            f"no {what} has the id {identifier}, or nothing of it is kept; look at the thread again"
        )


async def list_threads(process: Process, request: Request) -> Response:
    """Return `?shop=&state=&assignee=&unread=yes&text=&before=&limit=`: threads, the latest first."""
    query = thread_query(request.query_params)
    async with process.acquire() as connection:
        found = await store.list_threads(connection, query)
    last = found[-1] if len(found) == query.limit else None
    threads = [{**_thread(row), "excerpt": row["excerpt"]} for row in found]
    more = dated(last["last_at"], last["order_id"]) if last else None
    return JSONResponse({"threads": threads, "next": more}, headers=_PRIVATE)


async def show_thread(process: Process, request: Request) -> Response:
    """Return the thread of an order with all its messages, the oldest first; without messages it has no summary.

    `waiting` are mails to the thread that are not in it, since they can't be read or their sender is not proven.
    """
    shop = request.path_params["shop"]
    order_id = identifier_of(request.path_params["order_id"], "an order's id")
    async with process.acquire() as connection:
        thread, messages = await store.read_thread(connection, shop, order_id)
        received = [row["inbound_id"] for row in messages if row["inbound_id"]]
        attached = await store.read_attachments(connection, received) if received else {}
        recognised = await read_addresses(connection, shop, order_id)
        waiting = await store.read_waiting(connection, shop, order_id)
    shown = [
        {
            **_message(row),
            "attachments": _files(attached.get(row["inbound_id"])),
            "recognised": _recognised(recognised.get(row["address"] or "")),
        }
        for row in messages
    ]
    head = _thread(thread) if thread else {"shop": shop, "order_id": str(order_id), "summary": None}
    return JSONResponse(
        {**head, "messages": shown, "waiting": [_waiting(row) for row in waiting]}, headers=_PRIVATE
    )


async def list_inbound(process: Process, request: Request) -> Response:
    """Return `?shop=&id=&outcome=&order=&filed=yes|no&waiting=yes&before=&limit=`: received mails, the latest first,
    and counts.
    """
    query = inbound_query(request.query_params)
    async with process.acquire() as connection:
        found = await store.list_inbound(connection, query)
        attached = await store.read_attachments(connection, [row["inbound_id"] for row in found])
        counts = await store.count_inbound(connection, query.shop) if query.shop else None
    last = found[-1] if len(found) == query.limit else None
    mails = [{**_inbound(row), "attachments": _files(attached.get(row["inbound_id"]))} for row in found]
    more = dated(last["received_at"], last["inbound_id"]) if last else None
    return JSONResponse({"mails": mails, "counts": counts, "next": more}, headers=_PRIVATE)


async def download_raw(process: Process, request: Request) -> Response:
    """Return a received mail as it came, as a download; with `?shop=` only if it is that shop's."""
    identifier = identifier_of(request.path_params["id"], "a received mail's id")
    async with process.acquire() as connection:
        raw = await store.read_raw(connection, identifier, request.query_params.get("shop"))
    if raw is None:
        raise NotReceived("received mail", identifier)
    return _download(raw, f"{identifier}.eml", "application/octet-stream")


async def download_attachment(process: Process, request: Request) -> Response:
    """Return an attachment as a download, of the type that its first bytes show; with `?shop=` only that shop's."""
    identifier = identifier_of(request.path_params["id"], "an attachment's id")
    async with process.acquire() as connection:
        row = await store.read_attachment(connection, identifier, request.query_params.get("shop"))
    if row is None or row["content"] is None:
        raise NotReceived("attachment", identifier)
    return _download(row["content"], row["name"], row["type"])


def _download(content: bytes, name: str, media_type: str) -> Response:
    plain = "".join(sign if (sign.isascii() and sign.isalnum()) or sign in "._- " else "_" for sign in name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    headers = {**_DOWNLOAD, "Content-Disposition": disposition}
    return Response(content, headers=headers, media_type=media_type)


def _thread(row: store.Row) -> dict[str, Any]:
    return {
        "shop": row["shop"],
        "order_id": str(row["order_id"]),
        "code": row["code"],
        "customer": row["name"],
        "summary": {
            "version": row["version"],
            "state": row["state"],
            "unread": row["unread"],
            "last_at": row["last_at"].isoformat(),
            "assignee": row["assignee"],
        },
    }


def _message(row: store.Row) -> dict[str, Any]:
    return {
        "id": str(row["message_id"]),
        "author_role": row["author_role"],
        "author": row["author"],
        "address": row["address"],
        "via": row["via"],
        "at": row["posted_at"].isoformat(),
        "sent_at": row["sent_at"].isoformat() if row["sent_at"] else None,
        "subject": row["subject"],
        "segments": store.segments_of(row),
        "is_automatic": row["is_automatic"],
        "verified": row["verified"],
        "is_whole": row["is_whole"],
        "inbound_id": str(row["inbound_id"]) if row["inbound_id"] else None,
    }


def _waiting(row: store.Row) -> dict[str, Any]:
    return {
        "id": str(row["inbound_id"]),
        "received_at": row["received_at"].isoformat(),
        "sender": row["sender"] or row["envelope_from"],
        "subject": row["subject"],
        "outcome": row["outcome"],
        "reason": row["reason"],
    }


def _recognised(row: store.Row | None) -> dict[str, str] | None:
    """Return who recognised a message's address as the customer's, and when."""
    return {"by": row["added_by"], "at": row["added_at"].isoformat()} if row else None


def _files(rows: list[store.Row] | None) -> list[dict[str, Any]]:
    return [
        {
            "id": str(row["attachment_id"]),
            "name": row["name"],
            "size": row["size"],
            "type": row["type"],
            "state": row["state"],
        }
        for row in rows or ()
    ]


def _inbound(row: store.Row) -> dict[str, Any]:
    return {
        "id": str(row["inbound_id"]),
        "shop": row["shop"],
        "received_at": row["received_at"].isoformat(),
        "sender": row["sender"],
        "envelope_from": row["envelope_from"],
        "subject": row["subject"],
        "excerpt": row["excerpt"],
        "size": row["size"],
        "outcome": row["outcome"],
        "reason": row["reason"],
        "order_id": str(row["order_id"]) if row["order_id"] else None,
        "code": row["code"],
        "filed_by": row["filed_by"],
        "filed_at": row["filed_at"].isoformat() if row["filed_at"] else None,
        "filed_reason": row["filed_reason"],
        "is_whole": row["is_whole"],
    }
