"""The growth of time and peak memory of our programs as their input doubles."""

import statistics

# A model with a large head, so that the growth of the head shows.
SMALL = {
    "objective": "robust", "entropy": 1.0, "context": 128, "batch": 8, "seed": 1, "validation_interval": 1 << 20,
    "checkpoint_interval": 1 << 20, "select": "last", "model": {"layers": 2, "width": 128, "heads": 4},
    "optimiser": {"warmup": 0},
}
MEGABYTE = 1_000_000


def doubled(bench, first, least):
    """Four sizes, each twice the one before; two with --smoke."""
    return [bench.size(first, least) << number for number in range(bench.size(4, 2))]


def part(bench, megabytes):
    """The beginning of the verse, to the end of a line. It is never in memory as a whole, because the peak memory of this process
    counts for the programs that it starts (getrusage(2))."""
    file = bench.work / f"verse-{megabytes}.txt"
    if not file.exists():
        left = megabytes * bench.size(MEGABYTE, MEGABYTE // 50)
        with open(bench.verse(), "rb") as whole, open(file, "wb") as beginning:
            while left > 0 and (line := whole.readline()):
                beginning.write(line)
                left -= len(line)
    return str(file)


def tokenizing(bench):
    """Time and memory of whole runs over texts of growing size."""
    learned = {"vocabulary": bench.size(8192, 512)}
    tokenizer = bench.tokens("growth-encoding", corpus=[part(bench, 8)], **learned)
    kinds = {"encoding": {"tokenizer": str(tokenizer)}, f"vocabulary of {learned['vocabulary']:,}": learned}
    for kind, settings in kinds.items():
        for size in doubled(bench, 15, 2):
            corpus = {"corpus": [part(bench, size)], "validation": 0, "test": 0, "threads": bench.threads}
            _, seconds, peak = bench.program("tokenize", settings | corpus, bench.work / "grown-tokens")
            yield {"what": f"tokenize: {kind}", "of": "MB of text", "size": size, "seconds": seconds, "peak_mib": peak}


def per_step(bench, settings, tokens, what, of, size):
    """Seconds of a step, by the difference of a long and a short run."""
    output, times = bench.work / "grown-model", []
    for _ in range(bench.rounds):
        _, short, _ = bench.program("pretrain", settings | {"steps": 2}, output, "--tokens", tokens)
        _, long, peak = bench.program("pretrain", settings | {"steps": 2 + bench.steps}, output, "--tokens", tokens)
        times.append((long - short) / bench.steps)
    return {"what": what, "of": of, "size": size, "seconds": statistics.median(times), "peak_mib": peak}


def pretraining(bench):
    text = {"corpus": [part(bench, 8)], "validation": 0.01, "test": 0.01}
    tokens = bench.tokens("growth", vocabulary=bench.size(8192, 512), **text)
    small = SMALL | bench.compute
    for batch in doubled(bench, 8, 1):
        yield per_step(bench, small | {"batch": batch}, tokens, "pretrain: a step", "windows of 128", batch)
    for context in doubled(bench, 128, 16):
        longer = small | {"context": context, "batch": bench.size(8, 1)}
        yield per_step(bench, longer, tokens, "pretrain: a step", "tokens in each of 8 windows", context)
    for vocabulary in doubled(bench, 4096, 300):
        own = bench.tokens(f"growth-{vocabulary}", vocabulary=vocabulary, **text)
        yield per_step(bench, small, own, "pretrain: a step", "entries of vocabulary", vocabulary)


def fitting(bench):
    tokens, model = bench.tokens("growth"), bench.work / "growth-model"
    features, fitted = bench.work / "grown-features", bench.work / "grown-tempnet"
    bench.program("pretrain", SMALL | bench.compute | {"steps": 8}, model, "--tokens", tokens)
    for count in doubled(bench, 32_768, 512):
        settings = bench.compute | {"train_tokens": count, "validation_tokens": bench.size(8192, 128)}
        _, seconds, peak = bench.program("features", settings, features, "--model", model, "--tokens", tokens)
        yield {"what": "features", "of": "tokens", "size": count, "seconds": seconds, "peak_mib": peak}
    batch = bench.size(2048, 128)
    for epochs in doubled(bench, 1, 1):
        settings = bench.compute | {"entropy": "auto", "epochs": epochs, "seed": 1, "batch": batch}
        _, seconds, peak = bench.program("fit", settings, fitted, "--features", features)
        yield {"what": "fit", "of": "epochs of 262,144 tokens", "size": epochs, "seconds": seconds, "peak_mib": peak}


def measure(bench):
    return [*tokenizing(bench), *pretraining(bench), *fitting(bench)]


def show(result):
    title = None
    for line in result:
        if (line["what"], line["of"]) != title:
            title = line["what"], line["of"]
            print(f"\n{line['what']}, by {line['of']}")
        print(f"{line['size']:>12,}{line['seconds']:>10.3f} s{line['peak_mib']:>10,.0f} MiB")
