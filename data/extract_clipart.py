#!/usr/bin/env python3
"""Makes two archives of drawings with their titles: OpenClipart's, and Tux Paint's stamps.

Usage: extract_clipart.py UNPACKED OUTPUT

The form is that of extract_emoji.py. A concept is a title in lower case. Left out are pictures of interfaces (buttons,
computer), generated stars, links to other pictures, and what has no title.
"""

import os
import pathlib
import re
import sys
import xml.etree.ElementTree

import extract_emoji

OPENCLIPART = "usr/share/openclipart"
STAMPS = "usr/share/tuxpaint/stamps"
LEFT_OUT = ("buttons/", "computer/", "shapes/stars/")
DC = "{http://purl.org/dc/elements/1.1/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


def plain(text):
    return re.sub(r"\s+", " ", text or "").strip()


def record(name, captions, style, group, licence):
    captions = list(dict.fromkeys(filter(None, map(plain, captions))))
    return {
        "file_name": name,
        "captions": captions,
        "concept": captions[0].lower(),
        "style": style,
        "class": group,
        "licence": licence,
    }


def work(path):
    """A drawing's title and keywords, from the description of the work itself."""
    try:
        root = xml.etree.ElementTree.parse(path).getroot()
    except (OSError, xml.etree.ElementTree.ParseError):
        return "", []
    for element in root.iter():
        if element.tag.endswith("}Work"):
            title = element.findtext(f"{DC}title")
            words = [plain(item.text) for item in element.findall(f"{DC}subject/{RDF}Bag/{RDF}li")]
            return plain(title), [word for word in words if word]
    return "", []


def drawings(tree):
    root = tree / OPENCLIPART / "png"
    for path in sorted(root.rglob("*.png"), key=lambda path: os.fsencode(path.relative_to(root))):
        name = path.relative_to(root).as_posix()
        if path.is_symlink() or name.startswith(LEFT_OUT):
            continue
        title, words = work((tree / OPENCLIPART / "svg" / name).with_suffix(".svg"))
        if title:
            group = name.split("/")[0]
            yield path, record(name, [title, ", ".join(words)], "openclipart", group, "public domain")


def stamps(tree):
    root = tree / STAMPS
    for path in sorted(root.rglob("*.png"), key=lambda path: os.fsencode(path.relative_to(root))):
        text = path.with_suffix(".txt")
        sentence = text.read_text(encoding="utf-8").split("\n")[0] if text.is_file() else ""
        if plain(sentence):
            name = path.relative_to(root).as_posix()
            yield path, record(name, [sentence], "tuxpaint", name.split("/")[0], "GPL-2.0-only")


def main():
    tree, output = map(pathlib.Path, sys.argv[1:])
    extract_emoji.write(output / "openclipart.tar", drawings(tree))
    extract_emoji.write(output / "tuxpaint.tar", stamps(tree))


if __name__ == "__main__":
    main()
