"""Section for the user study."""

from typing import Annotated

from pydantic import Field

from pipeline.config.base import Count, Positive, Section, Seed, Share


class StudyParams(Section):
    """How a study asks, whom it counts, and what it takes to count in the gate.

    `trials` and `checks` are numbers of questions per rater; `invented_share` of the trials ask what looks invented.
    `raters` is how many have to count before there is a verdict, which then stands. `prior` is added to the wins of
    both sides of every pair that was compared (0 = plain maximum likelihood). `bandwidth` is the standard deviation of
    the heat map's kernel as a share of the picture's side.
    """

    counts_in_gate: bool
    min_preference: Share
    people: Count
    trials: Count
    invented_share: Share
    checks: Count
    break_every: Count
    raters: Count
    max_raters: Count
    attention: Share
    min_answered: Share
    min_median_seconds: Positive
    prior: Annotated[float, Field(ge=0.0)]
    bandwidth: Positive
    seed: Seed
