"""From a distribution by mean and coefficient of variation to the parameters that `draws.sample` wants."""

from __future__ import annotations

import math

from flowsim.model import draws
from flowsim.model.document import Distribution


def weibull_shape(cv: float) -> float:
    """Shape of a Weibull distribution with this coefficient of variation, by bisection.

    cv**2 = gamma(1 + 2/k) / gamma(1 + 1/k)**2 - 1 falls in k (Johnson, Kotz and Balakrishnan, vol. 1, 1994, p. 632).
    """
    low, high = 0.05, 200.0
    for _ in range(200):
        k = math.sqrt(low * high)
        excess = math.lgamma(1 + 2 / k) - 2 * math.lgamma(1 + 1 / k)
        low, high = (k, high) if math.expm1(excess) > cv * cv else (low, k)
    return math.sqrt(low * high)


def parameters(distribution: Distribution) -> tuple[int, float, float, float]:
    """(family, a, b, mean) of a distribution that is not empirical, as `draws.sample` wants them."""
    mean, cv = distribution.mean or 0.0, distribution.cv or 0.0
    match distribution.distribution:
        case "exponential":
            return draws.EXPONENTIAL, mean, 0.0, mean
        case "deterministic":
            return draws.DETERMINISTIC, mean, 0.0, mean
        case "gamma":
            return draws.GAMMA, 1.0 / cv**2, mean * cv**2, mean
        case "lognormal":
            variance = math.log1p(cv * cv)
            return draws.LOGNORMAL, math.log(mean) - variance / 2, math.sqrt(variance), mean
        case "weibull":
            shape = weibull_shape(cv)
            return draws.WEIBULL, mean / math.gamma(1 + 1 / shape), 1.0 / shape, mean
        case _:
            if distribution.low is not None and distribution.high is not None:
                low, width = distribution.low, distribution.high - distribution.low
            else:
                width = mean * cv * math.sqrt(12.0)
                low = mean - width / 2
            return draws.UNIFORM, max(low, 0.0), width, low + width / 2
