#!/usr/bin/env python3
"""Takes names and keywords of emoji in five scripts out of CLDR: 2,000 captions of each, one a line.

Usage: extract_captions.py UNPACKED OUTPUT
"""

import pathlib
import sys
import xml.etree.ElementTree

LANGUAGES = ("vi", "ru", "ar", "hi", "zh")  # Latin with many accents, Cyrillic, Arabic, Devanagari, Chinese.
COUNT = 2_000

if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    common = pathlib.Path(sys.argv[1]) / "usr/share/unicode/cldr/common"
    with open(pathlib.Path(sys.argv[2]) / "captions.txt", "w", encoding="utf-8") as output:
        for language in LANGUAGES:
            captions = {}
            for folder in ("annotations", "annotationsDerived"):
                tree = xml.etree.ElementTree.parse(common / folder / f"{language}.xml")
                for annotation in tree.iter("annotation"):
                    captions[annotation.text.replace(" | ", ", ")] = None
            lines = list(captions)[:COUNT]
            if len(lines) != COUNT or any("\n" in line for line in lines):
                raise SystemExit(f"{language} has {len(lines)} captions")
            output.writelines(f"{line}\n" for line in lines)
