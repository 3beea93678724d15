"""Who goes into which split: by identity, never by file, and for good."""

import hashlib

from pipeline.config.data import SplitParams
from pipeline.sources.item import Published, Split


def split_of(identity: str, published: Published | None, params: SplitParams) -> Split:
    """The split of an identity: the published one, or by a seeded hash.

    A hash depends on nothing but identity and seed, so that more portraits never move anyone; the shares hold
    approximately, with a standard deviation of sqrt(p (1 - p) / identities). `development` is shared out between
    train and validation in their proportion.
    """
    if published is not None and published != "development":
        return published
    place = _place(identity, params.seed)
    if published == "development":
        place *= params.train + params.validation
    if place < params.train:
        return "train"
    return "validation" if place < params.train + params.validation else "test"


def _place(identity: str, seed: int) -> float:
    """Uniform in [0, 1), the same on every machine."""
    digest = hashlib.sha256(f"{seed}:{identity}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48
