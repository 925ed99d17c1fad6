"""Lengths of time for `naive`, by Python's own `random`: nothing of flowsim in here either."""

from __future__ import annotations

import math
import random
from typing import Any


def weibull_shape(cv: float) -> float:
    """The shape whose coefficient of variation is ``cv``, by halving."""
    low, high = 0.1, 100.0
    while high - low > 1e-12:
        shape = (low + high) / 2
        if math.gamma(1 + 2 / shape) / math.gamma(1 + 1 / shape) ** 2 - 1 > cv**2:
            low = shape
        else:
            high = shape
    return low


def length(rng: random.Random, given: dict[str, Any]) -> float:
    """One length of time."""
    family, mean, cv = given["distribution"], given.get("mean"), given.get("cv")
    if family == "exponential":
        return rng.expovariate(1 / mean)
    if family == "deterministic":
        return float(mean)
    if family == "gamma":
        return rng.gammavariate(1 / cv**2, mean * cv**2)
    if family == "lognormal":
        spread = math.sqrt(math.log(1 + cv**2))
        return rng.lognormvariate(math.log(mean) - spread**2 / 2, spread)
    if family == "weibull":
        shape = weibull_shape(cv)
        return rng.weibullvariate(mean / math.gamma(1 + 1 / shape), shape)
    if family == "uniform" and mean is None:
        return rng.uniform(given["low"], given["high"])
    if family == "uniform":
        half = mean * cv * math.sqrt(3)
        return rng.uniform(mean - half, mean + half)
    return float(rng.choice(given["values"]))


def mean_length(given: dict[str, Any]) -> float:
    if given["distribution"] == "empirical":
        return float(sum(given["values"])) / len(given["values"])
    return float(given["mean"]) if "mean" in given else (given["low"] + given["high"]) / 2


def length_beyond(rng: random.Random, given: dict[str, Any], age: float) -> float:
    """One length, given that it is longer than ``age``: by trying."""
    return next((x for x in (length(rng, given) for _ in range(10_000)) if x > age), age)


def rest(rng: random.Random, given: dict[str, Any]) -> float:
    """What is left of a service at a random moment: services one after another, looked at long after the first."""
    moment = rng.uniform(50, 100) * mean_length(given)
    ends = 0.0
    while ends <= moment:
        ends += length(rng, given)
    return ends - moment
