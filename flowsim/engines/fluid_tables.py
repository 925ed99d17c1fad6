"""Tables for the fluid: what part of a service ends, and of a patience is left, step by step.

Everything follows from H(t), the integral of a distribution function F from 0 to t: people who begin evenly over a step
end evenly over another in the second difference of H. All for n futures at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flowsim.model import draws


def integral(family: int, a: Any, b: Any, mean: Any, values: Any, t: np.ndarray) -> Any:
    """Integral of the distribution function from 0 to ``t`` (n, J); parameters (n, 1) as in `draws.sample`, ``values``
    (n, V) of an empirical one. By parts: t F(t) less the mean of what lies below t."""
    from scipy.special import gamma, gammainc, ndtr

    t = np.maximum(t, 0.0)
    with np.errstate(divide="ignore"):
        match family:
            case draws.EXPONENTIAL:
                return t + mean * np.expm1(-t / mean)
            case draws.DETERMINISTIC:
                return np.maximum(t - mean, 0.0)
            case draws.GAMMA:
                return t * gammainc(a, t / b) - a * b * gammainc(a + 1.0, t / b)
            case draws.LOGNORMAL:
                z = (np.log(t) - a) / b
                return t * ndtr(z) - mean * ndtr(z - b)
            case draws.WEIBULL:
                return t - a * gamma(1.0 + b) * gammainc(b, (t / a) ** (1.0 / b))
            case draws.UNIFORM:
                inside = np.clip(t - a, 0.0, b)
                return inside**2 / (2.0 * b) + np.maximum(t - a - b, 0.0)
            case _:
                return np.maximum(t[:, :, None] - values[:, None, :], 0.0).mean(axis=2)


def _of(shape: np.ndarray, values: np.ndarray, t: np.ndarray) -> Any:
    first = shape[0]
    some = values[:, first["first"] : first["first"] + first["count"]]
    a, b, mean = (shape[x][:, None] for x in ("a", "b", "mean"))
    families = np.unique(shape["family"])
    if len(families) == 1:
        return integral(int(families[0]), a, b, mean, some, t)
    made = np.empty(np.broadcast_shapes(t.shape, a.shape))
    t = np.broadcast_to(t, made.shape)
    for family in families:
        mine = shape["family"] == family
        made[mine] = integral(int(family), a[mine], b[mine], mean[mine], some[mine], t[mine])
    return made


def ended(
    shape: np.ndarray, values: np.ndarray, factors: np.ndarray, step: float, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Of those who start in a step, the part whose service ends 0, 1, ... steps later: (n, L, J) for L factors
    (n, L); and of those in service at time zero, in step 0, 1, ... (stationary excess): (n, J)."""
    edges = np.arange(-1, steps + 1) * step
    parts = []
    for level in range(factors.shape[1]):
        f = factors[:, level, None]
        h = f * _of(shape, values, edges / f)
        first = h[:, 2:3] / step if steps > 0 else h[:, :0]
        second = (h[:, 2:] - 2.0 * h[:, 1:-1] + h[:, :-2]) / step
        parts.append(np.concatenate([first, second[:, 1:]], axis=1)[:, :steps])
    h = _of(shape, values, np.broadcast_to(edges[1:], (len(shape), steps + 1)))
    left = (np.diff(edges[1:])[None] - np.diff(h, axis=1)) / shape["mean"][:, None]
    return np.stack(parts, axis=1), left


def thinned(shape: np.ndarray, values: np.ndarray, step: float, steps: int) -> np.ndarray:
    """Part of those who join in a step that is still there at its end, and then, 1, 2, ... steps later, part that stays
    for half a step: (n, J). (A step in halves: who is served in the midst of it has not waited until its end.)"""
    edges = np.broadcast_to(np.arange(steps + 1) * step, (len(shape), steps + 1))
    stays = 1.0 - np.diff(_of(shape, values, edges), axis=1) / step
    before = np.concatenate([np.ones((len(shape), 1)), stays[:, :-1]], axis=1)
    ratio = np.where(before > 1e-12, np.maximum(stays, 0.0) / np.maximum(before, 1e-12), 0.0)
    ratio[:, 1:] = np.sqrt(ratio[:, 1:])
    return ratio


def rung(mean: np.ndarray, step: float, steps: int) -> np.ndarray:
    """Part of those who wait whose clock (exponential) rings in the 0th, 1st, ... step after that of joining:
    (n, 2, J); first row: of those present at time zero, which is the end of their step of joining."""
    goes = -np.expm1(-step / mean)[:, None]
    since = np.arange(steps)
    early = np.where(since > 0, (1.0 - goes) ** np.maximum(since - 1, 0) * goes, 0.0)
    left = (mean / step)[:, None] * goes  # of those who join evenly over a step, at its end
    later = np.where(since == 1, 1.0 - left * (1.0 - goes), left * early)
    return np.stack([early, np.where(since > 0, later, 0.0)], axis=1)


def ages(shape: np.ndarray, values: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Parts of those who wait at time zero by age in whole steps (n, A), and how much of their step the oldest fill
    (n,); of empirical ages, else everybody at the mean."""
    first = shape[0]
    known = int(first["family"]) == draws.EMPIRICAL
    some = values[:, first["first"] : first["first"] + first["count"]] if known else shape["mean"][:, None]
    at = np.floor(some / step).astype(np.int64)
    parts = np.zeros((len(shape), int(at.max()) + 1))
    np.add.at(parts, (np.arange(len(shape))[:, None], at), 1.0 / some.shape[1])
    oldest = some.max(axis=1)
    return parts, np.maximum(oldest / step - np.floor(oldest / step), 1e-3)
