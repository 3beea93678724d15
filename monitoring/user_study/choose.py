"""Whose portraits a study shows: one damaged portrait each, spread evenly over the coverage buckets."""

import numpy as np
import pandas as pd


def choose(cases: pd.DataFrame, count: int, seed: int) -> list[int]:
    """Row numbers of the chosen cases, at most `count`, nobody twice.

    Buckets take turns; each takes somebody new, drawn by seed. A bucket without anybody new is passed over.

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
