"""Seconds from a program's start to the end of its `--help`; the least of many, because longer runs waited for other work."""

from bench import run

TIMES = 20


def measure(bench):
    programs = sorted(file for file in bench.programs.glob("tempnet-*") if "." not in file.name and file.is_file())
    return {program.name: min(run([program, "--help"])[1] for _ in range(bench.size(TIMES, 1))) for program in programs}


def show(result):
    print("\nfrom start to end of --help")
    for name, seconds in result.items():
        print(f"{name:24}{1000 * seconds:>8.0f} ms")
