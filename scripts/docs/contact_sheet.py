"""Draw what the product does to a folder of prints.

`python -m scripts.docs.contact_sheet --photos DIR --out DIR`.
Each row of a sheet is a photo as it came, the photo with what was found (red: restored, yellow: only proposed), and
what came back. Each print's own restoration and mask are written beside, at full size. Nothing of it belongs into the
repository: the photos are other people's.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from models.assets import ASSETS
from models.images import Image
from models.load import load_restorer
from pipeline.config.load import load_params
from pipeline.image_io.outcome import Limits
from pipeline.image_io.write import read_picture, write_picture
from restoration.files.requests import requests
from restoration.files.restore_files import Row, Settings, restore_all
from restoration.find_damage import shipped_finder
from restoration.mask import PROPOSED_GREY
from restoration.types import load_tools

RED, YELLOW = (230, 30, 30), (250, 220, 40)
_HEIGHT, _ROWS = 420, 4


def main() -> None:
    """Restore all photos of a folder as `likeness restore` does, and draw the sheets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    params = load_params(Path("params.yaml"))
    limits = Limits.of(params.ingest)
    tools = load_tools(params.restore.min_detector_score, params.identity)
    restorer = load_restorer(ASSETS / "restorer.safetensors")
    settings = Settings(restorer, "shipped", "auto", params.restore, limits, tools, finder=shipped_finder())
    out, masks = arguments.out / "restored", arguments.out / "masks"
    batch = [one for one in requests(arguments.photos, None, out, masks) if one.photo.suffix.lower() not in (".md", "")]
    strips = []
    for row in restore_all(batch, settings):
        print(row.as_text())
        if row.output is not None:
            strips.append(strip(row, limits))
    for number, sheet in enumerate(sheets(strips), 1):
        write_picture(arguments.out / f"sheet-{number}.png", sheet)


def strip(row: Row, limits: Limits) -> Image:
    """One row of a sheet: input, marks, output (H, W, 3)."""
    photo = read_picture(Path(row.input), limits)
    assert row.output is not None
    restored = read_picture(Path(row.output), limits)
    marked = photo if row.mask is None or row.mask.output is None else painted(photo, Path(row.mask.output), limits)
    return np.hstack([_scaled(picture) for picture in (photo, marked, restored)])


def painted(photo: Image, mask: Path, limits: Limits) -> Image:
    """The photo (H, W, 3) with the levels of a mask picture in colour."""
    levels = read_picture(mask, limits)[..., 0]
    picture = photo.copy()
    picture[levels == 255] = RED
    picture[levels == PROPOSED_GREY] = YELLOW
    return picture


def sheets(strips: Sequence[Image]) -> Iterator[Image]:
    """Strips below one another, a few a sheet."""
    for first in range(0, len(strips), _ROWS):
        part = strips[first : first + _ROWS]
        width = max(one.shape[1] for one in part)
        yield np.vstack([np.pad(one, ((0, 6), (0, width - one.shape[1]), (0, 0))) for one in part])


def _scaled(picture: Image) -> Image:
    scale = _HEIGHT / picture.shape[0]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    side = (round(picture.shape[1] * scale), _HEIGHT)
    return np.asarray(cv2.resize(picture, side, interpolation=method), np.uint8)


if __name__ == "__main__":
    main()
