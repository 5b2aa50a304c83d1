# SPDX-License-Identifier: Apache-2.0
"""Our signed-rank test, interval and quantiles against SciPy, NumPy and plain enumeration."""
import itertools
import os
import subprocess

import numpy
import pytest
from scipy import stats

ALPHAS = [0.008, 0.010, 0.012, 0.05, 0.2]
rng = numpy.random.default_rng(20240131)


def ask(samples, alpha=0.05):
    """One row (p, low, mid, high, q25, q75) a sample."""
    lines = "".join(" ".join(repr(float(x)) for x in [alpha, *sample]) + "\n" for sample in samples)
    out = subprocess.run([os.environ["STATS_DRIVER"]], input=lines, capture_output=True, text=True, check=True, timeout=60)
    return [[float(x) for x in line.split()] for line in out.stdout.splitlines()]


def walsh(sample):
    return numpy.sort([(a + b) / 2 for a, b in itertools.combinations_with_replacement(sample, 2)])


def smooth_samples():
    return [rng.normal(rng.normal(), 1, n) for n in range(1, 41) for _ in range(5)]


def tied_samples():
    return [rng.integers(-4, 6, n).astype(float) for n in range(1, 13) for _ in range(8)]


def test_p_is_scipys_exact_one():
    samples = smooth_samples()
    for sample, (p, *_) in zip(samples, ask(samples)):
        assert p == pytest.approx(stats.wilcoxon(sample, mode="exact").pvalue, rel=1e-12)


def test_p_with_ties_and_zeros_counts_the_sign_patterns():
    """SciPy has no exact p with ties; every pattern of signs is equally likely, so count them."""
    samples = tied_samples()
    for sample, (p, *_) in zip(samples, ask(samples)):
        ranks = stats.rankdata(numpy.abs(sample))
        ranks, signs = ranks[sample != 0], numpy.sign(sample[sample != 0])
        sums = numpy.array([numpy.dot(pattern, ranks) for pattern in itertools.product([-1, 1], repeat=len(ranks))])
        assert p == pytest.approx(numpy.mean(numpy.abs(sums) >= abs(numpy.dot(signs, ranks)) - 1e-9), rel=1e-12)


def test_estimate_is_the_median_walsh_average():
    samples = smooth_samples() + tied_samples()
    for sample, (_, _, mid, _, _, _) in zip(samples, ask(samples)):
        assert mid == pytest.approx(numpy.median(walsh(sample)), abs=1e-12)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_the_interval_holds_what_the_test_does_not_reject(alpha):
    """Just outside either end SciPy rejects, just inside it does not; ends are Walsh averages."""
    samples = [sample for sample in smooth_samples() if 2 / 2 ** len(sample) <= alpha]
    assert len(samples) > 100
    for sample, (_, low, _, high, _, _) in zip(samples, ask(samples, alpha)):
        near = 1e-9
        for end, outwards in ((low, -near), (high, near)):
            assert numpy.min(numpy.abs(walsh(sample) - end)) < 1e-12
            assert stats.wilcoxon(sample - (end + outwards), mode="exact").pvalue <= alpha
            assert stats.wilcoxon(sample - (end - outwards), mode="exact").pvalue > alpha


def test_quantiles_are_numpys():
    samples = smooth_samples() + tied_samples()
    for sample, (_, _, _, _, q25, q75) in zip(samples, ask(samples)):
        assert q25 == pytest.approx(numpy.quantile(sample, 0.25), abs=1e-12)
        assert q75 == pytest.approx(numpy.quantile(sample, 0.75), abs=1e-12)
