"""ID-FID: do the restored faces, taken together, cover the same identities as the intact ones?

The Frechet distance of Heusel et al. (2017, arXiv:1706.08500) with embeddings of the independent identity encoder
in place of Inception features. It is biased upwards in small samples, so it stands beside a noise floor.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from torch import Tensor

from models.metrics.image_quality import frechet_distance
from models.metrics.names import ID_FID
from pipeline.evaluation.results import Buckets, Figure, Metrics
from pipeline.evaluation.scoring import Targets

FLOOR = "split_half"

_SPLITS = 10


def id_fids(restored: Mapping[str, Tensor], targets: Targets, seed: int) -> dict[str, float | None]:
    """Compute ID-FID of every method against the intact portraits, and the floor under the name `split_half`.

    Args:
        restored: embeddings (N, dim) of the independent encoder by method.
        targets: embeddings of the intact portraits.
        seed: of the splits.

    Returns:
        None where there are fewer than two pictures on a side.
    """
    intact = targets.embeddings["independent"].numpy()
    measured = {name: _distance(embeddings.numpy(), intact) for name, embeddings in restored.items()}
    return measured | {FLOOR: split_half(intact, targets.identities, seed)}


def split_half(embeddings: npt.NDArray[np.float32], identities: Sequence[str], seed: int) -> float | None:
    """Average the distance between two halves of the intact set that share no identity.

    Each half has half the portraits, so its small-sample bias is about twice that of the methods' figures: the floor
    says how much distance mere sampling can make, it is not to be subtracted.
    """
    rng = np.random.default_rng(seed)
    names, codes = np.unique(np.asarray(identities), return_inverse=True)
    distances = []
    for _ in range(_SPLITS):
        first = np.isin(codes, rng.permutation(len(names))[: len(names) // 2])
        distances.append(_distance(embeddings[first], embeddings[~first]))
    measured = [distance for distance in distances if distance is not None]
    return float(np.mean(measured)) if measured else None


def with_id_fid(tables: Mapping[str, Buckets], fids: Mapping[str, float | None]) -> dict[str, Buckets]:
    """Add ID-FID to the tables as one more metric of bucket `all`; it has no interval."""
    return {method: buckets | {"all": _added(buckets["all"], fids[method])} for method, buckets in tables.items()}


def _added(metrics: Metrics, value: float | None) -> Metrics:
    count = next(iter(metrics.values())).n
    return metrics | {ID_FID: Figure(value=value, low=None, high=None, n=count)}


def _distance(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float | None:
    return frechet_distance(a, b) if min(len(a), len(b)) >= 2 else None
