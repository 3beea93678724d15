"""Files and modules that the docs name exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = "models|restoration|pipeline|monitoring|serving|flows|cli|scripts|tests|infra|assets"
PLACEHOLDERS = ("NAME", "/name.py", "FOLDER")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("assets/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    files = re.findall(rf"`((?:{ROOMS})/[\w/.\-]+)`", text)
    modules = re.findall(r"python -m ((?:scripts|pipeline)(?:\.\w+)*)", text)
    links = [link for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in link]
    missing = [name for name in files if not (ROOT / name).exists() and not any(word in name for word in PLACEHOLDERS)]
    missing += [name for name in modules if not _is_module(name)]
    missing += [link for link in links if not (page.parent / link).exists()]
    assert missing == []


def _is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def test_there_are_pages() -> None:
    assert len(PAGES) > 20
