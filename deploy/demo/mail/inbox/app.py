"""The inbox of `make up`: all mails that the mail server accepted, and a form to answer as their recipient.

A page for developers, on 127.0.0.1 only. A mail's HTML is shown without scripts, forms, and anything from elsewhere.
"""

from pathlib import Path
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from deploy.demo.mail.answering import MailRefused, answer_to, automatic_reply_to, deliver
from deploy.demo.mail.inbox.kept_mails import KeptMails, ShownMail, time_of
from services.chassis.http import edge
from services.chassis.http.bodies import limited

HERE = Path(__file__).parent
LONGEST = 20_000
"""Characters of an answer."""
VIEWS = ("html", "text", "headers")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_OF_A_MAIL = {
    **_HEADERS,
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox",
}
_pages = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def build_app(mails: KeptMails, inbound_port: int, backoffice: str) -> Starlette:
    """Return the page of these mails, answers to which go to the receiver on `inbound_port`.

    `backoffice` is its address.
    """
    inbox = Inbox(mails, inbound_port, backoffice)
    return edge.routed(
        [
            Route("/", inbox.show_list),
            Route("/mails/{name}", inbox.show_mail),
            Route("/mails/{name}/answer", inbox.answer, methods=["POST"]),
            Route("/mails/{name}/html", inbox.show_html),
            Route("/mails/{name}/raw", inbox.download_raw),
            Route("/mails/{name}/attachments/{number:int}", inbox.download_attachment),
            Route("/style.css", _style),
            Route("/favicon.ico", _no_icon),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


class Inbox:
    """The routes, on the mails of one system."""

    def __init__(self, mails: KeptMails, inbound_port: int, backoffice: str) -> None:
        self._mails, self._inbound_port, self._backoffice = mails, inbound_port, backoffice

    async def show_list(self, request: Request) -> Response:
        """Return mails, the latest first: `?text=` of recipient or subject, `?before=` a mail's name."""
        text = request.query_params.get("text", "")
        mails, more = self._mails.page(text, request.query_params.get("before", ""))
        return self._page("list.html", mails=mails, more=more, text=text, time_of=time_of)

    async def show_mail(self, request: Request) -> Response:
        """Return one mail with the form to answer: `?view=html`, `text` or `headers`."""
        shown = self._found(request)
        if shown is None:
            return self._missing()
        sent = {"answer": "answer", "automatic": "out-of-office reply"}.get(
            request.query_params.get("sent", "")
        )
        return self._show(shown, request.query_params.get("view", ""), sent=sent)

    async def answer(self, request: Request) -> Response:
        """Deliver an answer to the notifier's receiver; what can't be delivered is shown again, with the reason."""
        shown = self._found(request)
        if shown is None:
            return self._missing()
        if not _is_own_form(request):
            return Response("This form is not from this page.", 403, media_type="text/plain")
        form = await Request(request.scope, limited(request.receive)).form()
        text, is_automatic = str(form.get("text", "")).strip(), form.get("kind") == "automatic"
        wrong = _wrong(text)
        if wrong is None:
            wrong = await self._deliver(shown, text, is_automatic, is_quoting="quote" in form)
        if wrong is not None:
            return self._show(shown, "", wrong=wrong, text=text, is_quoting="quote" in form)
        sent = "automatic" if is_automatic else "answer"
        return RedirectResponse(f"/mails/{shown.name}?sent={sent}#answer", 303)

    async def show_html(self, request: Request) -> Response:
        """Return a mail's HTML, which can run and load nothing."""
        shown = self._found(request)
        if shown is None or shown.html is None:
            return self._missing()
        return HTMLResponse(shown.html, headers=_OF_A_MAIL)

    async def download_raw(self, request: Request) -> Response:
        """Return a mail as it came."""
        shown = self._found(request)
        if shown is None:
            return self._missing()
        return _download(shown.mail.file, shown.path.read_bytes())

    async def download_attachment(self, request: Request) -> Response:
        """Return a file of a mail as a download."""
        shown, number = self._found(request), request.path_params["number"]
        if shown is None or number >= len(shown.attachments):
            return self._missing()
        found = shown.attachments[number]
        return _download(found.name, found.content)

    async def _deliver(
        self, shown: ShownMail, text: str, is_automatic: bool, *, is_quoting: bool
    ) -> str | None:
        """Return why the answer was not delivered; None when it was."""
        if is_automatic:
            sender, mail = "", automatic_reply_to(shown.message, shown.recipient, text)
        else:
            sender = shown.recipient
            mail = answer_to(shown.message, shown.recipient, text, is_quoting=is_quoting)
        try:
            await deliver(self._inbound_port, sender, mail)
        except MailRefused as error:
            return f"The notifier’s receiver refused the mail to {shown.reply_to}: {error.reply}"
        except OSError as error:
            return (
                f"The notifier’s receiver does not answer ({type(error).__name__}); try again when it runs."
            )
        return None

    def _found(self, request: Request) -> ShownMail | None:
        return self._mails.find(request.path_params["name"])

    def _show(
        self,
        shown: ShownMail,
        view: str,
        *,
        sent: str | None = None,
        wrong: str | None = None,
        text: str = "",
        is_quoting: bool = True,
    ) -> Response:
        fitting = VIEWS if shown.html else VIEWS[1:]
        values = {"view": view if view in fitting else fitting[0], "views": fitting, "sent": sent}
        typed = {"wrong": wrong, "text": text, "is_quoting": is_quoting, "longest": LONGEST}
        status = 422 if wrong else 200
        return self._page("mail.html", status, shown=shown, time=time_of(shown.mail), **values, **typed)

    def _missing(self) -> Response:
        return self._page("missing.html", 404)

    def _page(self, template: str, status: int = 200, **values: object) -> Response:
        page = _pages.get_template(template).render(backoffice=self._backoffice, **values)
        return HTMLResponse(page, status, headers=_HEADERS)


def _wrong(text: str) -> str | None:
    """Return what is wrong with a typed answer."""
    if not text:
        return "The answer is empty; write it first."
    if len(text) > LONGEST:
        return f"The answer has {len(text)} characters; at most {LONGEST} can be sent. Shorten it."
    return None


def _is_own_form(request: Request) -> bool:
    """Return whether a form comes from our own page, as far as the browser says."""
    if (site := request.headers.get("sec-fetch-site")) is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _download(name: str, content: bytes) -> Response:
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    headers = {**_HEADERS, "Content-Disposition": disposition}
    return Response(content, headers=headers, media_type="application/octet-stream")


async def _style(_: Request) -> Response:
    return Response((HERE / "style.css").read_bytes(), media_type="text/css", headers=_HEADERS)


async def _no_icon(_: Request) -> Response:
    return Response(status_code=204)
