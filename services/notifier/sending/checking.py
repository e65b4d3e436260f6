"""Check of the mail server at start: whether its TLS can be trusted. One that does not answer is waited for later."""

from aiosmtplib import SMTP
from aiosmtplib.errors import SMTPException

from services.chassis.runtime.start_checks import SECONDS, StartRefused, refusal_of
from services.chassis.tls import Peer, trusting
from services.notifier.mails.settings import NotifierSettings, Security

MAIL_SERVER = Peer("the mail server", "COMPTOIR_SMTP_HOST and COMPTOIR_SMTP_PORT", "COMPTOIR_SMTP_CA_FILE")


async def check_mail_server(settings: NotifierSettings) -> None:
    """Connect as mails will be sent, without a login. Raises StartRefused."""
    if settings.smtp_security is Security.NONE:
        return
    client = SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        local_hostname=settings.smtp_hello_name,
        timeout=SECONDS,
        use_tls=settings.smtp_security is Security.TLS,
        start_tls=settings.smtp_security is Security.STARTTLS,
        tls_context=trusting(settings.smtp_ca_file),
    )
    try:
        async with client:
            pass
    except (SMTPException, OSError) as error:
        if refusal := refusal_of(error, MAIL_SERVER):
            raise refusal from error
        if "STARTTLS" in str(error):
            raise StartRefused(
                "the mail server does not offer STARTTLS; enable it there, or correct COMPTOIR_SMTP_HOST, "
                "COMPTOIR_SMTP_PORT and COMPTOIR_SMTP_SECURITY"
            ) from error
    finally:
        client.close()
