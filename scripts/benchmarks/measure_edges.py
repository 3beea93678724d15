"""Figures of how masks grow to the edges of their damage, for docs/mask_edges.md.

`python -m scripts.benchmarks.measure_edges --portraits ../shared/portraits/congress --count 400 --seed 5` draws a crack
on each portrait, softens its edge, compresses the picture, and fills the mask classically. Prints mean error and bias
in grey levels inside the mask as it came. "hard" is the same picture with a hard edge, uncompressed; "hard, grown" is
that one filled in the grown mask: a grown mask is as good as that where it leaves no rim.
"""

import argparse
import io
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from models.images import Image, Mask
from restoration.photo.classical import classical_photo
from restoration.photo.leftovers import with_leftovers
from restoration.photo.mask_edges import grow_to_edges

COLOURS = {"white": (250, 250, 245), "black": (8, 8, 10), "brown": (120, 84, 48), "grey": (127, 127, 127)}
SIDES = (256, 512, 1024, 2000)
BLURS = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0)
QUALITIES = (None, 95, 85, 75, 60)
WIDTHS = (1, 2, 4, 10, 24)
GRAIN = 2.0
"""Standard deviation of the grain, grey levels: enlarged portraits have none of their own."""


@dataclass(frozen=True)
class Edge:
    """A damaged picture's settings; `quality` is None where it is not compressed."""

    side: int
    colour: str
    blur: float
    quality: int | None
    subsampled: bool
    width: int


@dataclass(frozen=True)
class Score:
    """Mean error and mean absolute bias of the channels in the mask as it came; `growth` in pixels at most.

    The fills are of the hard picture, of the damaged one, of the damaged one with the grown mask, and of the hard one
    with the grown mask.
    """

    errors: tuple[float, ...]
    biases: tuple[float, ...]
    growth: float


def crack(rng: np.random.Generator, shape: tuple[int, int], width: int) -> Mask:
    """A fractal line across a picture of `shape` (height, width), by displaced midpoints."""
    points = rng.uniform(0.15, 0.85, (2, 2)) + np.array([[-0.4, 0.0], [0.4, 0.0]])
    roughness = 0.12
    for _ in range(7):
        middles = (points[:-1] + points[1:]) / 2 + rng.normal(0, roughness, (len(points) - 1, 2))
        points = np.insert(points, np.arange(1, len(points)), middles, axis=0)
        roughness *= 0.52
    line = np.rint(points[:, ::-1] * np.array(shape)[::-1]).astype(np.int32)
    canvas = np.zeros(shape, np.uint8)
    return np.asarray(cv2.polylines(canvas, [line[:, None]], False, 1, width) > 0)


def soft(image: Image, mask: Mask, colour: Sequence[int], blur: float) -> Image:
    """`image` (H, W, 3) painted over in the mask (H, W), its edge blurred by `blur` pixels (standard deviation)."""
    cover = mask.astype(np.float32)[..., None]
    if blur:
        cover = cv2.GaussianBlur(cover, (0, 0), blur)[..., None]
    return np.rint(image * (1 - cover) + np.array(colour, np.float32) * cover).astype(np.uint8)


def jpeg(image: Image, quality: int | None, *, subsampled: bool = True) -> Image:
    """`image` after JPEG, 4:2:0 or 4:4:4; as it is without a quality."""
    if quality is None:
        return image
    stream = io.BytesIO()
    Pillow.fromarray(image).save(stream, "jpeg", quality=quality, subsampling=2 if subsampled else 0)
    return np.asarray(Pillow.open(stream).convert("RGB"))


def edges(rng: np.random.Generator) -> Iterator[Edge]:
    """Settings without end, drawn at random."""
    while True:
        quality = QUALITIES[rng.integers(len(QUALITIES))]
        yield Edge(
            side=int(rng.choice(SIDES)),
            colour=str(rng.choice(list(COLOURS))),
            blur=float(rng.choice(BLURS)),
            quality=quality,
            subsampled=bool(rng.random() < 0.75),
            width=int(rng.choice(WIDTHS)),
        )


def scored(rng: np.random.Generator, portrait: Image, edge: Edge) -> Score:
    """One portrait (H, W, 3), damaged and filled."""
    shrink = edge.side / max(portrait.shape[:2])
    enlarged = cv2.resize(portrait, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_CUBIC)
    grain = rng.normal(0, GRAIN, (*enlarged.shape[:2], 1))
    intact = np.clip(np.rint(enlarged + grain), 0, 255).astype(np.uint8)
    mask = crack(rng, (intact.shape[0], intact.shape[1]), edge.width)
    hard = soft(intact, mask, COLOURS[edge.colour], 0)
    came = jpeg(soft(intact, mask, COLOURS[edge.colour], edge.blur), edge.quality, subsampled=edge.subsampled)
    grown = grow_to_edges(came, with_leftovers(came, mask))
    pairs = ((hard, mask), (came, mask), (came, grown), (hard, grown))
    fills = [classical_photo(picture, hole, hole) for picture, hole in pairs]
    differ = [fill[mask].astype(np.float64) - intact[mask] for fill in fills]
    far = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return Score(tuple(map(_error, differ)), tuple(map(_bias, differ)), float(far[grown].max()))


def _error(differ: npt.NDArray[np.float64]) -> float:
    return float(np.abs(differ).mean())


def _bias(differ: npt.NDArray[np.float64]) -> float:
    return float(np.abs(differ.mean(axis=0)).mean())


def show(name: str, of: Callable[[Edge], object], cases: Sequence[tuple[Edge, Score]]) -> None:
    """Print means by one setting."""
    groups: dict[object, list[Score]] = defaultdict(list)
    for edge, score in cases:
        groups[of(edge)].append(score)
    for value, scores in sorted(
        groups.items(), key=lambda item: (item[0] is None, item[0] if item[0] is not None else 0)
    ):
        errors = np.mean([score.errors for score in scores], axis=0)
        biases = np.mean([score.biases for score in scores], axis=0)
        growth = np.mean([score.growth for score in scores])
        pairs = " | ".join(f"{error:.1f} ({bias:.1f})" for error, bias in zip(errors, biases, strict=True))
        print(f"| {name} {value} | {len(scores)} | {pairs} | {growth:.1f} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=5)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    files = sorted(arguments.portraits.glob("*.jpg"))[: arguments.count]
    cases = []
    for file, edge in zip(files, edges(rng), strict=False):
        portrait = np.asarray(Pillow.open(file).convert("RGB"))
        cases.append((edge, scored(rng, portrait, edge)))
    print("| damage | n | hard | mask as it came | grown | hard, grown | growth, px |")
    print("|---|---|---|---|---|---|---|")
    show("all", lambda _: "", cases)
    show("blur", lambda edge: edge.blur, cases)
    show("JPEG", lambda edge: edge.quality, cases)
    show("width", lambda edge: edge.width, cases)
    show("side", lambda edge: edge.side, cases)
    show("colour", lambda edge: edge.colour, cases)


if __name__ == "__main__":
    main()
