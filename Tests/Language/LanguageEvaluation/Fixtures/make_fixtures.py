"""Makes scores.json: invented scores of 997 tokens and what NumPy 2.4.6 and SciPy 1.17.1 make of them.

Run in this folder: python3 make_fixtures.py
"""

import json

import numpy as np
from scipy import stats

TOKENS, VOCABULARY, RHO, BLOCK, RESAMPLES, SEED = 997, 4096, 5.5, 40, 500, 2024
TAU_MIN, TAU_MAX = 0.25, 2.0
EXTENT = {"tokens": TOKENS, "documents": 3, "bytes": 4100, "words": 790}
MASK = 2**64 - 1


def split_mix_64(state):
    """Yields SplitMix64's numbers (Steele, Lea and Flood, 2014)."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


def scores(rng):
    """Neighbouring tokens are alike, some temperatures tie, some lie at the bounds."""
    drift = np.convolve(rng.normal(size=TOKENS + 20), np.ones(21) / 4, mode="valid")
    entropy = np.abs(2.8 + drift + 0.5 * rng.normal(size=TOKENS))
    base = np.abs(3.0 + drift + rng.normal(size=TOKENS))
    exact = np.clip(2.2 / (0.4 + entropy / 2) + 0.05 * rng.normal(size=TOKENS), TAU_MIN, TAU_MAX)
    net = np.round(np.clip(0.7 * exact + 0.3 + 0.1 * rng.normal(size=TOKENS), TAU_MIN, TAU_MAX), 2)
    names = {
        "one": ("fixed", np.ones(TOKENS), base),
        "best-robust": ("best_robust_loss", np.full(TOKENS, 0.9), base + 0.02 * rng.normal(size=TOKENS)),
        "tempnet": ("tempnet", net, base - 0.03 * (net - 1) + 0.05 * rng.normal(size=TOKENS)),
        "exact": ("exact", exact, base - 0.06 * (exact - 1) + 0.05 * rng.normal(size=TOKENS)),
    }
    policies = [
        {"name": n, "kind": k, "temperature": np.float32(t), "cross_entropy": np.float32(c)}
        for n, (k, t, c) in names.items()
    ]
    correct = rng.random(TOKENS) < 0.4
    for p in policies:
        # Some are sure, some lie on the borders of ranges, one range stays empty.
        confidence = np.clip(rng.beta(1.2, 2, size=TOKENS) + 0.2 * correct, 1e-3, 1)
        confidence[::50] = np.arange(20) / 15 % 1
        confidence[(confidence > 0.59) & (confidence < 0.67)] = 0.7
        p["confidence"] = np.float32(confidence)
        p["brier"] = np.float32(np.clip(1 + 0.3 * drift - correct + 0.2 * rng.normal(size=TOKENS), 0, 2))
    return np.float32(entropy), correct, policies


def draws():
    """The blocks of every resample: index = floor(number * blocks / 2**64)."""
    blocks = -(-TOKENS // BLOCK)
    numbers = split_mix_64(SEED)
    return [[(next(numbers) * blocks) >> 64 for _ in range(blocks)] for _ in range(RESAMPLES)]


def resampled_means(values, drawn):
    values = np.float64(values)
    parts = [values[start : start + BLOCK] for start in range(0, TOKENS, BLOCK)]
    return np.array([np.concatenate([parts[i] for i in row]).mean() for row in drawn])


def sums(values):
    values = np.float64(values)
    return np.array([values[start : start + BLOCK].sum() for start in range(0, TOKENS, BLOCK)])


def standard_error(values):
    """Of the mean of blocks of unequal length, as statsmodels' cluster-robust error with C/(C-1)."""
    counts = sums(np.ones(TOKENS))
    residuals = sums(values) - np.mean(np.float64(values)) * counts
    clusters = len(counts)
    return np.sqrt(clusters / (clusters - 1) * np.sum(residuals**2)) / TOKENS


