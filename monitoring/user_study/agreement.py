"""How far raters agree beyond chance: Krippendorff's alpha for nominal values.

Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C. Raters may be many and values missing:
alpha = 1 - (n - 1) * sum_{c<k} o_ck / sum_{c<k} n_c n_k, with the coincidences o_ck of the values given to one unit,
each unit's pairs weighted by 1 / (m_u - 1), m_u values in the unit, and n_c the coincidences' margins.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence


def alpha(units: Iterable[Sequence[Hashable]]) -> float | None:
    """Alpha: 1 = full agreement, 0 = as by chance, below 0 = less than that.

    Args:
        units: for each thing that was judged, the values that it was given, one per rater.

    Returns:
        None where no unit has two values, or where all values are the same (then there is no chance to beat).
    """
    judged = [Counter(unit) for unit in units if len(unit) > 1]
    margins: Counter[Hashable] = Counter()
    agreed = 0.0
    for unit in judged:
        margins.update(unit)
        agreed += sum(count * (count - 1) for count in unit.values()) / (unit.total() - 1)
    n = margins.total()
    by_chance = n * n - sum(count * count for count in margins.values())
    return None if by_chance == 0 else 1.0 - (n - 1) * (n - agreed) / by_chance
