"""Measure masks on real old prints.

`python -m scripts.benchmarks.real_prints --photos DIR` prints the floor, a top-hat.
The truth was drawn by hand: lines along the cracks of damaged prints, and boxes around intact details of these and
of sound ones (`scripts/assets/finder/hand_drawn.json`). The pictures themselves stay out of the repository.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.assets import ASSETS
from models.images import Image, Mask
from pipeline.config.load import load_params
from pipeline.image_io.outcome import Limits
from pipeline.image_io.write import read_picture
from scripts.assets.finder.hand_drawn import Box, Crack, Print, read_prints, walk

TOLERANCE = 0.008
"""How far off a crack may be found, as a share of the long side."""


def crack_recall(mask: Mask, cracks: Sequence[Crack], tolerance: float) -> float:
    """Share of the cracks' length that has a masked pixel within `tolerance` pixels.

    Raises:
        ValueError: there are no cracks.
    """
    points = np.floor(np.concatenate([walk(crack.line) for crack in cracks]) + 0.5).astype(np.intp)
    if not mask.any():
        return 0.0
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float(np.mean(away[points[:, 1], points[:, 0]] <= tolerance + 1e-4))


def intact_share(mask: Mask, boxes: Sequence[Box]) -> float:
    """Share of the boxes' area that is masked; where boxes overlap, pixels count once.

    Raises:
        ValueError: there are no boxes.
    """
    if not boxes:
        raise ValueError("no boxes")
    intact = np.zeros_like(mask)
    for x0, y0, x1, y1 in boxes:
        intact[y0:y1, x0:x1] = True
    return float(mask[intact].mean())


def top_hat_mask(image: Image) -> Mask:
    """What a filter finds of bright cracks: the floor for learnt finders.

    Its thresholds were chosen on the two damaged prints, so that it finds about 60 % and masks about 6 % of them.
    """
    side = max(image.shape[:2])
    hat_side, margin = round(0.02 * side) | 1, 2 * round(0.003 * side) + 1
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    hat = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, _ellipse(hat_side)).astype(np.float32)
    bright = hat > 2 * cv2.blur(hat, (hat_side, hat_side)) + 9
    _, labels, stats, _ = cv2.connectedComponentsWithStats(bright.astype(np.uint8), connectivity=8)
    length = np.hypot(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    kept = (length > 0.008 * side) & (length**2 > 4 * stats[:, cv2.CC_STAT_AREA])  # about four times as long as wide
    kept[0] = False  # the background
    grown: Mask = cv2.dilate(kept[labels].astype(np.uint8), _ellipse(margin)).astype(np.bool_)
    return grown


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    photos = parser.parse_args().photos
    limits = Limits.of(load_params(ASSETS.parent / "params.yaml").ingest)
    print("| print | cracks found | without the faint | masked | intact details masked |")
    print("|---|---|---|---|---|")
    for one in read_prints():
        print(row(one, top_hat_mask(read_picture(photos / one.file, limits))))


def row(one: Print, mask: Mask) -> str:
    """A print's line of the table, all in per cent."""
    clear = [crack for crack in one.cracks if not crack.faint]
    tolerance = TOLERANCE * max(one.size)
    found = [f"{crack_recall(mask, some, tolerance):.1%}" if some else "" for some in (one.cracks, clear)]
    return "| " + " | ".join([one.file, *found, f"{mask.mean():.1%}", f"{intact_share(mask, one.intact):.2%}"]) + " |"


def _ellipse(side: int) -> npt.NDArray[np.uint8]:
    """A disc as a kernel (side, side)."""
    kernel: npt.NDArray[np.uint8] = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return kernel


if __name__ == "__main__":
    main()
