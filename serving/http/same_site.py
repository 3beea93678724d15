"""Tell whether a request to an open service comes from a page of its own, by the headers Host and Origin."""

from collections.abc import Collection, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SCHEMES = ("http", "https")


def is_same_site(host: str, origins: Sequence[str]) -> bool:
    """Tell whether the host and all origins are this machine.

    Browsers name the page that sends a request in `Origin`; a host name that merely resolves to here is another site.

    Args:
        host: the header, "" without one.
        origins: the values of all headers of that name.
    """
    return is_loopback(host) and all(_is_loopback_origin(origin) for origin in origins)


def is_loopback(authority: str) -> bool:
    """Tell whether `host` or `host:port` names this machine; anything that is not exactly one of these does not."""
    return is_named(authority, LOOPBACK)


def is_named(authority: str, names: Collection[str]) -> bool:
    """Tell whether `host` or `host:port` is one of `names`; a name without a port stands for every port."""
    try:
        parts = urlsplit(f"//{authority}")
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    shown = f"[{name}]" if ":" in name else name
    # the parser passes over user names, blanks and what follows a bracket: only what it would write itself counts
    exact = authority.lower() in (shown, f"{shown}:{port}")
    return exact and bool({name, shown, f"{shown}:{port}"}.intersection(names))


def is_here(client: str) -> bool:
    """Tell whether the address of a client is one of this machine's loopback."""
    try:
        return ip_address(client).is_loopback
    except ValueError:
        return False


def _is_loopback_origin(origin: str) -> bool:
    scheme, _, authority = origin.partition("://")
    return scheme in _SCHEMES and is_loopback(authority)
