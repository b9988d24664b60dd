#!/usr/bin/env python3
"""Makes corpus.txt's tokenizer.json, cases.json and repairs.json with Python's `tokenizers` 0.23.3.

Usage: make_fixtures.py, in the folder where this lies.
"""

import json
import pathlib
import random
import re

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
VOCABULARY = 700

TEXTS = {
    "nothing": "",
    "one letter": "a",
    "one blank": " ",
    "words": "Every human being is born free and equal in dignity and rights.",
    "contractions": "I'm sure you'll say we've seen what they'd do; it's Jane's, isn't it? They're here.",
    "contractions that are none": "'S 'LL 'Ve ’s ''s ' s 'l 'v 'r 'x x'ss 'lll don't't '",
    "apostrophes and blanks": " 's  'll '' ' '\n'd",
    "blanks": "a  b   c    d     ",
    "only blanks": "     ",
    "line ends": "one\ntwo\n\nthree \n four\r\nfive\n \n",
    "tabs": "\ta\t\tb \tc\t d",
    "white space of Unicode": "a\u00a0b\u2003\u2003c\u3000d\u2028e\u2029f\u0085g\u1680h\u202fi\u205fj \u00a0k\u00a0 l",
    "no white space though it looks so": "a\u200bb\ufeffc\u180ed\u2060e\x1cf\x1dg\x1eh\x1fi",
    "control characters": "a\x00b\x01c\x0bd\x0ce\x7ff",
    "numbers": "1 12 123 3.14 1,000,000 2²³ Ⅷ ½ ٣٤٥ १२३ 𝟙𝟚 4th x2 2x",
    "punctuation": "Well -- that is, (perhaps) [so]; \"no\"... #@$%^&*_+=~`|\\<>/?!",
    "punctuation after blanks": "a ! b !! c , d",
    "accents": "café naïve Ångström façade ÀÉÎÕÜ ß ŋ",
    "combining marks": "e\u0301 a\u0323\u0308 o\u0302\u0323x \u0301",
    "Greek": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι",
    "Cyrillic": "Все люди рождаются свободными и равными",
    "Hebrew": "כל בני אדם נולדו בני חורין",
    "Arabic": "يولد جميع الناس أحرارا متساوين",
    "Devanagari": "सभी मनुष्यों को गौरव और अधिकारों",
    "Thai": "มนุษย์ทั้งหลายเกิดมามีอิสระ",
    "Georgian": "ყველა ადამიანი იბადება თავისუფალი",
    "Korean": "모든 인간은 태어날 때부터 자유로우며",
    "Japanese": "すべての人間は、生まれながらにして自由であり、ヘッドライン",
    "Chinese": "人人生而自由，在尊严和权利上一律平等。",
    "beyond the first plane": "𝔄𝔅 𐍈𐌰 𓀀𓂀 𠀀𠀁 😀a😀 1😀",
    "emoji": "👍🏽 👨‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇫🇷 ❤️ 1️⃣ ☺",
    "new in Unicode 15 and 16": "𞤀 \U0001e4d0 \U00031350 \U00010d40 \U00010d4a \u1c89 \ua7cb",
    "unassigned and private": "\u0378 \ue000 \U0010ffff \U000e0001 \uffff",
    "special token as text": "<|endoftext|> a<|endoftext|>b",
    "right to left and back": "abc \u202eabc\u202c אבג abc",
    "source code": "def f(x):\n    return {'a': x[0]**2, \"b\": None}  # why\n\tpass\n",
    "address": "https://example.org/a_b/c?d=e&f=%20#g",
    "a long word": "supercalifragilistic" * 20,
    "the same letter": "a" * 1000,
    "the same blank": " " * 700 + "x",
    "a long run of marks": "!" * 300 + "-" * 300,
    "a long run of ideographs": "自由平等" * 120,
    "a long word of many letters": "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=3000)),
}

# Ill-formed in every way that table 3-7 of the Unicode standard knows, in between and at the end.
BROKEN = [
    b"\x80", b"a\xbfb", b"\xc0\x80", b"\xc1\xbf", b"\xc2", b"\xc2a", b"\xc3\x28", b"\xe0\x80\x80", b"\xe0\xa0",
    b"\xe1\x80", b"\xe1\x80x", b"\xe2\x82\xac\xe2\x82", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\x9f\xbf",
    b"\xef\xbf\xbd\xef\xbf", b"\xf0\x80\x80\x80", b"\xf0\x90\x80", b"\xf0\x9f\x98\x80\xf0\x9f\x98", b"\xf1\x80\x80a",
    b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfe\xff", b"\xff\xfea\x00",
    b"\xe2\x28\xa1\xe2\x82\x28", b"\xf0\x28\x8c\xbc\xf0\x90\x28\xbc\xf0\x90\x8c\x28", b"\xc2\xc2\xa0\xe2\xe2\x80\x80",
]


def train():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    corpus = (HERE / "corpus.txt").read_bytes().decode("utf-8")
    tokenizer.train_from_iterator([corpus], trainer)
    return tokenizer


def write(name, value):
    text = json.dumps(value, ensure_ascii=True, indent=1)
    # One case a line: what is compared should show as one line where it differs.
    text = re.sub(r"\n   +", "", re.sub(r"\n  \]", "]", text))
    (HERE / name).write_text(text + "\n", encoding="utf-8")


def random_bytes(seed):
    generator = random.Random(seed)
    return bytes(generator.choice(b"a \x80\x9f\xa0\xbf\xc2\xdf\xe0\xe2\xed\xef\xf0\xf1\xf4\xff") for _ in range(200))


def main():
    tokenizer = train()
    tokenizer.save(str(HERE / "tokenizer.json"))
    # `tokenizers` would find the special token inside text; ours, like tiktoken's `encode_ordinary`, takes it for text.
    plain = Tokenizer(tokenizer.model)
    plain.pre_tokenizer = tokenizer.pre_tokenizer
    cases = []
    for name, text in TEXTS.items():
        pieces = [text[start:end] for _, (start, end) in tokenizer.pre_tokenizer.pre_tokenize_str(text)]
        assert "".join(pieces) == text
        words = len(re.split(r"\s+", text))
        cases.append({"name": name, "text": text, "pieces": pieces, "ids": plain.encode(text).ids, "words": words})
    write("cases.json", cases)
    broken = BROKEN + [random_bytes(seed) for seed in range(20)]
    write("repairs.json", [{"bytes": list(b), "text": b.decode("utf-8", "replace")} for b in broken])


if __name__ == "__main__":
    main()
