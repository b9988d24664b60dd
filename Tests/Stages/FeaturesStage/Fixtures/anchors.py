"""Writes anchors.json: features of images and texts by their definition, in float64. Made with NumPy 2.4.6 and Python 3.11.7.

    python3 anchors.py > anchors.json
"""

import json

import numpy as np

SPLITS = ["train"] * 9 + ["validation"] * 5
# Pictures 2 and 5 are equal, and so are 10 and 12.
GROUPS = [0, 1, 2, 3, 4, 2, 6, 7, 8, 9, 10, 11, 10, 13]
# One or two captions a picture; captions of one word are equal.
WORDS = ["sun", "moon", "sun", "star", "cat", "dog", "fish", "moon", "bird", "tree", "leaf", "sun",
         "house", "door", "sun", "roof", "wall", "house", "tile"]  # fmt: skip
PER_PICTURE = [1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 1, 1, 2, 2]
SCALE, GRID = 7.5, [0.25 * 2 ** (i / 4) for i in range(17)]

random = np.random.default_rng(5)


def unit_rows(count):
    rows = random.normal(size=(count, 6)) + [1.5, 0, 0, 0, 0, 0]
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


pictures, captions = unit_rows(len(SPLITS)), unit_rows(len(WORDS))
owner = [picture for picture, count in enumerate(PER_PICTURE) for _ in range(count)]
caption_groups = [WORDS.index(word) for word in WORDS]


def own(side, anchor, splits):
    """The groups of an anchor's own candidates."""
    of_split = [c for c in range(len(WORDS)) if SPLITS[owner[c]] in splits]
    if side == "image":
        return {caption_groups[c] for c in of_split if GROUPS[owner[c]] == GROUPS[anchor]}
    return {GROUPS[owner[c]] for c in of_split if caption_groups[c] == caption_groups[anchor]}


def features(side, split, gallery):
    """Rows of a split's anchors compared with the candidates of some splits. In a gallery of several splits validation anchors
    that equal a training one are left out."""
    in_split = {"image": [p for p, s in enumerate(SPLITS) if s in gallery],
                "text": [c for c in range(len(WORDS)) if SPLITS[owner[c]] in gallery]}  # fmt: skip
    other = "text" if side == "image" else "image"
    groups, rows = (caption_groups, captions) if other == "text" else (GROUPS, pictures)
    anchors = pictures if side == "image" else captions
    firsts = {}
    for position in in_split[other]:
        firsts.setdefault(groups[position], position)
    table = []
    anchor_groups = GROUPS if side == "image" else caption_groups
    split_of = (lambda a: SPLITS[a]) if side == "image" else (lambda a: SPLITS[owner[a]])
    groups_of = {s: {anchor_groups[a] for a in range(len(anchors)) if split_of(a) == s} for s in ("train", "validation")}
    wanted = groups_of[split] - (groups_of["train"] if len(gallery) > 1 and split == "validation" else set())
    seen = set()
    for anchor in in_split[side]:
        if anchor_groups[anchor] in seen or anchor_groups[anchor] not in wanted:
            continue
        seen.add(anchor_groups[anchor])
        mine = own(side, anchor, gallery)
        logits = {
            g: SCALE * float(anchors[anchor].astype(np.float64) @ rows[p].astype(np.float64)) for g, p in firsts.items()
        }
        z = np.array([logits[g] for g in firsts if g not in mine])
        x, best = z - z.max(), max(mine, key=lambda g: logits[g])
        profile = []
        for t in GRID:
            p = np.exp(x / t) / np.exp(x / t).sum()
            profile.append(
                [t * np.log(np.exp(x / t).sum()), -(p * np.log(p)).sum(), (p * (x / t) ** 2).sum() - (p * x / t).sum() ** 2]
            )
        table.append({"position": anchor, "alternatives": len(z), "maximum": z.max(), "mean": x.mean(),
                      "label": firsts[best], "label_logit": logits[best], "profile": profile})  # fmt: skip
    return table


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    if isinstance(value, dict):
        return {name: rounded(entry) for name, entry in value.items()}
    return value


print(
    json.dumps(
        rounded({
            "splits": SPLITS, "groups": GROUPS, "words": WORDS, "captions": PER_PICTURE, "scale": SCALE,
            "pictures": pictures.tolist(), "texts": captions.tolist(),
            "expected": {f"{side}/{split}": features(side, split, [split]) for side in ("image", "text") for split in ("train", "validation")},
            "joined": {f"{side}/{split}": features(side, split, ["train", "validation"]) for side in ("image", "text") for split in ("train", "validation")},
        })
    )
)  # fmt: skip
