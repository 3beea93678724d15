"""Plan which rater gets which questions: pure functions of the study and the rater's number.

Questions run over people, pairs and methods like a Latin square: rater after rater takes the next people in a seeded
order, and each round over all people moves everyone to the next pair. After `people x pairs` questions every pair was
shown once for everyone; the next time its sides are swapped. Practice comes first in each block and never counts.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.errors import DataError
from monitoring.user_study.schema import INTACT, OTHER, PLANTED, Purpose, Question, Study, Trial

MIN_PEOPLE = 4
"""With fewer people, one could not be kept from appearing twice in a row."""


def method_pairs(methods: Sequence[str]) -> list[tuple[str, str]]:
    """List every two methods, each pair once."""
    return list(combinations(methods, 2))


def question_sheet(study: Study, number: int) -> tuple[Trial, ...]:
    """List all questions of the rater with this number (0, 1, ...), in order; the same at every call.

    Raises:
        DataError: fewer than four people or two methods.
    """
    if len(study.people) < MIN_PEOPLE or len(study.methods) < 2:
        got = f"{len(study.people)} people and {len(study.methods)} methods"
        raise DataError(f"at least {MIN_PEOPLE} people and 2 methods", got, "give the study more of them")
    rng = np.random.default_rng([study.params.seed, number])
    same, invented = question_counts(study)
    checks = study.params.checks
    first = _block(study, "same", _same(study, number, same), checks - checks // 2, rng)
    after = first[-1].person if first else -1
    return first + _block(study, "invented", _invented(study, number, invented), checks // 2, rng, after)


def question_counts(study: Study) -> tuple[int, int]:
    """Compute the questions per rater: how many about the same person, how many about what looks invented."""
    invented = round(study.params.trials * study.params.invented_share)
    return study.params.trials - invented, invented


def space_out(trials: Sequence[Trial], rng: np.random.Generator) -> list[Trial]:
    """Shuffle the trials so that no person appears twice in a row, as far as that is possible."""
    left = [trials[i] for i in rng.permutation(len(trials))]
    ordered: list[Trial] = []
    after = -1
    while left:
        number = Counter(trial.person for trial in left)
        allowed = [trial for trial in left if trial.person != after] or left
        crowd = max(allowed, key=lambda trial: number[trial.person])
        # who makes up half of what is left must come now, or would have to follow themselves in the end
        chosen = crowd if 2 * number[crowd.person] > len(left) else allowed[0]
        left.remove(chosen)
        ordered.append(chosen)
        after = chosen.person
    return ordered


def _block(
    study: Study, question: Question, trials: list[Trial], checks: int, rng: np.random.Generator, after: int = -1
) -> tuple[Trial, ...]:
    """Build a block: practice, then questions and checks mixed; nothing if there are no questions."""
    if not trials:
        return ()
    known = [_known(question, person, "check", rng) for person in _rarest(study, trials, checks, rng)]
    ordered = space_out([*trials, *known], rng)
    free = [person for person in range(len(study.people)) if person not in {after, ordered[0].person}]
    return (_known(question, int(rng.choice(free)), "practice", rng), *ordered)


def _same(study: Study, number: int, count: int) -> list[Trial]:
    order, all_pairs, people = _order(study, 0), method_pairs(study.methods), len(study.people)
    coins = np.random.default_rng([study.params.seed, 1, 0]).integers(0, 2, (people, len(all_pairs)))
    trials = []
    for turn in range(number * count, (number + 1) * count):
        round_, place = divmod(turn, people)
        index = (place + round_) % len(all_pairs)
        swapped = (coins[place, index] + round_ // len(all_pairs)) % 2
        left, right = all_pairs[index][::-1] if swapped else all_pairs[index]
        trials.append(Trial(question="same", purpose="question", person=int(order[place]), left=left, right=right))
    return trials


def _invented(study: Study, number: int, count: int) -> list[Trial]:
    order, people = _order(study, 1), len(study.people)
    shown = list(dict.fromkeys([*study.methods, INTACT]))
    trials = []
    for turn in range(number * count, (number + 1) * count):
        round_, place = divmod(turn, people)
        method = shown[(place + round_) % len(shown)]
        trials.append(Trial(question="invented", purpose="question", person=int(order[place]), left=method))
    return trials


def _order(study: Study, block: int) -> npt.NDArray[np.int64]:
    """List people in the seeded order of a block."""
    return np.random.default_rng([study.params.seed, 0, block]).permutation(len(study.people))


def _rarest(study: Study, trials: Sequence[Trial], count: int, rng: np.random.Generator) -> list[int]:
    """Choose people for checks, those first who appear least among the trials."""
    appearances, order = Counter(trial.person for trial in trials), rng.permutation(len(study.people)).tolist()
    chosen: list[int] = []
    for _ in range(count):
        chosen.append(min(order, key=lambda person: appearances[person]))
        appearances[chosen[-1]] += 1
    return chosen


def _known(question: Question, person: int, purpose: Purpose, rng: np.random.Generator) -> Trial:
    """Build a trial whose answer is known."""
    if question == "invented":
        return Trial(question=question, purpose=purpose, person=person, left=PLANTED)
    left, right = (INTACT, OTHER) if rng.integers(2) else (OTHER, INTACT)
    return Trial(question=question, purpose=purpose, person=person, left=left, right=right)


def choose_cases(cases: pd.DataFrame, count: int, seed: int) -> list[int]:
    """Choose row numbers of cases, at most `count`, no person twice.

    Buckets take turns; each takes a new person, drawn by seed. A bucket without a new person is skipped.

    Args:
        cases: columns `identity` and `bucket`, one row per case.
        count: people wanted.
        seed: of the draw.
    """
    shuffled = np.random.default_rng(seed).permutation(len(cases))
    identity, bucket = cases["identity"].to_numpy(str), cases["bucket"].to_numpy(str)
    waiting = {name: [int(i) for i in shuffled if bucket[i] == name] for name in sorted(set(bucket))}
    chosen: list[int] = []
    while len(chosen) < count:
        before = len(chosen)
        for rows in waiting.values():
            taken = {identity[i] for i in chosen}
            fresh = next((i for i in rows if identity[i] not in taken), None)
            if fresh is not None and len(chosen) < count:
                rows.remove(fresh)
                chosen.append(fresh)
        if len(chosen) == before:
            break
    return chosen
