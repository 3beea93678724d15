"""The rule: when a test has been won, lost, given up, or must stop at once. Pure, so that simulations run this code."""

from math import log1p
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from monitoring.ab.outcomes import Name
from pipeline.config.ab import AbParams

State = Literal["none", "running", "win", "loss", "futility", "guard-rail", "sample-ratio", "superseded"]

_CROSSED = 0.01
"""Share of the subjects that both arms may have served before the assignment counts as broken."""


class Effect(BaseModel):
    """Challenger minus champion in one outcome, with its confidence sequence; None where an arm has too few subjects.

    Means and effect are in `unit`; those of `identity` are adjusted for the damage where an adjustment could be
    fitted. `n_champion`, `n_challenger`: subjects in which the outcome was measured. `alpha`: error rate of the
    interval over all looks.
    """

    model_config = ConfigDict(frozen=True)

    name: Name
    unit: str
    better: Literal["higher", "lower"]
    alpha: float
    n_champion: int
    n_challenger: int
    mean_champion: float | None
    mean_challenger: float | None
    effect: float | None
    low: float | None
    high: float | None

    @property
    def n_least(self) -> int:
        """Subjects in the smaller arm."""
        return min(self.n_champion, self.n_challenger)

    @property
    def worst(self) -> float:
        """The least favourable end of the interval, positive = the challenger is better; -inf where there is none."""
        if self.low is None or self.high is None:
            return float("-inf")
        return self.low if self.better == "higher" else -self.high

    @property
    def best(self) -> float:
        """The most favourable end, likewise; inf where there is none."""
        if self.low is None or self.high is None:
            return float("inf")
        return self.high if self.better == "higher" else -self.low


class Evidence(NamedTuple):
    """All that the rule looks at. `guard` is the identity effect at `ab.guard_alpha`."""

    identity: Effect
    guard: Effect
    others: tuple[Effect, ...]
    sample_ratio_p: float
    subjects: int
    crossed: int
    requests: int
    days: float


class Decision(NamedTuple):
    """What the test has come to, and why, for people."""

    state: State
    reason: str


def decide(evidence: Evidence, params: AbParams) -> Decision:
    """Judge the evidence; the first rule that applies decides.

    Broken assignment comes first, as no figure means anything then; then harm, then the win, then giving up. A
    challenger that is proven worse never wins, not even within the margin.
    """
    for rule in (_sample_ratio, _guard_rail, _loss, _veto, _win, _futility):
        if decision := rule(evidence, params):
            return decision
    return Decision("running", f"nothing is proven yet: {_interval(evidence.identity)}")


def _sample_ratio(evidence: Evidence, params: AbParams) -> Decision | None:
    if evidence.sample_ratio_p <= params.sample_ratio_alpha:
        return Decision("sample-ratio", f"the split is not the intended one (p = {evidence.sample_ratio_p:.1g})")
    if evidence.crossed > max(1.0, _CROSSED * evidence.subjects):
        return Decision("sample-ratio", f"{evidence.crossed} of {evidence.subjects} subjects were served by both arms")
    return None


def _guard_rail(evidence: Evidence, params: AbParams) -> Decision | None:
    guard = evidence.guard
    if guard.n_least < params.guard_min_subjects or guard.best >= -params.guard_rail:
        return None
    return Decision("guard-rail", f"identity is worse by more than {params.guard_rail:g}: {_interval(guard)}")


def _loss(evidence: Evidence, params: AbParams) -> Decision | None:
    if evidence.identity.n_least < params.min_subjects or evidence.identity.best >= 0.0:
        return None
    return Decision("loss", f"identity is proven worse: {_interval(evidence.identity)}")


def _veto(evidence: Evidence, params: AbParams) -> Decision | None:
    for effect in evidence.others:
        if effect.n_least >= params.min_subjects and effect.best < -_tolerance(effect.name, params):
            return Decision("loss", f"{effect.name} is proven worse: {_interval(effect)}")
    return None


def _win(evidence: Evidence, params: AbParams) -> Decision | None:
    needed = 0.0 if params.promote_on == "win" else -params.margin
    if evidence.identity.n_least < params.min_subjects or evidence.identity.worst <= needed:
        return None
    proven = "better" if evidence.identity.worst > 0.0 else f"not worse by {params.margin:g}"
    return Decision("win", f"identity is proven {proven}: {_interval(evidence.identity)}")


def _futility(evidence: Evidence, params: AbParams) -> Decision | None:
    effect, wanted = evidence.identity, params.promote_on == "win" and params.min_effect
    if wanted and effect.n_least >= params.min_subjects and effect.best < wanted:
        return Decision("futility", f"identity is not better by {wanted:g}: {_interval(effect)}")
    if evidence.requests >= params.max_requests:
        return Decision("futility", f"{evidence.requests} requests have proven nothing: {_interval(effect)}")
    if evidence.days >= params.max_days:
        return Decision("futility", f"{evidence.days:.1f} days have proven nothing: {_interval(effect)}")
    return None


def _tolerance(name: Name, params: AbParams) -> float:
    allowed = params.tolerance
    return {
        "lpips": allowed.lpips,
        "recognised": allowed.recognised,
        "preferred": allowed.preferred,
        "latency": log1p(allowed.latency),
    }.get(name, 0.0)


def _interval(effect: Effect) -> str:
    if effect.effect is None:
        return f"no interval over {effect.n_champion} + {effect.n_challenger} subjects"
    return (
        f"{effect.effect:+.4f} [{effect.low:+.4f}, {effect.high:+.4f}] "
        f"over {effect.n_champion} + {effect.n_challenger} subjects"
    )
