"""The verdict on the running A/B test: log and registry in, a decision with its figures out. It changes nothing."""

from contextlib import closing
from datetime import datetime, timedelta
from typing import cast

import pandas as pd
from pydantic import BaseModel, ConfigDict

from monitoring.ab.adjustment import Adjustment, fit_adjustment
from monitoring.ab.confidence import difference, moments
from monitoring.ab.decision import Effect, Evidence, State, decide
from monitoring.ab.experiment import Experiment, running_test
from monitoring.ab.outcomes import OUTCOMES, Name, Trial, identity_similarity, select_trial
from monitoring.ab.sample_ratio import sequential_p
from monitoring.log.production_log import open_log
from monitoring.log.rows import restored_in_full
from pipeline.config.ab import AbParams
from pipeline.config.load import Params
from pipeline.project.paths import Paths

_DAY_SECONDS = 86400.0
_BEFORE = timedelta(days=60)
"""How far back rows may lie that the adjustment is fitted on."""


class AbVerdict(BaseModel):
    """How a test stands.

    `requests`, `subjects`: by arm. `effects`: every outcome; `identity` first, the one that decides. `explained`:
    share of the identity outcome's variance that the adjustment takes away, None without one. `reason` is for people.
    """

    model_config = ConfigDict(frozen=True)

    state: State
    reason: str
    experiment: str = ""
    champion: str = ""
    challenger: str = ""
    started: datetime | None = None
    judged: datetime
    requests: dict[str, int] = {}
    subjects: dict[str, int] = {}
    effects: tuple[Effect, ...] = ()
    sample_ratio_p: float | None = None
    explained: float | None = None

    @property
    def final(self) -> bool:
        """Whether this ends the test."""
        return self.state not in ("none", "running")


def judge(params: Params, paths: Paths, *, now: datetime) -> AbVerdict:
    """Judge the running test by the log's rows up to `now`; the state is `none` if no test is running.

    Raises:
        ServiceUnavailable: MLflow or the log does not answer.
    """
    experiment = running_test(params, paths)
    if experiment is None:
        return AbVerdict(state="none", reason="no A/B test is on", judged=now)
    with closing(open_log(paths)) as log:
        before = log.window(experiment.started - _BEFORE, experiment.started)
        rows = log.window(experiment.started, now)
    return judge_rows(experiment, rows, before, params.ab, now=now)


def judge_rows(
    experiment: Experiment, rows: pd.DataFrame, before: pd.DataFrame, params: AbParams, *, now: datetime
) -> AbVerdict:
    """Judge rows of the log since the test began, with the adjustment fitted on those `before`.

    Rows of less than full strength are left out: they mix the model with the classical fill.
    """
    rows, before = restored_in_full(rows), restored_in_full(before)
    adjustment = fit_adjustment(before, identity_similarity(before), min_rows=params.covariates_from)
    test = select_trial(rows, experiment.champion, experiment.challenger, adjustment)
    effects = collect_evidence(test, params, days=(now - experiment.started).total_seconds() / _DAY_SECONDS)
    decision = decide(effects, params)
    return AbVerdict(
        state=decision.state,
        reason=decision.reason,
        experiment=experiment.id,
        champion=experiment.champion,
        challenger=experiment.challenger,
        started=experiment.started,
        judged=now,
        requests=test.requests,
        subjects=_by_arm(test),
        effects=(effects.identity, *effects.others),
        sample_ratio_p=effects.sample_ratio_p,
        explained=_explained(adjustment),
    )


def collect_evidence(test: Trial, params: AbParams, *, days: float) -> Evidence:
    """Measure every outcome's effect at its part of alpha, and the split of the subjects."""
    parts = params.alpha_split.model_dump()
    effects = {name: effect_of(test, name, params.alpha * parts[name], params.tuned_for) for name in OUTCOMES}
    arms = test.subjects["challenger"].to_numpy(bool)
    return Evidence(
        identity=effects["identity"],
        guard=effect_of(test, "identity", params.guard_alpha, guard_tuned_for(params)),
        others=tuple(effect for name, effect in effects.items() if name != "identity"),
        sample_ratio_p=sequential_p(arms, share=params.share, concentration=params.sample_ratio_prior),
        subjects=len(arms),
        crossed=test.crossed,
        requests=sum(test.requests.values()),
        days=days,
    )


def guard_tuned_for(params: AbParams) -> float:
    """Choose the number of subjects at which the guard-rail's interval is narrowest: few, to find harm early."""
    return 4.0 * params.guard_min_subjects


def effect_of(test: Trial, name: Name, alpha: float, tuned_for: float) -> Effect:
    """Measure one outcome's effect over the subjects in which it was measured."""
    measured = test.subjects[test.subjects[name].notna()]
    values = {arm: measured.loc[measured["challenger"] == arm, name].to_numpy(float) for arm in (False, True)}
    champion, challenger = moments(values[False]), moments(values[True])
    enough = min(len(values[False]), len(values[True])) >= 2  # a variance needs two
    interval = difference(champion, challenger, alpha=alpha, tuned_for=tuned_for) if enough else (None,) * 3
    effect, low, high = cast("tuple[float | None, float | None, float | None]", interval)
    return Effect(
        name=name,
        unit=OUTCOMES[name].unit,
        better=OUTCOMES[name].better,
        alpha=alpha,
        n_champion=len(values[False]),
        n_challenger=len(values[True]),
        mean_champion=float(champion.mean) if len(values[False]) else None,
        mean_challenger=float(challenger.mean) if len(values[True]) else None,
        effect=effect,
        low=low,
        high=high,
    )


def _by_arm(test: Trial) -> dict[str, int]:
    challenger = int(test.subjects["challenger"].sum())
    return {"champion": len(test.subjects) - challenger, "challenger": challenger}


def _explained(adjustment: Adjustment | None) -> float | None:
    return None if adjustment is None else round(adjustment.explained, 4)
