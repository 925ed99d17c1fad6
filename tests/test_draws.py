"""The draws: published words, laws of the variates, addresses that do not meet, neighbours that are strangers.

Every statistical test is at level `ALPHA`, and there are fewer than 80; with `test_residents_do_not_overlap` good draws
fail somewhere in this file with a chance of at most 1.2 in a thousand. Seeds are fixed.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit
from scipy import integrate, stats

from flowsim.model import draws, rules, tables
from flowsim.model.network import COMPANION_SHIFT, INITIAL_IN_SERVICE, INITIAL_WAITING, Network, resident_number

ALPHA = 1e-5

# ---------------------------------------------------------------- known answers


def splitmix(seed: int, count: int) -> list[int]:
    """SplitMix64 as S. Vigna's splitmix64.c has it: one word after another, in whole numbers of Python."""
    words, state, mask = [], seed, 2**64 - 1
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        words.append(z ^ (z >> 31))
    return words


@pytest.mark.parametrize(
    ("seed", "published"),
    [
        # Rosetta Code, "Pseudo-random numbers/Splitmix64"
        (
            1234567,
            [
                6457827717110365317,
                3203168211198807973,
                9817491932198370423,
                4593380528125082431,
                16408922859458223821,
            ],
        ),
        # in the test suites of many ports of splitmix64.c
        (0, [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F, 0xF88BB8A8724C81EC, 0x1B39896A51A8749B]),
        (42, [0xBDD732262FEB6E95, 0x28EFE333B266F103, 0x47526757130F9F52, 0x581CE1FF0E4AE394]),
    ],
)
def test_published_words(seed: int, published: list[int]) -> None:
    assert [int(draws.output(np.uint64(seed), n)) for n in range(len(published))] == published
    assert splitmix(seed, len(published)) == published


def test_published_counts() -> None:
    """Rosetta Code: how often each fifth of the unit interval comes up in 100,000 words from seed 987654321."""
    fifths = [int(draws.output(np.uint64(987654321), n)) * 5 >> 64 for n in range(100_000)]
    assert np.bincount(fifths).tolist() == [20027, 19892, 20073, 19978, 20030]


@pytest.mark.parametrize("seed", [0, 1, 3, 700])
def test_keys_and_words_are_outputs_of_splitmix(seed: int) -> None:
    """Keys and words, one level after another, against the sequential generator."""
    root = splitmix(0, seed + 1)[seed]
    key = splitmix(root, 4)[3]
    assert int(draws.replication_key(seed, 3)) == key
    mine = splitmix(key, 12)[11]
    assert int(draws.resident_key(np.uint64(key), 11)) == mine
    place = (1 * draws.MAX_STATIONS + 2) * draws.PURPOSES + 5
    assert int(draws.word(np.uint64(mine), 1, 2, 5)) == splitmix(mine, place + 1)[place]
    assert int(draws.tick(np.uint64(mine), 6)) == splitmix(mine, 7)[6]


