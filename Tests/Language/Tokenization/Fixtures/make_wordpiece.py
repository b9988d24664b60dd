#!/usr/bin/env python3
"""Writes the folder wordpiece: small WordPiece vocabularies by different rules, and the ids that `tokenizers` gives.

Usage: make_wordpiece.py PHRASES

PHRASES is a text file, one phrase a line (CLDR's English names and keywords of emoji were taken). Needs tokenizers as in
scripts/requirements.txt.
"""

import json
import pathlib
import sys

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

FOLDER = pathlib.Path(__file__).parent / "wordpiece"
TEXTS = [
    "", " ", "a cat", "Grinning FACE with big eyes!", "crème brûlée", "İstanbul ΑΣ ẞ Ǆ", "漢字 kanji,漢 \uf900",
    "a\u0000b\u00ad\u200bc\td\ne\x0bf\x85g\u2028h", "unaffable" * 13, "x" * 100, "x" * 101, "é" * 101, "e\u0301\u0323 \u0344",
    "don't. (stop) — “now”… ¿qué? `$5+3=8` ~^|", "👍🏽 thumbs up", "a\u3000b\u00a0c", "\u1e9b\u0323", "각 한국", "क्षि", "ﬁne ǅ ﬀ",
    "one two three four five six seven eight nine ten eleven twelve", "\u302e\U0001d165a", "Ω Å", "\ufffd \ue000 \U000e0001",
    "flag: England", "person: medium-light skin tone, blond hair",
]
RULES = {
    "uncased": dict(),
    "cased": dict(lowercase=False),
    "stripped": dict(lowercase=False, strip_accents=True, handle_chinese_chars=False),
    "accented": dict(strip_accents=False),
}


def main():
    phrases = [line.strip() for line in open(sys.argv[1], encoding="utf-8")][:300]
    FOLDER.mkdir(exist_ok=True)
    cases = {}
    for name, rules in RULES.items():
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer(**rules)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
        trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=marks, show_progress=False)
        tokenizer.train_from_iterator(phrases + TEXTS, trainer)
        if name == "cased":
            tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
        else:
            special = [("[CLS]", 2), ("[SEP]", 3)]
            tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=special)
        if name == "uncased":
            tokenizer.enable_truncation(12)
        tokenizer.save(str(FOLDER / f"{name}.json"), pretty=False)
        cases[name] = [{"text": text, "ids": tokenizer.encode(text).ids} for text in TEXTS]
    (FOLDER / "cases.json").write_text(json.dumps(cases, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
