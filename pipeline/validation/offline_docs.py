"""Make Great Expectations' Data Docs pages that need nothing from the network.

Its pages fetch styles, scripts and a logo from half a dozen servers, and are bare without them. What they say is in the
HTML itself, but for the list of runs. So references to the network go, a small style sheet comes in, and the index
lists the pages.
"""

import html
import os
import re
from pathlib import Path

from pipeline.project.files import write_text

_STYLE = Path(__file__).parents[1] / "templates" / "data_docs.css"
_LOGO = Path("static", "images", "logo-long.png")
_SCRIPTS = re.compile(r"<script\b.*?</script>", re.DOTALL | re.IGNORECASE)
_LINKS = re.compile(r"<link\b[^>]*\bhref=[\"']https?://[^>]*>", re.IGNORECASE)
_LOGOS = re.compile(r"(<img\b[^>]*\bsrc=)[\"']https?://[^\"']*[\"']", re.IGNORECASE)
_FOOTERS = re.compile(r"<footer\b.*?</footer>", re.DOTALL | re.IGNORECASE)
_ACTIONS = re.compile(r"<label\b[^>]*\bonclick=.*?</label>", re.DOTALL | re.IGNORECASE)
_HEAD_END = re.compile(r"</head>", re.IGNORECASE)


def take_offline(docs: Path) -> None:
    """Change the pages below a folder of Data Docs, and write its index anew."""
    pages = sorted(file for part in ("validations", "expectations") for file in (docs / part).rglob("*.html"))
    for page in pages:
        logo = Path(os.path.relpath(docs / _LOGO, page.parent)).as_posix()
        write_text(page, without_network(page.read_text(encoding="utf-8"), logo))
    write_text(docs / "index.html", _index(docs, pages))


def without_network(page: str, logo: str) -> str:
    """Take scripts, and links to other servers' styles and pictures, out of a page; `logo`: where its picture is."""
    for parts in (_SCRIPTS, _LINKS, _FOOTERS, _ACTIONS):
        page = parts.sub("", page)
    page = _LOGOS.sub(rf'\1"{logo}"', page)
    return _HEAD_END.sub(lambda _: f"<style>\n{_style()}</style>\n</head>", page, count=1)


def _index(docs: Path, pages: list[Path]) -> str:
    rows = [f'<li><a href="{html.escape(path)}">{html.escape(path)}</a></li>' for path in _relative(docs, pages)]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Data Docs</title>\n'
        f'<style>\n{_style()}</style></head>\n<body class="container-fluid"><img src="{_LOGO.as_posix()}" alt="" '
        'height="50">\n<h1>Data Docs</h1>\n<p>Results of the checks, then what was checked for.</p>\n<ul>\n'
        + "\n".join(rows)
        + "\n</ul></body></html>\n"
    )


def _relative(docs: Path, pages: list[Path]) -> list[str]:
    return sorted((page.relative_to(docs).as_posix() for page in pages), key=lambda path: path.startswith("expec"))


def _style() -> str:
    return _STYLE.read_text(encoding="utf-8")
