"""Kinds of damage that the finder tells apart."""

from types import MappingProxyType
from typing import Literal, get_args

Kind = Literal[
    "crack",
    "fold",
    "scratch",
    "dust",
    "hair",
    "spot",
    "stain",
    "silvering",
    "ink",
    "tape",
    "tear",
    "corner",
    "hole",
    "scrape",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""In the order of the network's outputs."""

FAMILIES: MappingProxyType[str, tuple[Kind, ...]] = MappingProxyType(
    {
        "lines": ("crack", "fold", "scratch", "hair"),
        "specks": ("dust", "spot"),
        "veils": ("stain", "silvering", "tape"),
        "losses": ("ink", "tear", "corner", "hole", "scrape"),
    }
)
"""Kinds that are seldom told apart by shape; connected pixels of one family make one piece."""
