"""What restoring costs, and what checking that it is still the same person costs on top."""

import pandas as pd
from pydantic import BaseModel, ConfigDict

_PER_HOUR = 3600.0
_PER_MILLE = 1000


class Costs(BaseModel):
    """CPU seconds and money of a window; money in the currency of `alerts.price_per_cpu_hour`.

    A verification is the identity figures of one request. `restoration_seconds` is the mean of all other CPU time over
    the restored photos: what refused ones took is in it. Means are None where there was none.
    """

    model_config = ConfigDict(frozen=True)

    requests: int
    restored: int
    verified: int
    cpu_seconds: float
    verification_cpu_seconds: float
    restoration_seconds: float | None
    verification_seconds: float | None
    money: float
    per_1000_restorations: float | None
    per_1000_verifications: float | None


def costs(rows: pd.DataFrame, price_per_cpu_hour: float) -> Costs:
    """Costs of rows of the log: of `mode`, `cpu_seconds` and, contained in them, `verification_cpu_seconds`."""
    price = price_per_cpu_hour / _PER_HOUR
    restored = int((~rows["mode"].isin(["refuse", "unchanged"])).sum())
    verified = int((rows["verification_cpu_seconds"] > 0).sum())
    total, verification = float(rows["cpu_seconds"].sum()), float(rows["verification_cpu_seconds"].sum())
    restoration_seconds = (total - verification) / restored if restored else None
    verification_seconds = verification / verified if verified else None
    return Costs(
        requests=len(rows),
        restored=restored,
        verified=verified,
        cpu_seconds=total,
        verification_cpu_seconds=verification,
        restoration_seconds=restoration_seconds,
        verification_seconds=verification_seconds,
        money=total * price,
        per_1000_restorations=_per_1000(restoration_seconds, price),
        per_1000_verifications=_per_1000(verification_seconds, price),
    )


def _per_1000(seconds: float | None, price: float) -> float | None:
    return None if seconds is None else seconds * price * _PER_MILLE
