"""A small generator of portraits: an active appearance model with borrowed detail (see `assets/sampler.md`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, islice
from pathlib import Path

import numpy as np

from models.assets import ASSETS
from models.images import Image
from pipeline.config.data import SamplerParams
from pipeline.face_sampler.geometry import Array
from pipeline.face_sampler.render import Light, Placement, Renderer, Setting
from pipeline.face_sampler.weights import load_asset

_MAX_DEVIATION = 1.9  # coefficients are redrawn beyond it: far out faces turn into ghosts
_FITTING = 4  # a donor is one of the best four
_MAX_SMILE = 1.5


@dataclass(frozen=True)
class SampledPortrait:
    """A portrait of a person who does not exist."""

    name: str
    """Unique for a seed, usable as a file name without suffix."""
    identity: str
    view: int
    """0, 1, ... within the identity."""
    image: Image
    """RGB uint8 (128, 128, 3)."""
    landmarks: Array
    """(68, 2) iBUG points, x and y in pixels of `image`; the shape it was rendered with."""
    component: float
    """The identity's first coefficient, in standard deviations: its place on the axis people differ most along."""


@dataclass(frozen=True)
class _Identity:
    coefficients: Array
    setting: Setting
    mouth_rank: int


@dataclass(frozen=True)
class View:
    """What a portrait is drawn from: the seed, the number of its identity, and that of the view within the identity."""

    seed: int
    number: int
    view: int

    @property
    def person(self) -> str:
        """Name of the identity."""
        return f"sampler-{self.seed}-{self.number:05d}"

    @property
    def name(self) -> str:
        """Name of the portrait."""
        return f"{self.person}-{self.view:02d}"


def views(params: SamplerParams, assets: Path = ASSETS) -> Iterator[View]:
    """Yield views of identity 0, then of identity 1, and so on; the numbers of others are left out.

    Raises:
        WeightsError: the asset is missing or damaged.
    """
    lowest, highest = params.population
    fitting = (n for n in count() if lowest <= _coefficients(assets, _generator(params.seed, n))[0] <= highest)
    for number in islice(fitting, params.identities):
        for view in range(params.views):
            yield View(params.seed, number, view)


def draw(view: View, assets: Path = ASSETS) -> SampledPortrait:
    """Draw a portrait.

    Raises:
        WeightsError: the asset is missing or damaged.
    """
    person = _draw_identity(assets, view.seed, view.number)
    image, landmarks = _draw_view(assets, person, _generator(view.seed, view.number, view.view))
    return SampledPortrait(view.name, view.person, view.view, image, landmarks, float(person.coefficients[0]))


def portraits(params: SamplerParams, assets: Path = ASSETS) -> Iterator[SampledPortrait]:
    """Draw the portraits of `views`, one at a time.

    Raises:
        WeightsError: the asset is missing or damaged.
    """
    return (draw(view, assets) for view in views(params, assets))


def _generator(*key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(entropy=key[0], spawn_key=key[1:]))


@lru_cache(maxsize=2)
def _renderer(assets: Path) -> Renderer:
    return Renderer(load_asset(assets))


def _coefficients(assets: Path, rng: np.random.Generator) -> Array:
    return _truncated_normal(rng, len(load_asset(assets).smile))


@lru_cache(maxsize=1)
def _draw_identity(assets: Path, seed: int, number: int) -> _Identity:
    """Draw a person, once for all its views."""
    rng, renderer = _generator(seed, number), _renderer(assets)
    coefficients = _coefficients(assets, rng)
    mouth, *ranks = (int(rank) for rank in rng.integers(_FITTING, size=5))
    choice = renderer.donors.choose(renderer.texture(coefficients), coefficients, ranks)
    return _Identity(coefficients, renderer.setting(choice), mouth)


def _draw_view(assets: Path, person: _Identity, rng: np.random.Generator) -> tuple[Image, Array]:
    renderer, asset = _renderer(assets), load_asset(assets)
    coefficients = _smiling(person.coefficients, asset.smile, rng.uniform(-1.2, 1.2))
    coefficients += 0.6 * _truncated_normal(rng, 1) * asset.yaw
    coefficients += 0.7 * _truncated_normal(rng, len(asset.variation)) @ asset.variation
    texture = renderer.texture(coefficients)
    mouth = renderer.donors.mouth(texture, person.mouth_rank)
    landmarks = renderer.landmarks(coefficients, _draw_placement(rng))
    return renderer.render(texture, person.setting, mouth, _draw_light(rng), landmarks), landmarks


def _smiling(coefficients: Array, smile: Array, steps: float) -> Array:
    """Move coefficients by so many steps of a smile, but not beyond what the training portraits show."""
    length = float(np.linalg.norm(smile))
    now = float(coefficients @ smile) / length  # of unit variance, as every direction
    target = float(np.clip(now + steps * length, -_MAX_SMILE, _MAX_SMILE))
    return np.asarray(coefficients + (target - now) * smile / length, np.float32)


def _draw_placement(rng: np.random.Generator) -> Placement:
    shift = rng.normal(0, 1.0, 2).astype(np.float32)
    return Placement(float(rng.normal(0, 2.0)), float(rng.normal(1, 0.015)), shift)


def _draw_light(rng: np.random.Generator) -> Light:
    direction = _truncated_normal(rng, 3) * np.array([0.35, 0.15, 0.15], np.float32)
    return Light(direction, float(np.exp(rng.normal(0, 0.15))), np.exp(rng.normal(0, 0.03, 3)).astype(np.float32))


def _truncated_normal(rng: np.random.Generator, count: int) -> Array:
    """Draw standard normal numbers within ± _MAX_DEVIATION (by redrawing)."""
    values = rng.standard_normal(count)
    while (far := np.abs(values) > _MAX_DEVIATION).any():
        values[far] = rng.standard_normal(int(far.sum()))
    return values.astype(np.float32)
