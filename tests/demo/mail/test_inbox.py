"""The inbox: mails of a real mail server, and answers over real LMTP."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx2
import pytest

from deploy.demo.mail.inbox.app import LONGEST, build_app
from deploy.demo.mail.inbox.kept_mails import PAGE, KeptMails
from deploy.local.mailserver import Mail
from tests.demo.mail.builders import RECIPIENT, REPLY_TO, a_mail
from tests.demo.mail.servers import AnswersReceiver, answers_receiver
from tests.demo.test_mailserver import mail_server

ORIGIN = "http://127.0.0.1:4321"
HOSTILE = (
    "<html><head></head><body><script>alert(1)</script><img src='https://elsewhere.example/p.png'>"
    "<a href='https://shop.example/c/abc'>Votre page</a></body></html>"
)


@dataclass
class Opened:
    """The page, and what answers it sent."""

    http: httpx2.AsyncClient
    receiver: AnswersReceiver

    async def mail(self, text: str = "") -> str:
        """The address of the first mail in the list."""
        page = await self.http.get("/", params={"text": text})
        return re.findall(r'href="(/mails/[0-9a-f-]+)"', page.text)[0]


@asynccontextmanager
async def an_inbox(folder: Path, *mails: EmailMessage) -> AsyncIterator[Opened]:
    """The page of mails that were sent through the demo's mail server."""
    journal, kept = folder / "mails.jsonl", folder / "mails"
    async with mail_server(journal, kept) as port, aiosmtplib.SMTP(hostname="127.0.0.1", port=port) as client:
        for mail in mails:
            await client.send_message(mail)
    async with answers_receiver() as receiver:
        app = build_app(KeptMails(journal, kept), receiver.port, "http://127.0.0.1:1234")
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as http:
            yield Opened(http, receiver)


async def test_a_mail_is_found_by_its_recipient_and_read_in_three_ways(tmp_path: Path) -> None:
    async with an_inbox(
        tmp_path, a_mail(), a_mail(html=HOSTILE, to="ada@clients.example.org", number=2)
    ) as inbox:
        assert "K7F3-QD01" not in (await inbox.http.get("/", params={"text": "ADA@"})).text
        nobody = await inbox.http.get("/", params={"text": "nobody"})
        assert "No mail has “nobody”" in nobody.text
        address = await inbox.mail("ADA@")
        shown = await inbox.http.get(address)
        assert re.search(r'<iframe[^>]*sandbox="allow-popups allow-popups-to-escape-sandbox"', shown.text)
        assert "script" not in shown.text
        text = await inbox.http.get(address, params={"view": "text"})
        assert "Quelle taille vous faut-il ?" in text.text
        headers = await inbox.http.get(address, params={"view": "headers"})
        assert REPLY_TO in headers.text
        raw = await inbox.http.get(f"{address}/raw")
        assert (
            message_from_bytes(raw.content, policy=policy.default)["Message-ID"] == "<2@garance.example.org>"
        )
        file = await inbox.http.get(f"{address}/attachments/0")
        assert (file.content, "Facture%20F-1.pdf" in file.headers["content-disposition"]) == (
            b"%PDF-1.7",
            True,
        )
        for missing in (
            f"{address}/attachments/1",
            "/mails/nothing",
            "/mails/nothing/html",
            "/mails/..%2Fmails",
        ):
            assert (await inbox.http.get(missing)).status_code == 404, missing


async def test_html_can_run_and_load_nothing_and_its_links_open_windows(tmp_path: Path) -> None:
    async with an_inbox(tmp_path, a_mail(html=HOSTILE)) as inbox:
        page = await inbox.http.get(f"{await inbox.mail()}/html")
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
        assert "script-src" not in policy
        assert '<head><base target="_blank">' in page.text


