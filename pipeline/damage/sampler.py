"""Which damage comes next: kinds and coverage buckets in the mix that params.yaml asks for."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import DataError
from models.face.regions import Points, Size
from pipeline.config.masks import MaskParams
from pipeline.damage.draw import COLOUR_KINDS, Damage, draw_on
from pipeline.damage.measure import Measures, measure_on
from pipeline.damage.scene import Scene

Bucket = tuple[float, float]
"""Coverage from the first number up to, and without, the second."""
Cell = tuple[str, Bucket]
"""A kind of damage and a coverage bucket."""
INTACT_SHARE = 0.5
"""Share of `fade` and `greyscale` without any hole, in a bucket that starts at 0."""


@dataclass(frozen=True)
class MaskRecord(Measures):
    """Everything about one mask; with the landmarks and the size, `redraw` gives it back to the bit.

    Attributes:
        kind: of the damage.
        seed: of the generator that drew it.
        bucket: coverage bucket as "0.1-0.2".
    """

    kind: str
    seed: int
    bucket: str


def bucket_name(bucket: Bucket) -> str:
    """(0.1, 0.2) -> "0.1-0.2"."""
    return "-".join(np.format_float_positional(edge, trim="0") for edge in bucket)


def buckets_of(masks: MaskParams) -> list[Bucket]:
    """The coverage buckets between the edges of params.yaml."""
    return list(zip(masks.buckets[:-1], masks.buckets[1:], strict=True))


def redraw(record: MaskRecord, landmarks: Points, size: Size) -> Damage:
    """The damage of a record, to the bit: a pure function of its seed, kind and bucket, the landmarks and the size."""
    low, _, high = record.bucket.partition("-")
    return _drawn(record.seed, record.kind, (float(low), float(high)), Scene.of(landmarks, size))


class DamageSampler:
    """Draws damage after damage.

    In training, kind and bucket are drawn at random by their weights (`masks.kinds` with the overrides of
    `masks.training`). In evaluation every combination of a kind in use and a bucket comes once per round, in an order
    shuffled by `masks.evaluation.seed`; after any number of draws the counts of two kinds, two buckets, or two
    combinations differ by at most one.
    """

    def __init__(self, masks: MaskParams, training: bool) -> None:
        self._buckets = buckets_of(masks)
        self._weights = {**masks.kinds, **masks.training.kind_weights} if training else dict(masks.kinds)
        self._kinds = [kind for kind, weight in self._weights.items() if weight > 0]
        if not self._kinds:
            raise DataError("a kind with a weight above 0", "none", "raise a weight in masks.training.kind_weights")
        self._bucket_chances = _chances(list(masks.training.bucket_weights))
        self._kind_chances = _chances([self._weights[kind] for kind in self._kinds])
        self._seed = masks.evaluation.seed
        self._rounds = None if training else self.cells()

    def sample(self, rng: np.random.Generator, landmarks: Points, size: Size) -> tuple[Damage, MaskRecord]:
        """The next damage and its record.

        Coverage is uniform within its bucket, except that `fade` and `greyscale` have no hole half of the time in a
        bucket that starts at 0.

        Args:
            rng: gives the seed of the damage and, in training, kind and bucket.
            landmarks: (68, 2) x, y in pixels.
            size: side, or (height, width), of the picture.
        """
        cell = self._random_cell(rng) if self._rounds is None else next(self._rounds)
        return draw_cell(cell, rng, landmarks, size)

    def _random_cell(self, rng: np.random.Generator) -> Cell:
        kind = self._kinds[int(rng.choice(len(self._kinds), p=self._kind_chances))]
        return kind, self._buckets[int(rng.choice(len(self._buckets), p=self._bucket_chances))]

    def cells(self) -> Iterator[Cell]:
        """Kind and bucket of each evaluation mask, without end.

        Rounds over the table of kinds x buckets follow its diagonal, which moves by one bucket whenever it closes.
        """
        rng = np.random.default_rng(self._seed)
        kinds, buckets = len(self._kinds), len(self._buckets)
        diagonal = int(np.lcm(kinds, buckets))
        while True:
            kind_order, bucket_order = rng.permutation(kinds), rng.permutation(buckets)
            for step in range(kinds * buckets):
                bucket = bucket_order[(step + step // diagonal) % buckets]
                yield self._kinds[kind_order[step % kinds]], self._buckets[bucket]


def draw_cell(cell: Cell, rng: np.random.Generator, landmarks: Points, size: Size) -> tuple[Damage, MaskRecord]:
    """Draw damage of a kind and bucket by a seed from `rng`, and measure it."""
    kind, bucket = cell
    seed, scene = int(rng.integers(2**31)), Scene.of(landmarks, size)
    damage = _drawn(seed, kind, bucket, scene)
    measures = measure_on(damage, landmarks, scene.hull)
    return damage, MaskRecord(**vars(measures), kind=kind, seed=seed, bucket=bucket_name(bucket))


def _drawn(seed: int, kind: str, bucket: Bucket, scene: Scene) -> Damage:
    rng = np.random.default_rng(seed)
    return draw_on(rng, kind, _missing(rng, kind, bucket, len(scene.hull_pixels)), scene)


def _missing(rng: np.random.Generator, kind: str, bucket: Bucket, hull: int) -> int:
    """Missing pixels of the hull, uniform over the counts whose coverage lies in the bucket."""
    if kind in COLOUR_KINDS and bucket[0] == 0 and rng.random() < INTACT_SHARE:
        return 0
    counts = np.arange(1, hull + 1)
    inside = counts[(counts / hull >= bucket[0]) & (counts / hull < bucket[1])]
    if not len(inside):
        raise DataError(f"a face with a pixel count in bucket {bucket}", f"{hull} pixels", "use a larger picture")
    return int(inside[rng.integers(len(inside))])


def _chances(weights: list[float]) -> npt.NDArray[np.float64]:
    chances = np.asarray(weights, dtype=np.float64)
    return np.asarray(chances / chances.sum())
