"""Figures of metrics.py on random cases with many ties, for the tests of RetrievalEvaluation.

    python3 -m venv venv && venv/bin/pip install numpy==2.4.6
    venv/bin/python make_retrieval.py > retrieval.json

Rows are multiples of 1/4 with few values, so that products are exact in float32 and often equal.  Groups of equal pictures
and of equal captions have equal rows; who owns whom then follows from the groups.
"""
import json

import numpy as np

import metrics

rng = np.random.default_rng(20240404)
DEPTHS = (1, 5, 10)


def direction(scores, positive):
    asked = positive.any(1)
    ranks, ties = metrics.rank_of_best(scores[asked], positive[asked])
    return metrics.recall(ranks, DEPTHS) | {
        "ranks": ranks.tolist(), "ties": int(ties.sum()), "queries": int(asked.sum()),
        "without_own": int((~asked).sum()),
    }


def softmax(scores, positive, distinct, tau):
    """Likelihood and calibration over different candidates: loss of each query, expected calibration error."""
    x = scores[:, distinct].astype(np.float64) / np.asarray(tau)[:, None]
    p = np.exp(x - x.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    own = positive[:, distinct]
    losses = -np.log((p * own).sum(1))
    confidence, right = p.max(1), own[np.arange(len(p)), p.argmax(1)]
    bins = np.minimum((confidence * 15).astype(int), 14)
    ece = sum(abs(confidence[bins == b].sum() - right[bins == b].sum()) for b in range(15)) / len(p)
    return {"loss": float(losses.mean()), "ece": float(ece)}


def case(pictures, captions_each, width, values, duplicates):
    """Captions belong to pictures in order; some pictures, and some captions, equal earlier ones."""
    captions = pictures * captions_each
    owner = np.repeat(np.arange(pictures), captions_each)
    image_group, text_group = np.arange(pictures), np.arange(captions)
    for g in (image_group, text_group):
        for _ in range(duplicates):
            a, b = sorted(rng.choice(len(g), 2, replace=False))
            g[b] = g[a]
    image = (rng.integers(-values, values + 1, (pictures, width)) / 4)[image_group]
    text = (rng.integers(-values, values + 1, (captions, width)) / 4)[text_group]
    linked = {(int(image_group[owner[c]]), int(text_group[c])) for c in range(captions)}
    positive = np.array([[(int(a), int(b)) in linked for b in text_group] for a in image_group])
    scores = image.astype(np.float32) @ text.astype(np.float32).T
    out = {"image": direction(scores, positive), "text": direction(scores.T, positive.T)}
    if duplicates == 0:                                                      # then the published form answers too
        published = metrics.retrieval(image, text, owner, DEPTHS)
        for name, own in (("image_to_text", out["image"]), ("text_to_image", out["text"])):
            assert all(published[name][f"R@{k}"] == own[f"R@{k}"] for k in DEPTHS)
    tau = rng.integers(1, 9, pictures) / 4
    out["likelihood"] = softmax(scores, positive, np.unique(text_group, return_index=True)[1], tau)
    mean = np.mean([out[side][f"R@{k}"] for side in ("image", "text") for k in DEPTHS])
    return {
        "owner": owner.tolist(), "image_group": image_group.tolist(), "text_group": text_group.tolist(),
        "image_rows": (image * 4).astype(int).tolist(), "text_rows": (text * 4).astype(int).tolist(), "tau": tau.tolist(),
        "mean_recall": float(mean), **out,
    }


def zero_shot(pictures, classes, templates, width):
    prompts = rng.normal(size=(classes, templates, width)).round(3) * rng.uniform(0.2, 3, (classes, templates, 1)).round(3)
    image = rng.normal(size=(pictures, width)).round(3)
    labels = rng.integers(0, classes, pictures)
    labels[labels == 1] = 0                                                  # a class without pictures
    names = metrics.class_embeddings(prompts)
    unit = image / np.linalg.norm(image, axis=1, keepdims=True)
    return {
        "prompts": prompts.reshape(-1).tolist(), "templates": templates, "classes": classes, "width": width,
        "images": unit.reshape(-1).tolist(), "labels": labels.tolist(), "embeddings": names.reshape(-1).tolist(),
        "figures": metrics.zero_shot(unit, names, labels.tolist()),
    }


print(json.dumps({
    "numpy": np.__version__,
    "cases": [case(40, 1, 3, 1, 0), case(30, 5, 4, 2, 0), case(25, 2, 3, 1, 6), case(6, 1, 2, 1, 2), case(300, 1, 6, 2, 20)],
    "zero_shot": [zero_shot(60, 12, 3, 8), zero_shot(20, 4, 1, 5)],
}))
