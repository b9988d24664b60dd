"""Numbers of scipy and statsmodels, and of NumPy code written apart from ours, that the tests of Statistics compare with.

    python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0
    venv/bin/python make_statistics.py > statistics.json
"""
import json

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

rng = np.random.default_rng(20240404)


def quantiles():
    return {
        "t": [[df, p, stats.t.isf(p, df)] for df in (1, 2, 3, 9, 49, 499, 4.5) for p in (0.4, 0.1, 0.05, 0.025, 0.005, 1e-4, 1e-9)],
        "t_tail": [[df, t, stats.t.sf(t, df)] for df in (1, 2, 9, 49, 499) for t in (-3.0, -0.5, 0.0, 0.3, 1.0, 2.5, 6.0, 20.0)],
        "normal": [[p, stats.norm.isf(p)] for p in (0.8, 0.5, 0.2, 0.025, 1e-3, 1e-8, 1e-40)],
        "binomial": [[k, n, p, stats.binom.cdf(k, n, p)] for n in (1, 7, 40, 1000) for k in (0, n // 3, n // 2, n - 1) for p in (0.5, 0.3)],
    }


def clustered():
    """Clusters of several sizes with a shared effect; a regression on a constant with cluster-robust errors."""
    labels = np.repeat(np.arange(23), rng.integers(1, 9, 23))
    labels = labels[rng.permutation(len(labels))]
    values = np.round(0.3 + rng.normal(size=23)[labels] + rng.normal(size=len(labels)), 6)
    fit = sm.OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": labels}, use_t=True)
    low, high = fit.conf_int()[0]
    return {
        "labels": labels.tolist(), "values": values.tolist(), "mean": fit.params[0], "standard_error": fit.bse[0],
        "low": low, "high": high, "p": fit.pvalues[0],
    }


def seeds():
    a, b = np.array([36.9, 37.4, 35.8, 38.1]), np.array([36.1, 36.9, 35.9, 36.6])
    test = stats.ttest_rel(a, b)
    low, high = test.confidence_interval(0.95)
    return {"differences": (a - b).tolist(), "mean": float((a - b).mean()), "low": low, "high": high}


def contingency():
    out = []
    for n, gained, lost in ((50, 3, 11), (50, 0, 1), (400, 30, 30), (2000, 120, 83), (10, 0, 0)):
        table = [[n - gained - lost, gained], [lost, 0]]
        out.append([n, gained, lost, float(mcnemar(table, exact=True).pvalue)])
    return out


class SplitMix64:
    """Steele, Lea and Flood 2014; the draws of the bootstrap, so that whole intervals can be compared."""

    def __init__(self, seed):
        self.state = seed

    def index(self, count):
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return ((z ^ (z >> 31)) * count) >> 64


def simultaneous():
    """Three differences: means over one kind of item, over another, and the average of both."""
    clusters, resamples, seed = 31, 400, 7
    first = np.sort(rng.integers(0, clusters, 90))
    first[:clusters] = np.arange(clusters)
    second = np.sort(rng.integers(0, clusters, 70))
    x = np.round(rng.normal(size=90) * 0.5 + rng.normal(size=clusters)[first] * 0.4 + 0.2, 6)
    y = np.round(rng.normal(size=70) * 0.3 + 0.1, 6)

    def by_cluster(owner, values, weights):
        """Mean over items, each drawn as often as its cluster."""
        return np.sum(weights[owner] * values) / np.sum(weights[owner])

    statistics = [lambda w: by_cluster(first, x, w), lambda w: by_cluster(second, y, w)]
    statistics.append(lambda w: (statistics[0](w) + statistics[1](w)) / 2)
    ones = np.ones(clusters)
    estimates = np.array([s(ones) for s in statistics])
    # The standard error as the infinitesimal jackknife has it: by numerical derivatives in the weights of clusters.
    step = 1e-6
    errors = []
    for s in statistics:
        derivative = np.array([(s(ones + step * np.eye(clusters)[c]) - s(ones - step * np.eye(clusters)[c])) / (2 * step) for c in range(clusters)])
        errors.append(np.sqrt(clusters / (clusters - 1) * np.sum(derivative**2)))
    errors = np.array(errors)
    generator, distances = SplitMix64(seed), []
    for _ in range(resamples):
        weights = np.bincount([generator.index(clusters) for _ in range(clusters)], minlength=clusters).astype(float)
        distances.append([abs(s(weights) - e) / error for s, e, error in zip(statistics, estimates, errors)])
    distances = np.array(distances)

    def expanded(q):
        return stats.t.isf(stats.norm.sf(q * np.sqrt(clusters / (clusters - 1))), clusters - 1)

    return {
        "clusters": clusters, "resamples": resamples, "seed": seed, "first": first.tolist(), "second": second.tolist(),
        "x": x.tolist(), "y": y.tolist(), "estimates": estimates.tolist(), "standard_errors": errors.tolist(),
        "critical": float(expanded(np.quantile(distances.max(1), 0.95))),
        "pointwise": [float(expanded(np.quantile(distances[:, k], 0.95))) for k in range(3)],
        "narrow": [float(expanded(np.quantile(distances[:, k], 0.90))) for k in range(3)],
    }


print(json.dumps({
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
    "quantiles": quantiles(), "clustered": clustered(), "seeds": seeds(), "mcnemar": contingency(),
    "simultaneous": simultaneous(), "detectable": float(stats.norm.isf(0.025) + stats.norm.isf(0.2)),
}))
