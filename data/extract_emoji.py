#!/usr/bin/env python3
"""Makes two archives of emoji with their names and keywords: drawn for Noto, and by EmojiOne.

Usage: extract_emoji.py UNPACKED OUTPUT

An archive holds `metadata.jsonl`, then its pictures: the form of Hugging Face's imagefolder. A line has `file_name`,
`captions` (CLDR's English name, then its keywords), `concept` (the code points without skin tone, the same for both
styles), `style`, `class` and `licence`.
"""

import io
import json
import pathlib
import re
import sys
import tarfile
import xml.etree.ElementTree

GEMS = "usr/share/rubygems-integration/all/gems"
NOTO = f"{GEMS}/tanuki_emoji-0.6.0/app/assets/images/tanuki_emoji"
NOTO_INDEX = f"{GEMS}/tanuki_emoji-0.6.0/vendor/gemojione/index-4.1.0.json"
EMOJIONE = f"{GEMS}/gemojione-3.3.0/assets/png"
EMOJIONE_INDEX = f"{GEMS}/gemojione-3.3.0/config/index.json"
ANNOTATIONS = ("annotations", "annotationsDerived")

SKIN_TONES = range(0x1F3FB, 0x1F400)
JOINER, VARIATION = 0x200D, 0xFE0F
FLAG_A = 0x1F1E6


def annotations(tree):
    """CLDR's English names and keywords by text; the texts there have no variation selectors."""
    names, keywords = {}, {}
    for part in ANNOTATIONS:
        path = tree / f"usr/share/unicode/cldr/common/{part}/en.xml"
        for entry in xml.etree.ElementTree.parse(path).iter("annotation"):
            if entry.get("type") == "tts":
                names.setdefault(entry.get("cp"), entry.text.strip())
            else:
                keywords.setdefault(entry.get("cp"), [word.strip() for word in entry.text.split("|")])
    return names, keywords


def index(path):
    """gemojione's categories and names by code points without variation selectors and joiners."""
    entries = {}
    for entry in json.loads(path.read_text(encoding="utf-8")).values():
        for spelling in [entry["unicode"], *entry.get("unicode_alternates", [])]:
            if spelling:
                entries.setdefault(bare(points(spelling)), entry)
    return entries


def points(spelling):
    return tuple(int(part, 16) for part in re.split("[-_]", spelling))


def bare(code_points):
    return tuple(point for point in code_points if point not in (JOINER, VARIATION))


def noto_points(name):
    """`emoji_u1f447_1f3fc` states code points, `IN` a country, whose flag is spelt by two letters of their own."""
    if name.startswith("emoji_u"):
        return points(name.removeprefix("emoji_u"))
    return tuple(FLAG_A + ord(letter) - ord("A") for letter in name)


def described(code_points, names):
    """The text under which CLDR has the emoji. File names may lack the joiners of sequences."""
    plain = [point for point in code_points if point != VARIATION]
    joined = [part for point in bare(code_points) for part in (JOINER, point)][1:]
    for candidate in (plain, joined):
        text = "".join(map(chr, candidate))
        if text in names:
            return text
    return None


def records(folder, read_points, categories, cldr, style, licence):
    names, keywords = cldr
    for path in sorted(folder.glob("*.png")):
        code_points = read_points(path.stem)
        entry = categories.get(bare(code_points), {})
        text = described(code_points, names)
        if text is None:  # Names of other sources would make equal emoji look different.
            continue
        captions = [names[text]] + ([", ".join(keywords[text])] if text in keywords else [])
        concept = "-".join(f"{point:x}" for point in bare(code_points) if point not in SKIN_TONES)
        yield path, {
            "file_name": path.name,
            "captions": list(dict.fromkeys(captions)),
            "concept": concept,
            "style": style,
            "class": entry.get("category") or ("flags" if len(path.stem) == 2 else "other"),
            "licence": licence,
        }


def write(path, pairs):
    """Writes an archive whose bytes depend on its content alone."""

    def add(name, content):
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(content), 0o644
        archive.addfile(member, io.BytesIO(content))

    pairs = list(pairs)
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for _, record in pairs)
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        add("metadata.jsonl", lines.encode("utf-8"))
        for picture, record in pairs:
            add(record["file_name"], picture.read_bytes())


def main():
    tree, output = map(pathlib.Path, sys.argv[1:])
    cldr = annotations(tree)
    noto = records(tree / NOTO, noto_points, index(tree / NOTO_INDEX), cldr, "noto", "Apache-2.0")
    write(output / "noto-emoji.tar", noto)
    emojione = records(tree / EMOJIONE, points, index(tree / EMOJIONE_INDEX), cldr, "emojione", "CC-BY-SA-4.0")
    write(output / "emojione.tar", emojione)


if __name__ == "__main__":
    main()
