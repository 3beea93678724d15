"""Rows of the log during a test, as a table with the columns that `ProductionLog.window` gives."""

from typing import Any

import numpy as np
import pandas as pd

from tests.monitoring.traffic import traffic


def log_rows(n: int, seed: int, **columns: Any) -> pd.DataFrame:
    """n requests of unshifted traffic without feedback, served by version 1 as champion; `columns` replace its own."""
    table = traffic(n, seed, version="1").assign(sequence=np.arange(1, n + 1))
    table["feedback_recognised"] = pd.array([pd.NA] * n, dtype="boolean")
    table["feedback_preferred"] = ""
    return table.assign(**columns)


def ab_rows(n: int, seed: int, effect: float = 0.0) -> pd.DataFrame:
    """The same with a coin's half of the requests served by version 2, whose similarity is higher by `effect`."""
    challenger = np.random.default_rng([seed, 1]).random(n) < 0.5
    table = log_rows(n, seed)
    table["arm"] = np.where(challenger, "challenger", "champion")
    table["model_version"] = np.where(challenger, "2", "1")
    table["similarity_independent"] += effect * challenger - 0.1  # room for more
    return table
