#!/usr/bin/env python3
"""Makes the folder rules: for every rule that vocabularies are published with, a small tokenizer.json and what Python's
`tokenizers` 0.23.3 makes of the texts of make_fixtures.py (the short ones) with it.

Usage: make_rules.py, in the folder where this lies. Vocabularies are learnt from corpus.txt.
"""

import json
import pathlib

from make_fixtures import TEXTS
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
END = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
WORDS = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*" + END
PATTERNS = {
    "llama3": WORDS % r"\p{N}{1,3}",
    "qwen2": WORDS % r"\p{N}",
    "qwen35": CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" + END,
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|"
              r"\s+(?!\S)|\s",
    "llama-default": r"[\p{P}\$\+<=>\^~\|]+| ?\p{L}+|[0-9]{3}|(?:(?![0-9]{3})\p{N})+|"
                     r" ?[^\s\p{L}\p{N}\p{P}\$\+<=>\^~\|]+|\s+(?![^\s\p{P}\$\+<=>\^~\|])|\s",
    "o200k": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + CONTRACTIONS
             + r"?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + CONTRACTIONS
             + r"?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + END,
}
MORE_TEXTS = {
    "capitals": "iPhone HTTPServer McDonald's ÀÉî ǅungla ǆ ΑΒγδ ІП ʰello ᴬB aʰB «Ab» ,AB .Ab (aB",
    "contractions in capitals": "I'M SHE'LL 'Ve 'RE'd 's'S 'ſ I'ſ x'LL'll 'lL 'l L'",
    "lines at the end": "a\n  ",
    "lines and blanks": "a \r\n\r\n  b\n\n c\n\t\nd \n \n  ",
    "signs before lines": "a!\n\n\nb :\r\n/path//\n/ --\n x/\n",
    "long numbers": "1234567 12345678 ٣٤٥٦ 1,234.5678 x123456y",
    "to be composed": "e\u0301 A\u030a o\u0302\u0323 \u1100\u1161\u11a8 \uac00\u11a8 \u0958 \u2126 \u212b \u0344 =\u0338 "
                      "\u0341\u0301 q\u0323\u0307 \u0e33 \U0001d15e \ufb1d \u1e9b\u0323 a\u0315\u0300\u05ae\u0062",
    "tokens added": "a<tool>b <tool> <tool><too<tool> é<é é\u0301     x  \n      <tool>",
    "blanks at the start": "  two  blanks",
    "one blank at the start": " one",
    "SentencePiece's blank": "a\u2581b \u2581 c\u2581",
    "a blank added token": " <tool> x",
}


def byte_level(**options):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, **options)


def learn(pretokenizer, normalizer, ignore_merges=False):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pretokenizer
    tokenizer.decoder = decoders.ByteLevel()
    if normalizer:
        tokenizer.normalizer = normalizer
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False)
    tokenizer.train_from_iterator([(HERE / "corpus.txt").read_text(encoding="utf-8")], trainer)
    return tokenizer


def learn_sentence_piece(normalizer, pretokenizer):
    specials = ["<unk>", "<s>", "</s>"]
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=True)
    learner.train_from_iterator(
        [(HERE / "corpus.txt").read_text(encoding="utf-8")],
        trainers.BpeTrainer(
            vocab_size=600, special_tokens=specials + [f"<0x{byte:02X}>" for byte in range(256)], show_progress=False))
    model = json.loads(learner.to_str())["model"]
    tokenizer = Tokenizer(models.BPE(
        model["vocab"], [tuple(pair) for pair in model["merges"]], unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.add_special_tokens(specials)
    if normalizer:
        tokenizer.normalizer = normalizer
    if pretokenizer:
        tokenizer.pre_tokenizer = pretokenizer
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def split(name):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERNS[name]), "isolated", invert=False), byte_level(use_regex=False)])


def rules():
    nfc = normalizers.NFC()
    neox = learn(byte_level(), nfc)
    neox.add_tokens([AddedToken(" " * count, normalized=True) for count in range(2, 6)])
    neox.add_tokens([AddedToken("é<", normalized=True), AddedToken("é\u0301", normalized=False)])
    yield "neox", neox
    yield "smollm", learn(pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level()]), None)
    yield "llama3", learn(split("llama3"), None, ignore_merges=True)
    qwen = learn(split("qwen2"), nfc)
    qwen.add_tokens([AddedToken("<tool>", normalized=False)])
    yield "qwen2", qwen
    yield "qwen35", learn(split("qwen35"), nfc)
    yield "cl100k", learn(split("cl100k"), None)
    yield "o200k", learn(split("o200k"), None)
    yield "llama-default", learn(split("llama-default"), None)
    yield "llama2", learn_sentence_piece(
        normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]), None)
    first = learn_sentence_piece(None, pre_tokenizers.Metaspace(prepend_scheme="first", split=False))
    first.add_tokens([AddedToken("<tool>", normalized=False)])
    yield "metaspace-first", first
    always = learn_sentence_piece(None, pre_tokenizers.Metaspace(prepend_scheme="always", split=False))
    always.add_tokens([AddedToken("<tool>", normalized=False)])
    yield "metaspace-always", always
    yield "metaspace-never", learn_sentence_piece(None, pre_tokenizers.Metaspace(prepend_scheme="never", split=False))


def main():
    texts = {name: text for name, text in (TEXTS | MORE_TEXTS).items() if len(text) < 300}
    (HERE / "rules").mkdir(exist_ok=True)
    cases = {}
    for name, tokenizer in rules():
        tokenizer.save(str(HERE / "rules" / f"{name}.json"), pretty=False)
        # Text that spells a special token is text here.
        tokenizer.encode_special_tokens = True
        cases[name] = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts.values()]
    with open(HERE / "rules" / "cases.json", "w", encoding="ascii") as file:
        json.dump({"texts": texts, "ids": cases}, file)
        file.write("\n")


main()