async def test_an_answer_is_delivered_with_the_mail_quoted(tmp_path: Path) -> None:
    async with an_inbox(tmp_path, a_mail()) as inbox:
        address = await inbox.mail()
        form = {"text": "La 42.", "quote": "on", "kind": "answer"}
        sent = await inbox.http.post(f"{address}/answer", data=form, headers={"Origin": ORIGIN})
        assert (sent.status_code, sent.headers["location"]) == (303, f"{address}?sent=answer#answer")
        assert "The answer was delivered" in (await inbox.http.get(sent.headers["location"])).text
        plain = {"text": "La 43.", "kind": "answer"}
        await inbox.http.post(f"{address}/answer", data=plain, headers={"Origin": ORIGIN})
        absent = {"text": "Je suis absent.", "quote": "on", "kind": "automatic"}
        await inbox.http.post(f"{address}/answer", data=absent, headers={"Origin": ORIGIN})
    envelopes = inbox.receiver.mails
    assert [(one.mail_from, one.rcpt_tos) for one in envelopes] == [
        (RECIPIENT, [REPLY_TO]),
        (RECIPIENT, [REPLY_TO]),
        ("<>", [REPLY_TO]),
    ]
    mails = [message_from_bytes(one.content, policy=policy.default) for one in envelopes]
    assert [mail["In-Reply-To"] for mail in mails] == ["<1@garance.example.org>"] * 3
    assert [mail["Auto-Submitted"] for mail in mails] == [None, None, "auto-replied"]
    texts = [str(mail.get_content()).replace("\r\n", "\n") for mail in mails]
    assert texts[0].endswith("a écrit :\n\n> Quelle taille vous faut-il ?\n")
    assert texts[1:] == ["La 43.\n", "Je suis absent.\n"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (" ", "The answer is empty; write it first."),
        ("x" * (LONGEST + 1), f"has {LONGEST + 1} characters; at most {LONGEST} can be sent"),
        ("La 42.", "refused the mail to r-aaa"),
    ],
)
async def test_what_cannot_be_sent_is_shown_again_with_the_reason(
    tmp_path: Path, text: str, wrong: str
) -> None:
    async with an_inbox(tmp_path, a_mail()) as inbox:
        inbox.receiver.refusal = "550 5.1.1 No such address"
        address = await inbox.mail()
        answer = await inbox.http.post(f"{address}/answer", data={"text": text}, headers={"Origin": ORIGIN})
        assert answer.status_code == 422
        assert wrong in answer.text
        assert f">{text.strip()}</textarea>" in answer.text
        assert inbox.receiver.mails == []


async def test_a_receiver_that_does_not_listen_is_named(tmp_path: Path) -> None:
    async with an_inbox(tmp_path, a_mail()) as inbox:
        address = await inbox.mail()
    async with an_inbox(tmp_path) as inbox:
        pass
    app = build_app(KeptMails(tmp_path / "mails.jsonl", tmp_path / "mails"), inbox.receiver.port, ORIGIN)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=ORIGIN) as http:
        answer = await http.post(f"{address}/answer", data={"text": "La 42."}, headers={"Origin": ORIGIN})
    assert answer.status_code == 422
    assert "receiver does not answer" in answer.text
    assert ">La 42.</textarea>" in answer.text


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_a_form_of_another_page_is_refused(tmp_path: Path, headers: dict[str, str]) -> None:
    async with an_inbox(tmp_path, a_mail()) as inbox:
        address = await inbox.mail()
        answer = await inbox.http.post(f"{address}/answer", data={"text": "La 42."}, headers=headers)
        assert answer.status_code == 403
        assert inbox.receiver.mails == []
        named = await inbox.http.get("/", headers={"Host": "elsewhere.example"})
        assert named.status_code == 400


def test_the_list_goes_on_below_a_page_and_with_new_mails(tmp_path: Path) -> None:
    journal = tmp_path / "mails.jsonl"
    names = [f"{number:03d}" for number in range(PAGE + 2)]

    def write(*new: str) -> None:
        with journal.open("a") as file:
            for name in new:
                mail = Mail(
                    "2026-11-30T09:30:00+00:00", "b", [RECIPIENT], f"<{name}>", name, 1, f"{name}.eml"
                )
                file.write(json.dumps(asdict(mail)) + "\n")

    write(*names)
    mails = KeptMails(journal, tmp_path)
    first, more = mails.page("", "")
    assert [mail.subject for mail in first] == names[:1:-1]
    assert more == names[2]
    rest, none = mails.page("", more)
    assert ([mail.subject for mail in rest], none) == ([names[1], names[0]], None)
    write("new")
    assert mails.page("", "")[0][0].subject == "new"
    assert mails.page("NEW", "")[1] is None
