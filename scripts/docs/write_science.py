"""Put the figures of `likeness ablate` into docs/science.md.

`python -m scripts.docs.write_science --workspace DIR`.
Text between `<!-- NAME -->` and `<!-- /NAME -->` is replaced; charts and pictures go to docs/images.
"""

import argparse
import base64
import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np

from models.assets import ASSETS
from models.images import Image
from pipeline.ablation.results import AblateReport
from pipeline.project.files import read_report, write_text
from pipeline.project.paths import Paths
from scripts.docs.science_tables import BLOCKS

DOCS = ASSETS.parent / "docs"
_SHOWN = 4
"""Strips of contradictions in the docs."""


def main() -> None:
    """Fill docs/science.md and copy the drawings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True, help="of `likeness ablate`")
    paths = Paths(parser.parse_args().workspace.resolve())
    report = read_report(paths.ablation_report, AblateReport, "ablate")
    page = DOCS / "science.md"
    write_text(page, filled(page.read_text(encoding="utf-8"), report))
    for drawing in paths.ablation.glob("*.svg"):
        shutil.copyfile(drawing, DOCS / "images" / f"science-{drawing.name}")
    write_strips(paths.ablation_html.read_text(encoding="utf-8"), DOCS / "images" / "science-scores.jpg")


def filled(text: str, report: AblateReport) -> str:
    """The page with every block that the report has figures for."""
    for name, block in BLOCKS.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if start in text and (lines := block(report)):
            before, _, rest = text.partition(start)
            _, _, after = rest.partition(end)
            text = "".join([before, start, "\n".join(lines), "\n", end, after])
    return text


def write_strips(html: str, target: Path) -> None:
    """The page's first strips as one JPEG, a row per pair; their notes as JSON beside it."""
    figures = re.findall(r'<img src="data:image/jpeg;base64,([^"]+)".*?<b>(.*?)</b>(.*?)</figcaption>', html, re.DOTALL)
    columns = [caption for _, caption, _ in figures]
    width = columns.index("intact", 1) if columns.count("intact") > 1 else len(columns)
    rows = [figures[i : i + width] for i in range(0, len(figures), width)][:_SHOWN]
    if not rows:
        return
    pictures = [np.hstack([decoded(data) for data, _, _ in each]) for each in rows]
    cv2.imwrite(str(target), np.vstack(pictures)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    notes = [{caption: note for _, caption, note in each if note} for each in rows]
    write_text(target.with_suffix(".json"), json.dumps(notes, indent=2) + "\n")


def decoded(data: str) -> Image:
    """A picture of the page, RGB uint8."""
    stored = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(np.asarray(stored), cv2.COLOR_BGR2RGB), np.uint8)


if __name__ == "__main__":
    main()
