"""Types of a drift report: per column, of the identities, and overall."""

from typing import NamedTuple

import pandas as pd
from pydantic import BaseModel, ConfigDict

from monitoring.drift.column_tests import Type
from monitoring.drift.columns import MISSING, Group
from monitoring.drift.identity_distance import IdentityDrift
from pipeline.config.watch import WatchParams


class ColumnDrift(BaseModel):
    """What the tests say of one column.

    `p_adjusted`: p after Holm's correction over all columns; the column drifted when that is at most `watch.alpha` and
    the effect is at least the floor of its method.
    """

    model_config = ConfigDict(frozen=True)

    group: Group
    test: str
    p: float
    p_adjusted: float
    effect_method: str
    effect: float
    floor: float
    drifted: bool


def least_effect(column: str, method: str, watch: WatchParams) -> float:
    """Give the effect from which a column counts as drifted."""
    floor: float = getattr(watch.min_effect, "missing" if column in MISSING else method)
    return floor


class Drift(BaseModel):
    """Drift of a window against the baseline; `share` is over the columns that could be judged.

    `page`: of its report, below the address of Evidently's pages; "" if none was written.
    """

    model_config = ConfigDict(frozen=True)

    columns: dict[str, ColumnDrift]
    skipped: dict[str, str]
    share: float
    identity: IdentityDrift | None
    page: str = ""

    def drifted(self, group: Group) -> tuple[str, ...]:
        """List the columns of a group that drifted, the strongest evidence first."""
        p_values = {name: c.p for name, c in self.columns.items() if c.group == group and c.drifted}
        return tuple(sorted(p_values, key=lambda name: p_values[name]))


class Frames(NamedTuple):
    """Both sides with the judged columns only, and the type that each is tested as."""

    current: pd.DataFrame
    reference: pd.DataFrame
    types: dict[str, Type]
    skipped: dict[str, str]
