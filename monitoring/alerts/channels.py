"""Channels for alerts: an HTTP POST of JSON, e-mail, and Apprise URLs (Slack, Teams, Discord, PagerDuty, ...)."""

import logging
import smtplib
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from models.errors import ConfigError, ServiceUnavailable
from pipeline.project.environment import Environment

if TYPE_CHECKING:
    from apprise import NotifyBase

Message = Mapping[str, Any]
"""The alert as it stands in the file: code, title, host, workspace, what_happened, since, what_to_do, facts, time."""
Channel = Callable[[Message], None]

_SECONDS = 10.0


def channels(settings: Environment) -> dict[str, Channel]:
    """List the channels that the environment names, by names that hold no secret.

    Each raises ServiceUnavailable where the other side does not accept the alert, and ConfigError where its address is
    not valid or would send a secret unencrypted.
    """
    by_name: dict[str, Channel] = {}
    if settings.webhook:
        by_name["webhook"] = partial(post_json, settings.webhook)
    if settings.smtp and settings.mail_to:
        by_name["e-mail"] = partial(send_mail, settings.smtp, settings.mail_from, settings.mail_to)
    for address in settings.alert_urls.get_secret_value().split():
        by_name[_channel_name(address)] = partial(send_through_apprise, address)
    return by_name


def post_json(address: str, message: Message) -> None:
    """POST the alert as JSON; `text` holds it as a whole, which chat services show as it is.

    Raises:
        ServiceUnavailable: no answer within seconds, or one that is not 2xx.
    """
    import httpx

    try:
        httpx.post(address, json={**message, "text": alert_text(message)}, timeout=_SECONDS).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _refused("the webhook", error) from error


def send_through_apprise(address: str, message: Message) -> None:
    """Send the alert through Apprise; a secret in the address is never sent unencrypted, nor to an unverified server.

    Args:
        address: a URL as Apprise's documentation describes it for the service.
        message: the alert.

    Raises:
        ServiceUnavailable: the service does not accept it within seconds.
        ConfigError: Apprise does not know the address, or it has a secret and a connection without TLS.
    """
    from apprise import LogCapture, NotifyFormat, NotifyType

    service = _service(address)
    with LogCapture(level=logging.WARNING, fmt="%(message)s") as log:  # type: ignore[no-untyped-call] # not annotated in apprise
        sent = service.notify(
            body=alert_text(message),
            title=_subject(message),
            notify_type=NotifyType.WARNING,
            body_format=NotifyFormat.TEXT,
        )
        reason = log.getvalue().strip()
    if not sent:
        raise _refused(_channel_name(address), RuntimeError(reason))


def _service(address: str) -> "NotifyBase":
    """Create the service of an Apprise URL, for one alert: a reused one waits between two alerts."""
    from apprise import Apprise, AppriseAsset, OverflowMode, PersistentStoreMode

    asset = AppriseAsset(
        app_id="Likeness",
        app_desc="Likeness",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        http_redirects=False,
        storage_mode=PersistentStoreMode.MEMORY,
    )
    service = Apprise.instantiate(address, asset=asset)
    name = f"an Apprise URL in LIKENESS_ALERT_URLS ({_channel_name(address)})"
    if service is None:
        raise ConfigError(name, "one that Apprise does not know", "see https://appriseit.com/services/")
    # the two differ where there is a secret to hide
    urls = {service.url(privacy=private) for private in (True, False)}  # type: ignore[no-untyped-call] # the same
    encrypted = service.secure or not service.protocol  # without a `protocol`, a service is reached by HTTPS only
    if len(urls) == 2 and not (encrypted and service.verify_certificate):
        got = "a password or token, and a connection without TLS or without a verified certificate"
        raise ConfigError(name, got, "use the encrypted form of the URL, such as jsons:// or mailtos://")
    service.overflow_mode = OverflowMode.SPLIT
    return service


def _channel_name(address: str) -> str:
    """Name a channel by its service and a digest of its URL, so that waiting alerts find it in any order."""
    return f"{address.partition('://')[0][:20]}-{sha256(address.encode()).hexdigest()[:8]}"


def send_mail(server: str, sender: str, recipients: str, message: Message) -> None:
    """Send the alert by e-mail, encrypted if the server offers STARTTLS; a password is never sent unencrypted.

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
            session.send_message(email_message(sender, recipients, message))
    except (OSError, smtplib.SMTPException) as error:
        raise _refused("the mail server", error) from error


def email_message(sender: str, recipients: str, message: Message) -> EmailMessage:
    """Format the alert as an e-mail."""
    made = EmailMessage()
    made["Subject"] = _subject(message)
    made["From"], made["To"] = sender, recipients
    made.set_content(alert_text(message))
    return made


def alert_text(message: Message) -> str:
    """Format the alert as plain text."""
    facts = [f"  {name}: {value}" for name, value in message["facts"].items()]
    return "\n".join(
        [
            f"{message['title']} [{message['code']}]",
            "",
            *([f"Where: {message['host']}, {message['workspace']}"] if "host" in message else []),
            f"What happened: {message['what_happened']}",
            f"Since: {message['since']}",
            f"What to do: {message['what_to_do']}",
            *(["", *facts] if facts else []),
        ]
    )


def _subject(message: Message) -> str:
    where = f" on {message['host']}" if "host" in message else ""  # an alert of an earlier version has none
    return " ".join(f"Likeness{where}: {message['title']}".split())


def _certified() -> Any:  # noqa: ANN401 - ssl is imported late
    import ssl

    return ssl.create_default_context()


def _log_in(session: smtplib.SMTP, user: str, password: str, *, encrypted: bool) -> None:
    if not encrypted:
        raise ConfigError(
            "a mail server with STARTTLS", "one without", "use a server with STARTTLS, or one without a password"
        )
    session.login(unquote(user), unquote(password))


def _refused(who: str, error: Exception) -> ServiceUnavailable:
    reason = next(iter(str(error).splitlines()), "")[:160] or type(error).__name__
    return ServiceUnavailable(f"{who} to take an alert", reason, "the alert is kept and sent again with the next one")
