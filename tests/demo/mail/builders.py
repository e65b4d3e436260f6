"""Mails of a shop for tests of the demo's mailbox and inbox."""

from email.message import EmailMessage
from email.policy import SMTP

RECIPIENT = "zoe@clients.example.org"
REPLY_TO = f"r-{'a' * 26}@reply.example.org"


def a_mail(
    text: str = "Quelle taille vous faut-il ?",
    html: str | None = None,
    *,
    to: str = RECIPIENT,
    number: int = 1,
) -> EmailMessage:
    """A mail of the shop, with HTML and a PDF if `html` is given."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "Atelier Garance <boutique@garance.example.org>"
    mail["Reply-To"] = REPLY_TO
    mail["To"] = f"Zoé <{to}>"
    mail["Subject"] = f"Votre commande K7F3-QD{number:02d}"
    mail["Date"] = "Mon, 30 Nov 2026 09:30:00 +0100"
    mail["Message-ID"] = f"<{number}@garance.example.org>"
    mail["References"] = "<recap@garance.example.org>"
    mail.set_content(text)
    mail["Content-Language"] = "fr"
    if html is not None:
        mail.add_alternative(html, subtype="html")
        mail.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="Facture F-1.pdf")
    return mail
