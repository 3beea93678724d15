"""Channels for alerts: an HTTP POST of JSON, and e-mail."""

import smtplib
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from models.errors import ConfigError, ServiceUnavailable
from pipeline.project.environment import Environment

Message = Mapping[str, Any]
"""The alert as it stands in the file: code, title, what_happened, since, what_to_do, facts, time."""
Way = Callable[[Message], None]

_SECONDS = 10.0


def ways(settings: Environment) -> dict[str, Way]:
    """The ways that the environment names; each raises ServiceUnavailable where the other side does not take it."""
    found: dict[str, Way] = {}
    if settings.webhook:
        found["webhook"] = partial(post, settings.webhook)
    if settings.smtp and settings.mail_to:
        found["e-mail"] = partial(mail, settings.smtp, settings.mail_from, settings.mail_to)
    return found


def post(address: str, message: Message) -> None:
    """POST the alert as JSON; `text` holds it as a whole, which chat services show as it is.

    Raises:
        ServiceUnavailable: no answer within seconds, or one that is not 2xx.
    """
    import httpx

    try:
        httpx.post(address, json={**message, "text": text(message)}, timeout=_SECONDS).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _refused("the webhook", error) from error


def mail(server: str, sender: str, recipients: str, message: Message) -> None:
    """Send the alert, encrypted where the server offers STARTTLS; a password is never sent without.

    Args:
        server: HOST:PORT or USER:PASSWORD@HOST:PORT.
        sender: address.
        recipients: addresses, separated by commas.
        message: the alert.

    Raises:
        ServiceUnavailable: the server does not take it within seconds.
        ConfigError: a password, and a server without STARTTLS.
    """
    place = urlsplit(f"smtp://{server}")
    try:
        with smtplib.SMTP(place.hostname or "", place.port or 25, timeout=_SECONDS) as session:
            session.ehlo()
            encrypted = session.has_extn("starttls") and bool(session.starttls(context=_certified()))
            if place.username:
                _log_in(session, place.username, place.password or "", encrypted=encrypted)
            session.send_message(letter(sender, recipients, message))
    except (OSError, smtplib.SMTPException) as error:
        raise _refused("the mail server", error) from error


def letter(sender: str, recipients: str, message: Message) -> EmailMessage:
    """The alert as an e-mail."""
    made = EmailMessage()
    made["Subject"] = " ".join(f"Likeness: {message['title']}".split())
    made["From"], made["To"] = sender, recipients
    made.set_content(text(message))
    return made


def text(message: Message) -> str:
    """The alert in plain words."""
    facts = [f"  {name}: {value}" for name, value in message["facts"].items()]
    return "\n".join(
        [
            f"{message['title']} [{message['code']}]",
            "",
            f"What happened: {message['what_happened']}",
            f"Since: {message['since']}",
            f"What to do: {message['what_to_do']}",
            *(["", *facts] if facts else []),
        ]
    )


def _certified() -> Any:  # noqa: ANN401 - ssl is imported late
    import ssl

    return ssl.create_default_context()


def _log_in(session: smtplib.SMTP, user: str, password: str, *, encrypted: bool) -> None:
    if not encrypted:
        raise ConfigError(
            "a mail server with STARTTLS", "one without", "use another one, or none that needs a password"
        )
    session.login(unquote(user), unquote(password))


def _refused(who: str, error: Exception) -> ServiceUnavailable:
    reason = next(iter(str(error).splitlines()), "")[:160] or type(error).__name__
    return ServiceUnavailable(f"{who} to take an alert", reason, "the alert is kept and sent again with the next one")
