"""A/B tests played out by the thousand, through the very rule that decides in production; for tests and figures."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitoring.ab.confidence import Interval, Moments, difference
from monitoring.ab.decision import Effect, Evidence, State, decide
from monitoring.ab.verdict import guard_tuned_for
from pipeline.config.ab import AbParams

Floats = npt.NDArray[np.float64]

EXPLAINED = 0.75
"""Share of the similarity's variance that the damage foretells, as measured on logged requests (docs/ab.md)."""


@dataclass(frozen=True)
class World:
    """Simulated traffic: how much better the challenger is, and how alike the requests of one subject are.

    `spread`: standard deviation of identity similarity between requests. `adjusted`: whether the damage's share of it
    is subtracted. `within`: correlation of one subject's requests; `per_subject`: how many it sends on average.
    """

    effect: float = 0.0
    requests: int = 2000
    batch: int = 50
    spread: float = 0.15
    adjusted: bool = True
    within: float = 0.5
    per_subject: float = 2.0


@dataclass(frozen=True)
class Runs:
    """How every run ended: its verdict, after how many requests, and whether an interval ever missed the truth."""

    state: list[State]
    requests: npt.NDArray[np.int64]
    missed: npt.NDArray[np.bool_]

    def share(self, state: State) -> float:
        """Share of the runs that ended so."""
        return self.state.count(state) / len(self.state)


def simulate(params: AbParams, world: World, runs: int, seed: int) -> Runs:
    """Play tests to their end, with a look after every batch of requests, through the real rule of decision."""
    rng = np.random.default_rng(seed)
    traffic = _Traffic(world, runs, params.share, rng)
    state: list[State] = ["running"] * runs
    ended = np.full(runs, world.requests)
    missed = np.zeros(runs, bool)
    for sent in range(world.batch, world.requests + 1, world.batch):
        arms = traffic.next_batch(rng)
        decisive = _interval(arms, params.alpha * params.alpha_split.identity, params.tuned_for)
        guard = _interval(arms, params.guard_alpha, guard_tuned_for(params))
        enough = np.minimum(arms[0].n, arms[1].n) >= params.min_subjects
        missed |= enough & ((decisive.low > world.effect) | (decisive.high < world.effect))
        for run in np.flatnonzero([s == "running" for s in state]):
            seen = _evidence(arms, decisive, guard, int(run), sent)
            if (found := decide(seen, params).state) != "running":
                state[run], ended[run] = found, sent
    return Runs(state, ended, missed)


class _Traffic:
    """Subjects with their means so far, in all runs at once: rows are runs, columns subjects."""

    def __init__(self, world: World, runs: int, share: float, rng: np.random.Generator) -> None:
        self._world, self._runs = world, runs
        self._most = int(world.requests / world.per_subject)
        self._challenger = rng.random((runs, self._most)) < share
        self._own = self._noise(rng, (runs, self._most)) * np.sqrt(world.within)
        self._count, self._sum = np.zeros((runs, self._most)), np.zeros((runs, self._most))
        self._sent = 0

    def next_batch(self, rng: np.random.Generator) -> tuple[Moments, Moments]:
        """Champion's and challenger's moments after another batch; new subjects send once, then anybody does."""
        world, shape = self._world, (self._runs, self._world.batch)
        before, known = (int(sent / world.per_subject) for sent in (self._sent, self._sent + world.batch))
        who = rng.integers(0, known, shape)
        who[:, : known - before] = np.arange(before, known)
        at = (np.arange(self._runs)[:, None], who)
        noise = self._own[at] + self._noise(rng, shape) * np.sqrt(1 - world.within)
        np.add.at(self._sum, at, noise + world.effect * self._challenger[at])
        np.add.at(self._count, at, 1)
        self._sent += world.batch
        return self._moments(~self._challenger), self._moments(self._challenger)

    def _moments(self, arm: npt.NDArray[np.bool_]) -> Moments:
        seen = arm & (self._count > 0)
        values = np.where(seen, self._sum / np.maximum(self._count, 1), 0.0)
        n = seen.sum(axis=1)
        mean = values.sum(axis=1) / np.maximum(n, 1)
        squares = np.where(seen, (values - mean[:, None]) ** 2, 0.0).sum(axis=1)
        return Moments(n.astype(float), mean, squares / np.maximum(n - 1, 1))

    def _noise(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Similarity around its mean: a long tail towards low values, as faces that come out as somebody else."""
        left = 1 - EXPLAINED if self._world.adjusted else 1.0
        return np.asarray(-(rng.gamma(2.0, 1.0, shape) - 2.0) / np.sqrt(2.0) * self._world.spread * np.sqrt(left))


def _interval(arms: tuple[Moments, Moments], alpha: float, tuned_for: float) -> Interval:
    with np.errstate(divide="ignore", invalid="ignore"):  # arms that nobody is in yet: nothing is decided on them
        return difference(*arms, alpha=alpha, tuned_for=tuned_for)


def _evidence(arms: tuple[Moments, Moments], decisive: Interval, guard: Interval, run: int, sent: int) -> Evidence:
    identity, harm = (_effect(arms, interval, run) for interval in (decisive, guard))
    return Evidence(identity, harm, (), 1.0, 0, 0, sent, 0.0)


def _effect(arms: tuple[Moments, Moments], interval: Interval, run: int) -> Effect:
    effect, low, high = (float(np.asarray(end)[run]) for end in interval)
    champion, challenger = (int(np.asarray(arm.n)[run]) for arm in arms)
    return Effect(
        name="identity", unit="cosine", better="higher", alpha=0.0, n_champion=champion, n_challenger=challenger,
        mean_champion=None, mean_challenger=None, effect=effect, low=low, high=high,
    )  # fmt: skip
