"""Section for the service."""

from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, Field

from pipeline.config.base import Count, Positive, Section, Share

ROOT_PATH = r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+"
"""A path such as /likeness: without a slash at its end, and with nothing in it that leads elsewhere."""


def _address(text: str) -> str:
    """Check a proxy's address.

    Raises:
        ValueError: it is neither an address nor a network.
    """
    if text != "*":
        ip_network(text)
    return text


class ReviewParams(Section):
    """From which figures on a restoration is flagged for review, and how many days back."""

    days: Positive
    min_identity_risk: Share
    max_similarity: float = Field(ge=-1.0, le=1.0)


class ProxyParams(Section):
    """What the service knows of a reverse proxy in front of it (docs/proxy.md).

    `trusted`: addresses or networks whose X-Forwarded-For, -Proto and -Prefix count; `*` is every address. `hosts`:
    public names, in lower case, with or without a port; with any, all others are refused. `root_path`: path below
    which the proxy shows the service, where it does not say so itself.
    """

    trusted: tuple[Annotated[str, AfterValidator(_address)], ...]
    hosts: tuple[Annotated[str, Field(pattern=r"^[a-z0-9.-]+(:[0-9]{1,5})?$")], ...]
    root_path: str = Field(pattern=f"^({ROOT_PATH})?$")


class ServeParams(Section):
    """Limits of the service."""

    workers: Count
    threads: Count
    max_batch: Count
    batch_wait_ms: float = Field(ge=0.0)
    queue: Count
    uploads: Count
    uploads_per_token: Count
    max_references: int = Field(ge=0)
    body_mebibytes: Positive
    json_kibibytes: Positive
    header_seconds: Positive
    body_seconds: Positive
    answer_seconds: Positive
    shutdown_seconds: Positive
    max_faces: Count
    request_mebibytes: Positive
    memory_mebibytes: Positive
    reload_seconds: Positive
    proxy: ProxyParams
    review: ReviewParams

    @property
    def json_bytes(self) -> int:
        """Bytes of a JSON body, at most."""
        return int(self.json_kibibytes * 1024)
