"""Folder of the weights that ship with the project."""

from pathlib import Path

ASSETS = Path(__file__).resolve().parent.parent / "assets"
