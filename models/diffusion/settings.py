"""Settings of the diffusion model: section `train.diffusion`."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le, MultipleOf

from models.errors import DataError
from models.limits import Count, NotNegative, Positive

Levels = Literal[2, 4, 5, 8, 10, 20]
LEVELS = 1000
"""Noise levels of the schedule, 0 = nearly clean; numbers of sampling steps divide it."""


@dataclass(frozen=True)
class Spread:
    """How strong noise from the face model's posterior has to be to be like target - start.

    Attributes:
        latents: factor of what its latents leave open.
        fine: factor of what its components cannot show.
        cutoff: of the latter, cycles per picture around which its power lies (`models.diffusion.noise.banded`).
        colour: factor of both where colour alone is missing.
    """

    latents: Positive
    fine: NotNegative
    cutoff: Positive
    colour: Positive


@dataclass(frozen=True)
class DiffusionShape:
    """What has to be known of a denoiser to build it.

    Attributes:
        width: channels at half resolution; doubled per level.
        depth: levels, the first at half resolution; sides of pictures must be multiples of 2**depth.
        widest: most channels of a level.
        spread: of the noise.
    """

    width: Annotated[int, Ge(8), MultipleOf(8)]
    depth: Annotated[int, Ge(2), Le(6)]
    widest: Annotated[int, Ge(8), MultipleOf(8)]
    spread: Spread


@dataclass(frozen=True)
class Sampling:
    """How pictures are drawn.

    Attributes:
        levels: noise levels, evenly spaced, the first pure noise; divides `LEVELS`.
        steps: how many of them draws visit after pure noise, whose answer all draws share: the last ones.
        samples: restorations drawn per picture, whose mean is the result; 0 = the answer to pure noise is the result.
    """

    levels: Levels
    steps: Annotated[int, Ge(1), Le(19)]
    samples: Annotated[int, Ge(0), Le(64)]

    def __post_init__(self) -> None:
        if not (2 <= self.levels <= 20 and LEVELS % self.levels == 0):
            remedy = "choose 2, 4, 5, 8, 10 or 20"
            raise DataError(f"2 to 20 noise levels that divide {LEVELS}", str(self.levels), remedy)
        if not 1 <= self.steps < self.levels:
            remedy = "visit no more levels than there are after the first"
            raise DataError(f"1 to {self.levels - 1} sampling steps", str(self.steps), remedy)
        if self.samples < 0:
            raise DataError("at least no sample", str(self.samples), "draw 0 or more")


@dataclass(frozen=True)
class DiffusionSettings(DiffusionShape, Sampling):
    """The denoiser, what it minimises, and how pictures are drawn from it. Training visits the sampler's levels.

    Attributes:
        echoes: how often a batch of evidence is used, each time with new noise.
        pixel_missing: weight of the absolute error of the predicted clean picture.
        colour: weight of that of its chroma.
        lpips: weight of its perceptual distance.
        identity: weight of its identity distance.
        weight_decay: of AdamW.
    """

    echoes: Count
    pixel_missing: NotNegative
    colour: NotNegative
    lpips: NotNegative
    identity: NotNegative
    weight_decay: NotNegative

    def __post_init__(self) -> None:
        if self.steps >= self.levels:
            raise ValueError(f"steps ({self.steps}) must be less than levels ({self.levels}): the first is pure noise")
        super().__post_init__()

    @property
    def shape(self) -> DiffusionShape:
        """What the denoiser is built from."""
        return DiffusionShape(self.width, self.depth, self.widest, self.spread)

    @property
    def sampling(self) -> Sampling:
        """How the trained denoiser shall be used."""
        return Sampling(self.levels, self.steps, self.samples)

    @property
    def losses(self) -> dict[str, float]:
        """Weight of each term, by its name in `models.objective.TERMS`."""
        names = ("pixel_missing", "colour", "lpips", "identity")
        return {name: getattr(self, name) for name in names}
