"""Test whether the arms got their share of subjects; valid under repeated checks.

Bayes factor of a multinomial against the intended shares with a Dirichlet prior around them: M. Lindon and A. Malek,
Anytime-valid inference for multinomial count data, NeurIPS 2022. Under the intended shares the factor is a martingale
that starts at 1, so by Ville's inequality it ever exceeds 1 / u with probability u at most; the sequential p-value is
1 over the largest factor so far.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln


def log_bayes_factor(
    challenger: npt.NDArray[np.int64], champion: npt.NDArray[np.int64], *, share: float, concentration: float
) -> npt.NDArray[np.float64]:
    """Compute the natural logarithm of the evidence against the split, by element, from counts of subjects.

    Args:
        challenger: subjects in its arm.
        champion: subjects in the other.
        share: the challenger's intended share, in (0, 1).
        concentration: of the prior Beta(concentration * share, concentration * (1 - share)); the larger, the smaller
            the deviations that it is made to find.
    """
    a, b = concentration * share, concentration * (1.0 - share)
    n = challenger + champion
    marginal = gammaln(a + challenger) + gammaln(b + champion) - gammaln(a + b + n)
    prior = gammaln(a) + gammaln(b) - gammaln(a + b)
    null = challenger * np.log(share) + champion * np.log1p(-share)
    return np.asarray(marginal - prior - null, np.float64)


def sequential_p(in_challenger: npt.NDArray[np.bool_], *, share: float, concentration: float) -> float:
    """Compute the split's p-value after subjects in this order; True = the challenger's arm. 1 for none."""
    if not len(in_challenger):
        return 1.0
    challenger = np.cumsum(in_challenger.astype(np.int64))
    champion = np.arange(1, len(in_challenger) + 1) - challenger
    factors = log_bayes_factor(challenger, champion, share=share, concentration=concentration)
    return float(np.exp(-max(0.0, factors.max())))
