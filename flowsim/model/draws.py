"""Random numbers that have an address instead of an order.

A draw is a pure function of (seed, replication, resident, loop, station, purpose): nobody holds a generator, so it does
not matter who asks first, and the same resident meets the same luck in every scenario (common random numbers). A
resident's *loop* counts how often the way went back to an earlier station, so a way that skips a station leaves the
luck at all later stations as it was.

The words are those of SplitMix64 [1]_: word ``n`` of a resident is output ``n`` of that generator seeded with the
resident's key, and the keys are such words themselves. ``docs/generator.md`` holds the evidence for the choice: known
answers, a statistical battery on streams interleaved over residents and replications, the cost beside Philox.

Exponential and normal variates use the ziggurat of Marsaglia and Tsang [2]_ with 256 layers. A rejected word is hashed
again, so that no draw takes a word of another address. All functions here are compiled, and both engines call these
very functions: an array twin of them would differ in the last bit.

.. [1] G. L. Steele, D. Lea and C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, p. 459;
   finaliser "Mix13" of D. Stafford.
.. [2] G. Marsaglia and W. W. Tsang, "The ziggurat method for generating random variables", J. Stat. Soft. 5(8), 2000;
   layers as in J. A. Doornik, "An improved ziggurat method to generate normal random samples", 2005, table 1.
.. [3] G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", ACM TOMS 26(3), 2000, p. 363.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from flowsim.model.compiling import compiled, inlined

# What a draw is for: the last part of its address. Clocks that run while waiting follow from PURPOSE_CLOCK on.
PURPOSE_SERVICE: Final = 0
PURPOSE_ROUTE: Final = 1
PURPOSE_POOL: Final = 2
PURPOSE_SECOND_LIST: Final = 3
PURPOSE_GAP: Final = 4
PURPOSE_AGE: Final = 5
PURPOSE_CLASS: Final = 6
PURPOSE_TICKET: Final = 7
PURPOSE_RENEGE_ROUTE: Final = 8
PURPOSE_REVIEW_ROUTE: Final = 9
PURPOSE_BALK_ROUTE: Final = 10
PURPOSE_CLOCK: Final = 16
PURPOSES: Final = 32
MAX_CLOCKS: Final = PURPOSES - PURPOSE_CLOCK
MAX_STATIONS: Final = 1024

# Families of distributions; what (a, b) stand for is said in `sample`.
EXPONENTIAL: Final = 0
DETERMINISTIC: Final = 1
GAMMA: Final = 2
LOGNORMAL: Final = 3
WEIBULL: Final = 4
UNIFORM: Final = 5
EMPIRICAL: Final = 6

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_ASIDE: Final = np.uint64(0xD1342543DE82EF95)  # a second way on from a word, for draws that need two
_LAYER: Final = np.uint64(255)
_SIGN: Final = np.uint64(256)
_ONE: Final = np.uint64(1)
_ZERO: Final = np.uint64(0)

_EXP_R: Final = 7.69711747013104972  # right edge of the base layer, and area of each layer [2]
_EXP_V: Final = 0.0039496598225815571993
_NORMAL_R: Final = 3.6541528853610088
_NORMAL_V: Final = 0.00492867323399


def _layers(edge: float, area: float, density: Any, inverse: Any) -> tuple[np.ndarray, np.ndarray]:
    """Edges and heights of 256 layers of equal area under ``density``: arrays of length 257."""
    x = [area / density(edge), edge]
    while len(x) < 256:
        x.append(inverse(density(x[-1]) + area / x[-1]))
    x.append(0.0)
    return np.array(x), np.array([density(value) for value in x])


_EXP_X, _EXP_Y = _layers(_EXP_R, _EXP_V, lambda x: math.exp(-x), lambda y: -math.log(y))
_NORMAL_X, _NORMAL_Y = _layers(
    _NORMAL_R, _NORMAL_V, lambda x: math.exp(-0.5 * x * x), lambda y: math.sqrt(-2.0 * math.log(y))
)


@inlined
def mix(z: Any) -> Any:
    """SplitMix64's output function [1]_: a bijection of 64-bit words."""
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))


@inlined
def output(state: Any, n: Any) -> Any:
    """Output ``n`` (from 0) of SplitMix64 seeded with ``state``, without the outputs before it."""
    return mix(np.uint64(state) + _GOLDEN * (np.uint64(n) + _ONE))


@compiled
def replication_key(seed: Any, replication: Any) -> Any:
    """Key of one replication; ``seed`` and ``replication`` are whole numbers below 2**63."""
    return output(output(_ZERO, seed), replication)


@inlined
def resident_key(key: Any, resident: Any) -> Any:
    """Key of one resident in the replication with this key."""
    return output(key, resident)


@inlined
def word(key: Any, loop: Any, station: Any, purpose: Any) -> Any:
    """The 64 random bits at an address; ``key`` is the resident's."""
    place = (np.uint64(loop) * np.uint64(MAX_STATIONS) + np.uint64(station)) * np.uint64(PURPOSES) + np.uint64(purpose)
    return output(key, place)


@inlined
def tick(bits: Any, n: Any) -> Any:
    """Word ``n`` of a clock that rings more than once, from its first word."""
    return output(bits, n)


@inlined
def unit(bits: Any) -> Any:
    """Uniform on the open interval (0, 1), 52 bits."""
    return (np.float64(bits >> np.uint64(12)) + 0.5) * 2.0**-52


