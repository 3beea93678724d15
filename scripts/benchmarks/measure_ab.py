"""Figures of the A/B test by simulation: `python -m scripts.benchmarks.measure_ab`; seeded, for docs/ab.md.

Prints false wins and other verdicts where both arms are the same (A/A), coverage, power and stopping time by effect,
how fast harm is stopped, the split of 100,000 subjects, and how often a right split is called wrong.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import beta, binom

from monitoring.ab.assignment import arm_of
from monitoring.ab.decision import State
from monitoring.ab.sample_ratio import log_bayes_factor
from pipeline.config.ab import AbParams
from pipeline.config.load import load_params
from scripts.benchmarks.ab_simulation import Runs, World, simulate

ALONE = World(per_subject=1.0, within=0.0)
"""Every subject sends one request."""


def binomial_interval(hits: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Clopper-Pearson interval of a share."""
    tail = (1 - level) / 2
    low = beta.ppf(tail, hits, n - hits + 1) if hits else 0.0
    high = beta.ppf(1 - tail, hits + 1, n - hits) if hits < n else 1.0
    return float(low), float(high)


def split(subjects: int, share: float, experiment: str) -> tuple[int, int, int]:
    """Subjects that the hash gives the challenger, and the ends of the binomial's 99 % interval."""
    got = sum(arm_of(f"subject-{number}", experiment, share) == "challenger" for number in range(subjects))
    low, high = binom.interval(0.99, subjects, share)
    return got, int(low), int(high)


def sample_ratio_alarms(params: AbParams, actual: float, subjects: int, runs: int, seed: int) -> tuple[float, float]:
    """Share of runs in which the split is ever called wrong, and the median number of subjects until then."""
    arms = np.random.default_rng(seed).random((runs, subjects)) < actual
    challenger = np.cumsum(arms, axis=1, dtype=np.int64)
    champion = np.arange(1, subjects + 1) - challenger
    factors = log_bayes_factor(challenger, champion, share=params.share, concentration=params.sample_ratio_prior)
    over = factors >= -np.log(params.sample_ratio_alpha)
    found = over.any(axis=1)
    return float(found.mean()), float(np.median(over.argmax(axis=1)[found] + 1)) if found.any() else float("nan")


def needed(params: AbParams, world: World, *, of: float = 0.9, runs: int = 300, seed: int = 0) -> int | None:
    """Requests after which a share `of` of the tests between equals has been won."""
    done = simulate(params, world, runs, seed)
    won = np.sort(done.requests[[state == "win" for state in done.state]])
    place = int(np.ceil(of * runs)) - 1
    return int(won[place]) if len(won) > place else None


def main() -> None:
    """Print every figure of docs/ab.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261123)
    arguments = parser.parse_args()
    params = load_params(Path("params.yaml")).ab
    win, few = params.model_copy(update={"promote_on": "win"}), arguments.runs // 4
    _show_same(win, arguments.runs, arguments.seed)
    long = World(requests=10_000, batch=100)
    better, equal = (0.01, 0.02, 0.03, 0.05), (-0.05, -0.02, -0.01, 0.0, 0.01)
    _show_power("promote_on: win", win, [replace(long, effect=e) for e in better], few, arguments.seed)
    _show_power("promote_on: not-worse", params, [replace(long, effect=e) for e in equal], few, arguments.seed)
    harm = [replace(ALONE, requests=1000, batch=5, effect=e) for e in (-0.05, -0.1, -0.2, -0.4)]
    _show_power("harm", params, harm, few, arguments.seed)
    _show_needed(params, arguments.seed)
    _show_split(params, arguments.runs, arguments.seed)


def _show_same(params: AbParams, runs: int, seed: int) -> None:
    worlds = {"adjusted": World(), "not adjusted": World(adjusted=False), "one request each": ALONE}
    print(f"A/A, {runs} runs of {World().requests} requests, a look every {World().batch}, promote_on: win")
    for name, world in worlds.items():
        done = simulate(params, world, runs, seed)
        wins, missed = done.state.count("win"), int(done.missed.sum())
        low, high = binomial_interval(wins, runs)
        print(f"  {name:<17} false wins {wins / runs:.3f} [{low:.3f}, {high:.3f}], {_endings(done)}")
        print(f"  {'':<17} interval ever wrong {missed / runs:.3f}")


def _show_power(title: str, params: AbParams, worlds: Sequence[World], runs: int, seed: int) -> None:
    print(f"{title}, at most {worlds[0].requests} requests, a look every {worlds[0].batch}, {runs} runs each")
    for world in worlds:
        done = simulate(params, world, runs, seed)
        mean, late = done.requests.mean(), np.quantile(done.requests, 0.9)
        print(f"  effect {world.effect:+.3f}: win {done.share('win'):.3f}, {_endings(done)}; "
              f"requests to the end: mean {mean:.0f}, 90 % by {late:.0f}")  # fmt: skip


def _endings(done: Runs) -> str:
    states: tuple[State, ...] = ("loss", "guard-rail", "futility", "running")
    return ", ".join(f"{state} {done.share(state):.3f}" for state in states)


def _show_needed(params: AbParams, seed: int) -> None:
    print("requests with a known original until 90 % of the tests between equals are won, promote_on: not-worse")
    for margin in (0.02, 0.03, 0.05, 0.1):
        chosen = {"margin": margin, "guard_rail": margin, "tuned_for": round(0.25 / margin**2)}
        count = needed(params.model_copy(update=chosen), replace(ALONE, requests=3000, batch=20), seed=seed)
        print(f"  margin {margin:g}, tuned_for {chosen['tuned_for']}: {count}")


def _show_split(params: AbParams, runs: int, seed: int) -> None:
    for share in (params.share, 0.1):
        got, low, high = split(100_000, share, "1-vs-2")
        print(f"split at {share:g}: {got} of 100000, 99 % interval {low}..{high}")
    for more in (0.0, 0.02, 0.05, 0.1):
        rate, median = sample_ratio_alarms(params, params.share + more, 10_000, runs, seed)
        print(f"sample ratio, actual share {params.share + more:g}: called wrong in {rate:.4f} of {runs} runs of 10000 "
              f"subjects, median after {median:.0f}")  # fmt: skip


if __name__ == "__main__":
    main()
