"""Editions: which weights look at faces and complete them, by the terms of what these were learnt from.

`research` is the better one; its weights derive from data for non-commercial use and for research. `open` derives from
portraits in the public domain and from networks that anyone may use (docs/editions.md).
"""

from typing import Literal, get_args

Edition = Literal["research", "open"]
RESEARCH: Edition = "research"
OPEN: Edition = "open"
EDITIONS: tuple[Edition, ...] = get_args(Edition)
"""In an order that never changes: files hold the number of theirs."""