@compiled
def _exponential_retry(bits: Any) -> Any:
    shift = 0.0
    while True:
        layer = bits & _LAYER
        x = np.float64(bits >> np.uint64(11)) * 2.0**-53 * _EXP_X[layer]
        if x < _EXP_X[layer + _ONE]:
            return shift + x
        bits = mix(bits + _GOLDEN)
        if layer == _ZERO:
            shift += _EXP_R  # beyond the edge the law is the same again: it has no memory
            continue
        low = _EXP_Y[layer]
        if low + (_EXP_Y[layer + _ONE] - low) * unit(bits) < math.exp(-x):
            return shift + x
        bits = mix(bits + _GOLDEN)


@inlined
def exponential(bits: Any) -> Any:
    """Exponential with mean 1."""
    layer = bits & _LAYER
    x = np.float64(bits >> np.uint64(11)) * 2.0**-53 * _EXP_X[layer]
    if x < _EXP_X[layer + _ONE]:
        return x
    return _exponential_retry(bits)


@compiled
def _normal_retry(bits: Any) -> Any:
    while True:
        layer = bits & _LAYER
        x = np.float64(bits >> np.uint64(11)) * 2.0**-53 * _NORMAL_X[layer]
        negative = (bits & _SIGN) != _ZERO
        if x < _NORMAL_X[layer + _ONE]:
            return -x if negative else x
        bits = mix(bits + _GOLDEN)
        if layer == _ZERO:
            while True:  # Marsaglia's tail
                x = -math.log(unit(bits)) / _NORMAL_R
                bits = mix(bits + _GOLDEN)
                y = -math.log(unit(bits))
                bits = mix(bits + _GOLDEN)
                if y + y >= x * x:
                    return -(_NORMAL_R + x) if negative else _NORMAL_R + x
        low = _NORMAL_Y[layer]
        if low + (_NORMAL_Y[layer + _ONE] - low) * unit(bits) < math.exp(-0.5 * x * x):
            return -x if negative else x
        bits = mix(bits + _GOLDEN)


@inlined
def normal(bits: Any) -> Any:
    """Standard normal."""
    layer = bits & _LAYER
    x = np.float64(bits >> np.uint64(11)) * 2.0**-53 * _NORMAL_X[layer]
    if x < _NORMAL_X[layer + _ONE]:
        return x * (1.0 - np.float64((bits & _SIGN) >> np.uint64(7)))  # the sign without a branch: it is luck
    return _normal_retry(bits)


@compiled
def gamma(shape: Any, bits: Any) -> Any:
    """Gamma with this shape and scale 1 [3]_."""
    boost = 1.0
    if shape < 1.0:  # p. 371: gamma(shape) = gamma(shape + 1) * u**(1 / shape)
        boost = unit(mix(bits ^ _ASIDE)) ** (1.0 / shape)
        shape += 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal(bits)
        v = 1.0 + c * x
        if v > 0.0:
            v = v * v * v
            if math.log(unit(mix(bits + _ASIDE))) < 0.5 * x * x + d - d * v + d * math.log(v):
                return boost * d * v
        bits = mix(mix(bits - _ASIDE))


@inlined
def aside(bits: Any) -> Any:
    """A second word beside a word, for a variate that needs two."""
    return mix(bits ^ _ASIDE)


@inlined
def again(bits: Any) -> Any:
    """The word after a word that was rejected."""
    return mix(bits + _GOLDEN)


@compiled
def sample(family: Any, a: Any, b: Any, bits: Any) -> Any:
    """One variate of a distribution with parameters.

    (a, b) are: exponential (mean, -); deterministic (value, -); gamma (shape, scale); lognormal (mean and standard
    deviation of the logarithm); weibull (scale, 1/shape); uniform (lowest, width).
    """
    if family == EXPONENTIAL:
        return a * exponential(bits)
    if family == LOGNORMAL:
        return math.exp(a + b * normal(bits))
    if family == GAMMA:
        return b * gamma(a, bits)
    if family == WEIBULL:
        return a * exponential(bits) ** b
    if family == UNIFORM:
        return a + b * unit(bits)
    return a


@compiled
def excess(family: Any, a: Any, b: Any, bits: Any) -> Any:
    """What is left of a service in progress, seen at a random moment (stationary excess).

    The service met at a random moment is length-biased, and the moment is uniform within it (D. R. Cox, *Renewal
    Theory*, 1962, section 5.4). Parameters as in `sample`.
    """
    if family == EXPONENTIAL:
        return a * exponential(bits)
    moment = unit(aside(bits))
    if family == GAMMA:
        return moment * b * gamma(a + 1.0, bits)
    if family == LOGNORMAL:
        return moment * math.exp(a + b * b + b * normal(bits))
    if family == WEIBULL:  # x**shape is exponential, so the length-biased one is gamma(1 + 1/shape)
        return moment * a * gamma(1.0 + b, bits) ** b
    if family == UNIFORM:
        top = a + b
        return moment * math.sqrt(a * a + unit(bits) * (top * top - a * a))
    return moment * a


@compiled
def beyond(age: Any, family: Any, a: Any, b: Any, bits: Any) -> Any:
    """A variate given that it exceeds ``age`` (``age`` itself where none does); not for gamma and lognormal."""
    if family == EXPONENTIAL:
        return age + a * exponential(bits)
    if family == WEIBULL:  # in the form that does not overflow
        if age <= a:
            return a * ((age / a) ** (1.0 / b) + exponential(bits)) ** b
        return age * (1.0 + exponential(bits) * (a / age) ** (1.0 / b)) ** b
    if family == UNIFORM:
        low = max(age, a)
        return low + max(0.0, a + b - low) * unit(bits)
    return max(age, a)
