"""From a distribution by mean and coefficient of variation to the parameters that `draws.sample` wants."""

from __future__ import annotations

from typing import Any

import numpy as np

from flowsim.model import draws
from flowsim.model.document import Distribution


def weibull_shape(cv: Any) -> Any:
    """Shape of a Weibull distribution with this coefficient of variation, by bisection; an array gives an array.

    cv**2 = gamma(1 + 2/k) / gamma(1 + 1/k)**2 - 1 falls in k (Johnson, Kotz and Balakrishnan, vol. 1, 1994, p. 632).
    """
    from scipy.special import gammaln

    low, high = np.full(np.shape(cv), 0.05), np.full(np.shape(cv), 200.0)
    for _ in range(56):  # of the factor 4000 between the ends nothing is left that a float64 could tell
        k = np.sqrt(low * high)
        above = np.expm1(gammaln(1 + 2 / k) - 2 * gammaln(1 + 1 / k)) > cv * cv
        low, high = np.where(above, k, low), np.where(above, high, k)
    return np.sqrt(low * high)[()]


def parameters(distribution: Distribution) -> tuple[int, Any, Any, Any]:
    """(family, a, b, mean) of a distribution that is not empirical, as `draws.sample` wants them.

    Where the distribution was constructed with arrays for mean and cv, so are the parameters.
    """
    mean: Any = 0.0 if distribution.mean is None else distribution.mean
    cv: Any = 0.0 if distribution.cv is None else distribution.cv
    match distribution.distribution:
        case "exponential":
            return draws.EXPONENTIAL, mean, 0.0, mean
        case "deterministic":
            return draws.DETERMINISTIC, mean, 0.0, mean
        case "gamma":
            return draws.GAMMA, 1.0 / cv**2, mean * cv**2, mean
        case "lognormal":
            variance = np.log1p(cv * cv)
            return draws.LOGNORMAL, np.log(mean) - variance / 2, np.sqrt(variance), mean
        case "weibull":
            from scipy.special import gamma

            shape = weibull_shape(cv)
            return draws.WEIBULL, mean / gamma(1 + 1 / shape), 1.0 / shape, mean
        case _:
            if distribution.low is not None and distribution.high is not None:
                low, width = distribution.low, distribution.high - distribution.low
            else:
                width = mean * cv * np.sqrt(12.0)
                low = mean - width / 2
            return draws.UNIFORM, max(low, 0.0), width, low + width / 2
