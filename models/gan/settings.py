"""Settings of the GAN: the keys of section `train` that it reads."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le, Lt, MultipleOf

from models.limits import Count, NotNegative, Positive
from models.optimisation import OptimiserSettings

Augmentation = Literal["color", "translation", "cutout"]


@dataclass(frozen=True)
class LossWeights:
    """Weight of each term of the generator's objective; r1 belongs to the discriminator's (gamma / 2 of its paper)."""

    pixel_known: NotNegative
    pixel_missing: NotNegative
    colour: NotNegative
    lpips: NotNegative
    frequency: NotNegative
    identity: NotNegative
    adversarial: NotNegative
    feature_matching: NotNegative
    r1: NotNegative


@dataclass(frozen=True)
class GeneratorShape:
    """Size of the generator, see `models.gan.generator.Generator`."""

    width: Annotated[int, Ge(8), MultipleOf(8)]
    depth: Annotated[int, Ge(2), Le(6)]
    conditioned: bool


@dataclass(frozen=True)
class DiscriminatorShape:
    """Size of the discriminator."""

    width: Count


@dataclass(frozen=True)
class GanSettings(OptimiserSettings):
    """How generator and discriminator learn.

    Attributes:
        losses: weight of each term.
        r1_every: steps between two penalties of the discriminator's gradient.
        overfit_limit: r_t beyond which the adversarial term fades.
        identity_jitter: pixels of 128 by which the identity term's crops move at random.
        discriminator_augment: random changes of what the discriminator sees.
    """

    discriminator_learning_rate: Positive
    losses: LossWeights
    r1_every: Count
    overfit_limit: Annotated[float, Ge(0.0), Lt(1.0)]
    identity_jitter: NotNegative
    discriminator_augment: tuple[Augmentation, ...]
    generator: GeneratorShape
    discriminator: DiscriminatorShape
