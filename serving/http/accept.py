"""What the caller would rather have (RFC 9110, 12.5.1), of what the service can give."""

from collections.abc import Sequence

from serving.http.errors import Refused

JSON, ZIP = "application/json", "application/zip"
PICTURES = ("image/png", "image/jpeg", "image/webp", "image/tiff")


def chosen(accept: str, offers: Sequence[str]) -> str:
    """The offer that an Accept header prefers; of several that it likes as well, the first.

    Args:
        accept: the header, or "" for none, which accepts all.
        offers: media types in lower case, at least one.

    Raises:
        Refused: none of them (406).
    """
    ranges = [_range(part) for part in accept.lower().split(",") if part.strip()]
    liked = [_quality(offer, ranges) if ranges else 1.0 for offer in offers]
    best = max(liked)
    if best <= 0.0:
        remedy = "accept one of these"
        raise Refused(406, "not_acceptable", f"Accept to admit one of {', '.join(offers)}", accept[:100], remedy)
    return offers[liked.index(best)]


def _range(part: str) -> tuple[str, float]:
    """Media range and its quality, 0..1; a quality that is none counts as 0."""
    media, *parameters = (piece.strip() for piece in part.split(";"))
    weights = [value for name, _, value in (entry.partition("=") for entry in parameters) if name.strip() == "q"]
    if not weights:
        return media, 1.0
    try:
        return media, min(1.0, max(0.0, float(weights[0])))
    except ValueError:
        return media, 0.0


def _quality(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """That of the most specific range that fits; 0 where none does."""
    for pattern in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
        fitting = [quality for media, quality in ranges if media == pattern]
        if fitting:
            return max(fitting)
    return 0.0