def test_the_yardstick_is_philox() -> None:
    """Known answers of Random123 (kat_vectors) for philox4x32-10, which the battery and the cost compare with."""
    path = Path(__file__).parent.parent / "benchmarks" / "generator.py"
    specification = importlib.util.spec_from_file_location("generator", path)
    assert specification is not None
    assert specification.loader is not None
    generator = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(generator)
    ones = 0xFFFFFFFF
    for given, expected in [
        ((0, 0, 0, 0, 0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ones,) * 6, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ]:
        assert tuple(int(word) for word in generator.philox(*(np.uint64(x) for x in given))) == expected


# ---------------------------------------------------------------- laws of the variates


@njit
def _words(key: Any, count: int) -> Any:
    out = np.empty(count, np.uint64)
    for i in range(count):
        out[i] = draws.word(draws.resident_key(key, i), 0, 1, draws.PURPOSE_SERVICE)
    return out


@njit
def _samples(key: Any, family: int, a: float, b: float, count: int) -> Any:
    out = np.empty(count)
    for i in range(count):
        out[i] = draws.sample(family, a, b, draws.word(draws.resident_key(key, i), 0, 1, draws.PURPOSE_SERVICE))
    return out


@njit
def _excesses(key: Any, family: int, a: float, b: float, count: int) -> Any:
    out = np.empty(count)
    for i in range(count):
        out[i] = draws.excess(family, a, b, draws.word(draws.resident_key(key, i), 0, 1, draws.PURPOSE_SERVICE))
    return out


@njit
def _beyond(key: Any, age: float, family: int, a: float, b: float, count: int) -> Any:
    out = np.empty(count)
    for i in range(count):
        bits = draws.word(draws.resident_key(key, i), 0, 1, draws.PURPOSE_CLOCK)
        out[i] = draws.beyond(age, family, a, b, bits)
    return out


@njit
def _exponentials(key: Any, count: int) -> Any:
    out = np.empty(count)
    for i in range(count):
        out[i] = draws.exponential(draws.word(draws.resident_key(key, i), 0, 1, draws.PURPOSE_SERVICE))
    return out


@njit
def _normals(key: Any, count: int) -> Any:
    out = np.empty(count)
    for i in range(count):
        out[i] = draws.normal(draws.word(draws.resident_key(key, i), 0, 1, draws.PURPOSE_SERVICE))
    return out


def key(seed: int) -> Any:
    return np.uint64(draws.replication_key(seed, 0))


LAWS: dict[str, tuple[int, float, float, Any]] = {
    "exponential": (draws.EXPONENTIAL, 2.5, 0.0, stats.expon(scale=2.5)),
    "gamma, shape 0.3": (draws.GAMMA, 0.3, 2.0, stats.gamma(0.3, scale=2.0)),
    "gamma, shape 1": (draws.GAMMA, 1.0, 2.0, stats.expon(scale=2.0)),
    "gamma, shape 7": (draws.GAMMA, 7.0, 0.5, stats.gamma(7.0, scale=0.5)),
    "lognormal": (draws.LOGNORMAL, 0.4, 1.1, stats.lognorm(1.1, scale=math.exp(0.4))),
    "weibull, shape 0.5": (draws.WEIBULL, 1.5, 2.0, stats.weibull_min(0.5, scale=1.5)),
    "weibull, shape 3": (draws.WEIBULL, 1.5, 1 / 3, stats.weibull_min(3.0, scale=1.5)),
    "uniform": (draws.UNIFORM, 1.0, 3.0, stats.uniform(1.0, 3.0)),
    "uniform, from 0.5": (draws.UNIFORM, 0.5, 3.0, stats.uniform(0.5, 3.0)),
}


@pytest.mark.parametrize("name", list(LAWS))
def test_families(name: str) -> None:
    family, a, b, law = LAWS[name]
    found = _samples(key(1), family, a, b, 300_000)
    assert stats.kstest(found, law.cdf).pvalue > ALPHA
    assert found.min() >= 0.0


MASK = 2**64 - 1
ASIDE, GOLDEN = 0xD1342543DE82EF95, 0x9E3779B97F4A7C15


def plain_mix(z: int) -> int:
    """SplitMix64's output function, in Python's whole numbers."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def plain_unit(bits: int) -> float:
    return ((bits >> 12) + 0.5) * 2.0**-52


def plain_gamma(shape: float, bits: int) -> float:
    """Marsaglia and Tsang, 2000, p. 363 and 371: v = (1 + x / sqrt(9 d))**3 is accepted or tried again."""
    boost = 1.0
    if shape < 1.0:
        boost, shape = plain_unit(plain_mix(bits ^ ASIDE)) ** (1.0 / shape), shape + 1.0
    d = shape - 1.0 / 3.0
    while True:
        x = float(draws.normal(np.uint64(bits)))
        v = (1.0 + x / math.sqrt(9.0 * d)) ** 3
        u = plain_unit(plain_mix((bits + ASIDE) & MASK))
        if v > 0.0 and math.log(u) < 0.5 * x * x + d - d * v + d * math.log(v):
            return boost * d * v
        bits = plain_mix(plain_mix((bits - ASIDE) & MASK))


@pytest.mark.parametrize("shape", [0.3, 1.0, 1.7, 40.0])
def test_gamma_is_the_published_algorithm(shape: float) -> None:
    """Number by number: another way to draw the same law would change every result that was ever kept."""
    for bits in _words(key(11), 2000):
        assert draws.gamma(shape, bits) == pytest.approx(plain_gamma(shape, int(bits)), rel=1e-12)


def test_words_beside_and_after_a_word() -> None:
    for bits in _words(key(12), 50):
        assert int(draws.aside(bits)) == plain_mix(int(bits) ^ ASIDE)
        assert int(draws.again(bits)) == plain_mix((int(bits) + GOLDEN) & MASK)
        assert int(draws.tick(bits, 3)) == plain_mix((int(bits) + 4 * GOLDEN) & MASK)


def test_constant_is_constant() -> None:
    assert draws.sample(draws.DETERMINISTIC, 3.5, 0.0, np.uint64(9)) == 3.5


@pytest.mark.parametrize("name", list(LAWS))
def test_excess(name: str) -> None:
    """P(excess <= t) = E[min(S, t)] / E[S], tabulated by integrating the survival function."""
    family, a, b, law = LAWS[name]
    top = float(law.ppf(1 - 1e-9))
    grid = np.concatenate([[0.0], np.geomspace(top * 1e-9, top, 20_001)])
    cdf = integrate.cumulative_trapezoid(law.sf(grid), grid, initial=0.0) / law.mean()
    found = _excesses(key(2), family, a, b, 200_000)
    assert cdf[-1] == pytest.approx(1.0, abs=1e-4)
    assert stats.kstest(found, lambda t: np.interp(t, grid, cdf)).pvalue > ALPHA


def test_excess_of_a_constant_is_uniform() -> None:
    found = _excesses(key(3), draws.DETERMINISTIC, 3.0, 0.0, 200_000)
    assert stats.kstest(found, stats.uniform(0, 3).cdf).pvalue > ALPHA


@pytest.mark.parametrize("age", [0.0, 0.7, 2.5])
@pytest.mark.parametrize("name", ["exponential", "weibull, shape 0.5", "weibull, shape 3", "uniform"])
def test_beyond(name: str, age: float) -> None:
    family, a, b, law = LAWS[name]
    found = _beyond(key(4), age, family, a, b, 100_000)
    assert found.min() >= age
    assert stats.kstest(found, lambda t: 1.0 - law.sf(t) / law.sf(age)).pvalue > ALPHA


def _network(service: dict[str, Any], patience: dict[str, Any]) -> Network:
    clinic = {"name": "clinic", "servers": 1, "service": service, "patience": patience}
    arrivals = [{"class": "a", "station": "clinic", "rate": 1.0}]
    return Network.from_dict({"horizon": 1.0, "classes": ["a"], "stations": [clinic], "arrivals": arrivals})


VALUES = [0.5, 1.0, 1.0, 4.0]


def test_empirical_service_and_its_rest() -> None:
    service = {"distribution": "empirical", "values": VALUES}
    network = _network(service, {"distribution": "exponential", "mean": 1.0})
    w, code = tables.addresses(network), int(network.cells["service"][0, 0])
    words = _words(key(5), 40_000)
    found = np.array([rules.distribution(w, code, bits) for bits in words])
    values, counts = np.unique(found, return_counts=True)
    assert values.tolist() == [0.5, 1.0, 4.0]
    assert stats.chisquare(counts, np.array([1, 2, 1]) * len(words) / 4).pvalue > ALPHA
    left = np.array([rules.residual_service(w, code, bits) for bits in words])
    law = stats.kstest(left, lambda t: np.minimum.outer(t, VALUES).sum(axis=-1) / sum(VALUES))
    assert law.pvalue > ALPHA


@pytest.mark.parametrize(
    ("patience", "law"),
    [
        ({"distribution": "gamma", "mean": 2.0, "cv": 0.5}, stats.gamma(4.0, scale=0.5)),
        ({"distribution": "lognormal", "mean": 1.0, "cv": 1.0}, stats.lognorm(math.sqrt(math.log(2)), scale=2**-0.5)),
    ],
)
def test_patience_of_somebody_who_has_waited(patience: dict[str, Any], law: Any) -> None:
    """By rejection, where there is no inverse."""
    network = _network({"distribution": "exponential", "mean": 1.0}, patience)
    w, code = tables.addresses(network), int(network.cells["patience"][0, 0])
    words = _words(key(6), 20_000)
    found = np.array([rules.patience_beyond(w, code, 1.8, bits) for bits in words])
    assert found.min() > 1.8
    assert stats.kstest(found, lambda t: 1.0 - law.sf(t) / law.sf(1.8)).pvalue > ALPHA


# ---------------------------------------------------------------- ziggurats


@pytest.mark.parametrize(
    ("x", "y", "area", "tail"),
    [
        (draws._EXP_X, draws._EXP_Y, draws._EXP_V, math.exp(-draws._EXP_R)),
        (
            draws._NORMAL_X,
            draws._NORMAL_Y,
            draws._NORMAL_V,
            math.sqrt(math.pi / 2) * math.erfc(draws._NORMAL_R / math.sqrt(2)),
        ),
    ],
    ids=["exponential", "normal"],
)
def test_layers_have_one_area(x: np.ndarray, y: np.ndarray, area: float, tail: float) -> None:
    """All 256, the topmost and the one with the tail too: the constants fit each other."""
    areas = x[1:256] * np.diff(y[1:257])
    assert areas == pytest.approx(area, rel=1e-8)
    assert x[1] * y[1] + tail == pytest.approx(area, rel=1e-8)
    assert y[256] == 1.0


MANY = 20_000_000


@pytest.mark.parametrize(
    ("draw", "law"), [(_exponentials, stats.expon()), (_normals, stats.norm())], ids=["exponential", "normal"]
)
def test_twenty_million(draw: Callable[[Any, int], np.ndarray], law: Any) -> None:
    """The whole law in 1000 parts of equal chance, and the tail beyond the last layer."""
    found = draw(key(7), MANY)
    edges = law.ppf(np.linspace(0, 1, 1001)[1:-1])
    counts = np.bincount(np.searchsorted(edges, found), minlength=1000)
    assert stats.chisquare(counts).pvalue > ALPHA
    edge = draws._EXP_R if draw is _exponentials else draws._NORMAL_R
    sides = [found] if draw is _exponentials else [found, -found]
    for side in sides:
        tail = side[side > edge]
        assert stats.binomtest(len(tail), MANY, law.sf(edge)).pvalue > ALPHA
        assert stats.kstest(tail, lambda t: 1.0 - law.sf(t) / law.sf(edge)).pvalue > ALPHA


# ---------------------------------------------------------------- addresses


@njit
def _all_words(key: Any, loops: int) -> Any:
    out = np.empty(loops * draws.MAX_STATIONS * draws.PURPOSES, np.uint64)
    i = 0
    for loop in range(loops):
        for station in range(draws.MAX_STATIONS):
            for purpose in range(draws.PURPOSES):
                out[i] = draws.word(key, loop, station, purpose)
                i += 1
    return out


def test_no_two_places_of_a_resident_share_a_word() -> None:
    """All stations and purposes in eight loops. A word is a bijection of its place, so this is certain, not likely."""
    words = _all_words(draws.resident_key(key(8), 5), 8)
    assert len(np.unique(words)) == len(words)


def test_purposes_have_numbers_of_their_own() -> None:
    purposes = {name: value for name, value in vars(draws).items() if name.startswith("PURPOSE_")}
    assert len(set(purposes.values())) == len(purposes)
    assert all(value <= draws.PURPOSE_CLOCK for value in purposes.values())
    assert draws.PURPOSE_CLOCK + draws.MAX_CLOCKS == draws.PURPOSES


def test_no_two_residents_share_a_number() -> None:
    """Streams, residents of time zero and companions, at the edges of their ranges."""
    stations = (0, 1, draws.MAX_STATIONS - 1)
    streams = [0, 1, 2047, *(INITIAL_WAITING + k for k in stations), *(INITIAL_IN_SERVICE + k for k in stations)]
    first = [resident_number(stream, nth) for stream in streams for nth in (0, 1, 2**28 - 1)]
    assert max(first) < 1 << COMPANION_SHIFT
    numbers = [number | (j << COMPANION_SHIFT) for number in first for j in (0, 1, 2, 2**18)]
    assert len(set(numbers)) == len(numbers)


@njit
def _keys(key: Any, count: int) -> Any:
    out = np.empty(count, np.uint64)
    for i in range(count):
        out[i] = draws.resident_key(key, i)
    return out


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_residents_do_not_overlap(seed: int) -> None:
    """A resident's words lie on the one long sequence of SplitMix64; those of 100,000 residents lie far apart.

    A key divided by the increment is where its words begin. By the birthday bound two of 100,000 lie within 2**18
    (eight loops of all stations) with chance 100,000**2 * 2**18 / 2**64 = 1.4e-4: the false-alarm rate per seed.
    """
    inverse = np.uint64(pow(0x9E3779B97F4A7C15, -1, 2**64))
    begins = np.sort(_keys(key(seed), 100_000) * inverse)
    assert np.diff(begins).min() > 2**18


@njit
def _axis(axis: int, count: int) -> Any:
    """Words of addresses that differ by one along an axis."""
    out = np.empty(count, np.uint64)
    for i in range(count):
        replication = i if axis == 0 else 3
        resident = i if axis == 1 else (i << 28 if axis == 2 else (i << 40 if axis == 3 else 17))
        mine = draws.resident_key(draws.replication_key(i if axis == 4 else 11, replication), resident)
        loop = i if axis == 5 else 0
        station = i % draws.MAX_STATIONS if axis == 6 else 4
        if axis == 6:
            mine = draws.resident_key(draws.replication_key(11, 3), i // draws.MAX_STATIONS)
        purpose = 0
        if axis == 7:
            mine = draws.resident_key(draws.replication_key(11, 3), i // draws.PURPOSES)
            purpose = i % draws.PURPOSES
        out[i] = draws.word(mine, loop, station, purpose)
    return out


AXES = ["replication", "resident", "stream", "companion", "seed", "loop", "station", "purpose"]


@pytest.mark.parametrize("axis", range(len(AXES)), ids=AXES)
def test_neighbours_are_strangers(axis: int) -> None:
    """Along every axis each of the 64 bits flips half the time; high and low parts of neighbours are independent."""
    count = 2**18
    words = _axis(axis, count)
    flips = words[1:] ^ words[:-1]
    bits = np.array([int(((flips >> np.uint64(b)) & np.uint64(1)).sum()) for b in range(64)])
    z = (bits - (count - 1) / 2) / math.sqrt((count - 1) / 4)
    assert stats.chi2.sf(float(z @ z), 64) > ALPHA
    for shift, what in ((60, "high"), (0, "low")):
        part = (words >> np.uint64(shift)) & np.uint64(15)
        # Pairs that do not overlap, so that the 256 counts are multinomial.
        pairs = np.bincount((part[0::2] * np.uint64(16) + part[1::2]).astype(np.int64), minlength=256)
        assert stats.chisquare(pairs).pvalue > ALPHA, what
    unit = np.array([draws.unit(bits) for bits in words[: 2**14]])
    assert stats.pearsonr(unit[1:], unit[:-1]).pvalue > ALPHA
