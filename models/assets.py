"""Folder of the weights that ship with the project, and the editions that they belong to.

`research` is the better one; its weights derive from data for non-commercial use and for research. `open` derives from
portraits in the public domain and from networks that anyone may use (docs/editions.md).
"""

from pathlib import Path
from typing import Literal, get_args

ASSETS = Path(__file__).resolve().parent.parent / "assets"

Edition = Literal["research", "open"]
RESEARCH: Edition = "research"
OPEN: Edition = "open"
EDITIONS: tuple[Edition, ...] = get_args(Edition)
"""In an order that never changes: files hold the number of theirs."""
