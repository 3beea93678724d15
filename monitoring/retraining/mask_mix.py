"""Move the mask mix of a cycle that drift started towards the masks of production."""

from typing import Any

import numpy as np
import pandas as pd

from pipeline.config.masks import MaskParams


def mask_mix_overrides(log: pd.DataFrame, masks: MaskParams, weight: float, champion: str) -> dict[str, Any]:
    """Compute changes to params.yaml for the next cycle, as dotted key -> value.

    Args:
        log: rows of the window.
        masks: what training drew so far.
        weight: 0 keeps the mix, 1 takes over the traffic's.
        champion: version that the cycle starts from.

    Returns:
        `champion.version`; `masks.training.bucket_weights` where rows had holes; `masks.training.kind_weights`
        where kinds were known. Weights average 1, rounded to four places.
    """
    changes: dict[str, Any] = {"champion.version": champion}
    buckets = bucket_shares(log, masks.buckets)
    if buckets is not None:
        changes["masks.training.bucket_weights"] = _move(list(masks.training.bucket_weights), buckets, weight)
    current = {**masks.kinds, **masks.training.kind_weights}
    active = [kind for kind, value in current.items() if value > 0]  # what is switched off stays off
    kinds = kind_shares(log, [str(kind) for kind in active])
    if kinds is not None:
        moved = _move([current[kind] for kind in active], kinds, weight)
        changes["masks.training.kind_weights"] = dict(zip(active, moved, strict=True))
    return changes


def bucket_shares(log: pd.DataFrame, edges: tuple[float, ...]) -> list[float] | None:
    """Compute the share of rows in each coverage bucket, the last one open-ended; None without holes."""
    covered = log.loc[log["area"] > 0, "coverage"].dropna().clip(edges[0], edges[-1])
    if covered.empty:
        return None
    counts, _ = np.histogram(covered, bins=np.asarray(edges))
    return [float(count) for count in counts / counts.sum()]


def kind_shares(log: pd.DataFrame, kinds: list[str]) -> list[float] | None:
    """Compute the share of each of `kinds` among the rows of one of them; None if there is no such row."""
    counts = log["kind"].value_counts().reindex(kinds, fill_value=0)
    total = int(counts.sum())
    return [float(count) / total for count in counts] if total else None


def _move(weights: list[float], shares: list[float], weight: float) -> list[float]:
    """Move `weights`, as shares, towards `shares`; scaled to average 1."""
    n, total = len(weights), sum(weights)
    return [round(n * ((1 - weight) * w / total + weight * s), 4) for w, s in zip(weights, shares, strict=True)]