def mean_interval(values):
    half = stats.t.ppf(0.975, -(-TOKENS // BLOCK) - 1) * standard_error(values)
    mean = np.mean(np.float64(values))
    return {"estimate": float(mean), "low": float(mean - half), "high": float(mean + half)}


def expanded(critical):
    """The critical value of few clusters, from that of their resamples."""
    clusters = -(-TOKENS // BLOCK)
    return stats.t.isf(stats.norm.sf(critical * np.sqrt(clusters / (clusters - 1))), clusters - 1)


def comparisons(columns, drawn):
    """Studentised differences with intervals alone and by max-T, from the same resamples."""
    means = [np.mean(c) for c in columns]
    errors = [standard_error(c) for c in columns]
    distances = np.array(
        [abs(resampled_means(c, drawn) - m) / e for c, m, e in zip(columns, means, errors)]
    )
    largest = expanded(np.quantile(distances.max(axis=0), 0.95))
    result = []
    for mean, error, own in zip(means, errors, distances):
        alone, narrow = (expanded(np.quantile(own, q)) * error for q in (0.95, 0.9))
        result.append(
            {
                "estimate": float(mean), "standard_error": float(error),
                "pointwise": [float(mean - alone), float(mean + alone)],
                "narrow": [float(mean - narrow), float(mean + narrow)],
                "simultaneous": [float(mean - largest * error), float(mean + largest * error)],
            }
        )  # fmt: skip
    return result


def interval(estimate, resampled):
    low, high = np.quantile(resampled, [0.025, 0.975])
    return {"estimate": float(estimate), "low": float(low), "high": float(high)}


def calibration(confidence, correct):
    """The expected calibration error with 15 ranges of equal width, each with its lower end."""
    confidence = np.float64(confidence)
    bins = np.digitize(confidence, np.arange(1, 15) / 15)
    parts = [(confidence[bins == b], correct[bins == b]) for b in range(15)]
    error = sum(len(c) / TOKENS * abs(c.mean() - h.mean()) for c, h in parts if len(c))
    return {
        "counts": [len(c) for c, _ in parts],
        "confidence": [float(c.mean()) if len(c) else None for c, _ in parts],
        "accuracy": [float(h.mean()) if len(c) else None for c, h in parts],
        "expected_error": float(error),
    }


def calibration_parts(confidence, correct):
    """Numbers whose mean is the expected calibration error, the signs of its bins held fixed."""
    confidence = np.float64(confidence)
    bins = np.digitize(confidence, np.arange(1, 15) / 15)
    parts = confidence - correct
    signs = np.array([np.sign(parts[bins == b].sum()) for b in range(15)])
    return signs[bins] * parts


def correlation(a, b):
    if len(set(a.tolist())) == 1 or len(set(b.tolist())) == 1:
        return {"pearson": None, "spearman": None}
    a, b = np.float64(a), np.float64(b)
    return {"pearson": float(stats.pearsonr(a, b)[0]), "spearman": float(stats.spearmanr(a, b)[0])}


def main():
    entropy, correct, policies = scores(np.random.default_rng(7))
    drawn = draws()
    margin = 0.01 * (TAU_MAX - TAU_MIN)
    loss, means, expected = {}, {}, []
    for p in policies:
        tau, ce = np.float64(p["temperature"]), np.float64(p["cross_entropy"])
        loss[p["name"]] = tau * ce + (RHO - np.log(VOCABULARY)) * tau
        means[p["name"]] = {
            "robust_loss": resampled_means(loss[p["name"]], drawn),
        }
    best, exact = means["best-robust"]["robust_loss"], means["exact"]["robust_loss"]
    for p in policies:
        tau, ce = np.float64(p["temperature"]), np.float64(p["cross_entropy"])
        gap = None
        if p["name"] in ("one", "tempnet"):
            own = means[p["name"]]["robust_loss"]
            point = (loss["best-robust"].mean() - loss[p["name"]].mean()) / (
                loss["best-robust"].mean() - loss["exact"].mean()
            )
            gap = interval(point, (best - own) / (best - exact))
        expected.append(
            {
                "robust_loss": float(loss[p["name"]].mean()),
                "cross_entropy": float(ce.mean()),
                "token_perplexity": float(np.exp(ce.mean())),
                "word_perplexity": float(np.exp(ce.sum() / EXTENT["words"])),
                "byte_perplexity": float(np.exp(ce.sum() / EXTENT["bytes"])),
                "bits_per_byte": float(ce.sum() / EXTENT["bytes"] / np.log(2)),
                "mean": float(tau.mean()),
                "standard_deviation": float(tau.std(ddof=1)),
                "quantiles": np.quantile(tau, [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]).tolist(),
                "share_at_minimum": float((tau <= TAU_MIN + margin).mean()),
                "share_at_maximum": float((tau >= TAU_MAX - margin).mean()),
                "correlation_with_entropy": correlation(p["temperature"], entropy),
                "correlation_with_exact": correlation(p["temperature"], policies[3]["temperature"]),
                "gap_closed": gap,
                "intervals": {
                    "robust_loss": mean_interval(loss[p["name"]]),
                    "cross_entropy": mean_interval(ce),
                    "brier": mean_interval(p["brier"]),
                },
                "calibration": calibration(p["confidence"], correct),
            }
        )
    values = {
        p["name"]: {
            "robust_loss": loss[p["name"]],
            "cross_entropy": np.float64(p["cross_entropy"]),
            "brier": np.float64(p["brier"]),
            "calibration_error": calibration_parts(p["confidence"], correct),
        }
        for p in policies
    }
    pairs = [(b["name"], a["name"]) for i, a in enumerate(policies) for b in policies[i + 1 :]]
    differences = [
        {"policy": b, "reference": a, "metric": m} | found
        for m in ("robust_loss", "cross_entropy", "brier", "calibration_error")
        for (b, a), found in zip(pairs, comparisons([values[b][m] - values[a][m] for b, a in pairs], drawn))
    ]
    document = {
        "settings": {
            "vocabulary": VOCABULARY, "rho": RHO, "tau_min": TAU_MIN, "tau_max": TAU_MAX,
            "block_length": BLOCK, "resamples": RESAMPLES, "seed": SEED,
        },
        "extent": EXTENT,
        "entropy": entropy.tolist(),
        "correct": [int(c) for c in correct],
        "policies": [
            p | {k: p[k].tolist() for k in ("temperature", "cross_entropy", "confidence", "brier")} for p in policies
        ],
        "expected": {
            "accuracy": float(correct.mean()),
            "ranks": stats.rankdata(policies[2]["temperature"]).tolist(),
            "policies": expected,
            "differences": differences,
        },
    }  # fmt: skip
    with open("scores.json", "w") as file:
        json.dump(document, file, separators=(",", ":"))
        file.write("\n")


main()
