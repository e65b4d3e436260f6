"""Reports as mail servers write them: RFC 3464, feedback reports, and older forms."""

from collections.abc import Sequence


def a_report(
    *recipients: str | tuple[str, str, str],
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 No such user",
    original: str | None = None,
) -> bytes:
    """A delivery status notification of Postfix; a recipient may have an action and a status of its own."""
    blocks = "\n".join(
        _block(*(one if isinstance(one, tuple) else (one, action, status)), diagnostic, original)
        for one in recipients
    )
    return _crlf(f"""\
From: MAILER-DAEMON@mx.clients.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="A"

--A
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.
--A
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.clients.example
Arrival-Date: Mon, 30 Nov 2026 10:00:00 +0100

{blocks}
--A
Content-Type: message/rfc822

From: boutique@atelier.example
Subject: Votre commande

Bonjour
--A--
""")


def a_complaint(recipient: str | None = None) -> bytes:
    """A feedback report (RFC 5965): a reader pressed «spam»."""
    named = f"Original-Rcpt-To: <{recipient}>\n" if recipient else ""
    return _crlf(f"""\
From: feedback@mailbox.example
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="A"

--A
Content-Type: text/plain

This is an email abuse report.
--A
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1
{named}
--A
Content-Type: message/rfc822

From: boutique@atelier.example

Bonjour
--A--
""")


def an_exim_bounce(recipient: str, words: str = "550 5.1.1 User unknown") -> bytes:
    """A bounce of Exim as text, without machine-readable part."""
    return _crlf(f"""\
From: Mail Delivery System <Mailer-Daemon@mx.clients.example>
X-Failed-Recipients: {recipient}
Auto-Submitted: auto-replied
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {recipient}
    host mx.clients.example [192.0.2.1]
    SMTP error from remote mail server after RCPT TO:<{recipient}>:
    {words}
""")


def an_answer(sender: str = "zoe@clients.example") -> bytes:
    """A person's answer, sent to the wrong address."""
    return _crlf(f"""\
From: Zoe <{sender}>
Subject: Re: Votre commande
Content-Type: text/plain; charset=utf-8

Bonjour, merci, je suis en vacances. À bientôt !
""")


def _block(recipient: str, action: str, status: str, diagnostic: str, original: str | None) -> str:
    named: Sequence[str] = [f"Original-Recipient: rfc822; {original}\n"] if original else []
    return f"""{"".join(named)}Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: {diagnostic}
"""


def _crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()
