"""The folder of the pages' files."""

from pathlib import Path

PAGES = Path(__file__).resolve().parent.parent / "pages"
"""A folder for each page and `shared`; `/static/FOLDER/NAME` serves them."""
