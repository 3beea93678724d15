"""Settings of the diffusion model: section `train.diffusion`."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le, Len, Lt, MultipleOf

from models.errors import DataError
from models.limits import Count, NotNegative, Positive

Prediction = Literal["v_prediction", "sample"]
LEVELS = 1000
"""Noise levels of the schedule, 0 = nearly clean; numbers of sampling steps divide it."""


@dataclass(frozen=True)
class Spread:
    """Second moments of target - start.

    Attributes:
        rim: standard deviation one pixel away from the nearest known one, in the range of pictures.
        growth: what it gains each time the distance grows by a factor of e.
        colour: standard deviation where colour alone is missing.
        cutoff: cycles per picture from where power falls with the fourth instead of the second power of frequency.
        correlation: between the residual's colour channels, [0, 1).
    """

    rim: Positive
    growth: NotNegative
    colour: Positive
    cutoff: Positive
    correlation: Annotated[float, Ge(0.0), Lt(1.0)]


@dataclass(frozen=True)
class DiffusionShape:
    """What has to be known of a denoiser to build it.

    Attributes:
        channels: of each level, the first at 1 / `fold` of the resolution; multiples of 8.
        fold: side of the square of pixels that becomes one position; sides of pictures must be multiples of
            fold * 2**(len(channels) - 1).
        prediction: what the network's output means, in the words of diffusers.
        spread: of what is diffused.
    """

    channels: Annotated[tuple[Annotated[int, Ge(8), MultipleOf(8)], ...], Len(2, 5)]
    fold: Literal[1, 2, 4, 8]
    prediction: Prediction
    spread: Spread


@dataclass(frozen=True)
class Sampling:
    """How pictures are drawn.

    Attributes:
        steps: noise levels visited, at most 20; divides `LEVELS`.
        samples: restorations drawn per picture, whose mean is the result.
    """

    steps: Literal[1, 2, 4, 5, 8, 10, 20]
    samples: Annotated[int, Ge(1), Le(64)]

    def __post_init__(self) -> None:
        if not (1 <= self.steps <= 20 and LEVELS % self.steps == 0):
            remedy = "choose 1, 2, 4, 5, 8, 10 or 20"
            raise DataError(f"at most 20 sampling steps that divide {LEVELS}", str(self.steps), remedy)
        if self.samples < 1:
            raise DataError("at least one sample", str(self.samples), "draw 1 or more")


@dataclass(frozen=True)
class DiffusionSettings(DiffusionShape, Sampling):
    """The denoiser, what it minimises, and how pictures are drawn from it.

    Attributes:
        levels: noise levels that training draws from: those that a sampler of so many steps visits.
        echoes: how often a batch of evidence is used, each time with new noise.
        gamma: highest weight of a noise level, `losses.clamped_snr`.
        lpips: weight of the perceptual distance of the predicted clean picture.
        identity: weight of its identity distance.
        weight_decay: of AdamW.
    """

    levels: Literal[4, 5, 8, 10, 20, 40, 50, 100, 1000]
    echoes: Count
    gamma: Annotated[float, Ge(1.0)]
    lpips: NotNegative
    identity: NotNegative
    weight_decay: NotNegative

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.levels % self.steps:
            raise ValueError(f"steps ({self.steps}) must divide levels ({self.levels}): others are never trained")

    @property
    def shape(self) -> DiffusionShape:
        """What the denoiser is built from."""
        return DiffusionShape(self.channels, self.fold, self.prediction, self.spread)

    @property
    def sampling(self) -> Sampling:
        """How the trained denoiser shall be used."""
        return Sampling(self.steps, self.samples)

    @property
    def losses(self) -> dict[str, float]:
        """Weight of each term; the squared error of the residual is the unit."""
        return {"residual": 1.0, "lpips": self.lpips, "identity": self.identity}
