"""Results of the studies as data: written by the stage `ablate`, read by its page and by people."""

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from pipeline.evaluation.results import Buckets, Figure

Study = Literal["onset", "transition", "curvature", "variants"]
STUDIES: tuple[Study, ...] = get_args(Study)
"""What `likeness ablate` can run; `transition` gives ID-FID and the disagreement of scores as well."""


class Part(BaseModel):
    """A part of the report; nothing can be changed or added."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OnsetFigures(Part):
    """The onset of hallucination by one encoder for one method; places are missing shares of the features."""

    floor: float
    """Lower end of the genuine range, a similarity."""
    floor_from: str
    """What the floor rests on."""
    shape: str
    """Which shape the curve has by the Bayesian criterion: line, smooth (parabola) or knee (broken line)."""
    bic: dict[str, float]
    knee: Figure
    """Place of the break in the best broken line, whether or not the curve asks for one."""
    knee_supported: bool
    slope_before: Figure
    slope_after: Figure
    first_below: float | None
    """First level whose whole interval lies below the floor."""
    crossing: Figure
    """Where the mean curve crosses the floor; an open upper end is None."""
    never: float
    """Share of the resamples in which it does not cross."""


class OnsetReport(Part):
    """Identity against missing features, and with single features hidden."""

    curves: dict[str, Buckets]
    """Figures by method and missing share of the features."""
    onsets: dict[str, dict[str, OnsetFigures]]
    """By method and encoder."""
    components: dict[str, Buckets]
    """Figures by method and hidden feature; `missing_features` is the share that it takes."""


class Crossing(Part):
    """Where two curves over coverage cross, by linear interpolation; None where they do not."""

    what: str
    at: float | None


class TransitionReport(Part):
    """Inpainting a hole against colouring the same pixels with their luma known, by coverage."""

    curves: dict[str, Buckets]
    """Figures by method (`TASK METHOD`) and coverage."""
    colour_ratios: dict[str, Figure]
    """Colour error of the champion on colour-only damage over that of each guess."""
    crossings: tuple[Crossing, ...]


class FidFigures(Part):
    """ID-FID of one method at one coverage."""

    at_n: float
    extrapolated: float
    error: float
    n: int
    dimensions: int
    enough: bool


class IdFidReport(Part):
    """ID-FID by coverage."""

    variance_kept: float
    """Share of the intact portraits' variance in the leading components."""
    whole: dict[str, dict[str, FidFigures]]
    """By method and coverage, in all dimensions of the encoder."""
    leading: dict[str, dict[str, FidFigures]]
    """The same in the leading components."""


class CurvatureReport(Part):
    """The bend of the generator's objective at the weights, beside the gap between known and held-out portraits."""

    largest: float
    smallest: float
    trace: float
    trace_error: float
    parameters: int
    training_loss: float
    validation_loss: float
    gap: float
    """Held-out minus training loss, the same terms on as many portraits."""


class VariantFigures(Part):
    """One small network's design, trained with several seeds."""

    figures: Buckets
    """Mean over seeds by coverage bucket and metric; the interval is over portraits."""
    ratios: dict[str, Figure]
    """Metric -> mean over that of the complete design, seeds paired; the interval is over portraits."""
    seeds: dict[str, list[float]]
    """Metric -> ratio to the complete design of each seed: how far chance alone moves it."""
    seconds: float
    """Training time of all seeds."""


class DisagreementReport(Part):
    """The brief's naive pixel score against the identity of the person, on the same restorations."""

    pairs: int
    """Champion against Telea on one damage."""
    disagree: float
    """Share of the pairs in which the one with the smaller pixel error is further from the person."""
    rank_correlation: float
    """Spearman, pixel MSE and identity distance over all restorations."""
    lpips_correlation: float
    """Spearman, LPIPS and identity distance."""
    examples: tuple[str, ...]
    """Ids of the pairs that disagree most."""


class AblateReport(Part):
    """Everything that `likeness ablate` measured; a study not run is None. Only seconds differ between runs."""

    champion: str
    """SHA-256 of the weights."""
    version: str
    split: str
    portraits: int
    people: int
    seed: int
    encoders: dict[str, str]
    onset: OnsetReport | None = None
    transition: TransitionReport | None = None
    id_fid: IdFidReport | None = None
    disagreement: DisagreementReport | None = None
    curvature: CurvatureReport | None = None
    variants: dict[str, VariantFigures] | None = None
