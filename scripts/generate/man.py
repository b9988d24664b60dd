"""Turns the description of a program's options (--experimental-dump-help, JSON) into a manual page on standard output.

    PROGRAM --experimental-dump-help | python3 man.py VERSION PROGRAM...      the programs refer to each other
"""

import json
import pathlib
import re
import sys

OPTIONS = pathlib.Path(__file__).with_name("options.md")
# The rows of the page's table of exit codes: code and meaning.
EXIT_STATUS = re.findall(r"^\| (\d+) \| (.+) \|$", OPTIONS.read_text(encoding="utf-8"), re.MULTILINE)


def escaped(text):
    """Text with the escapes that make troff print it literally."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def spelling(name):
    return ("-" if name["kind"] == "short" else "--") + name["name"]


def shown(arguments):
    return [argument for argument in arguments if argument.get("shouldDisplay", True)]


def title(argument):
    value = "\\fI%s\\fR" % escaped(argument.get("valueName", ""))
    if argument["kind"] == "positional":
        return value
    names = ", ".join("\\fB%s\\fR" % escaped(spelling(name)) for name in argument["names"])
    return names if argument["kind"] == "flag" else f"{names} {value}"


def synopsis(argument):
    name = argument["preferredName"] if "preferredName" in argument else None
    value = "\\fI%s\\fR" % escaped(argument.get("valueName", ""))
    word = value if name is None else "\\fB%s\\fR" % escaped(spelling(name))
    if argument["kind"] == "option":
        word += f" {value}"
    if argument.get("isRepeating"):
        word += " ..."
    return f"[{word}]" if argument.get("isOptional") else word


def options(arguments):
    for argument in shown(arguments):
        yield f".TP\n{title(argument)}\n{escaped(argument.get('abstract', ''))}"
        if argument.get("defaultValue"):
            yield f"(default: {escaped(argument['defaultValue'])})"


def discussion(text):
    """Paragraphs; indented ones keep their lines."""
    for paragraph in text.split("\n\n"):
        if paragraph.startswith(" "):
            yield f".nf\n{escaped(paragraph)}\n.fi"
        else:
            yield f".PP\n{escaped(paragraph)}"


def page(command, version, programs):
    name, own = command["commandName"], shown(command.get("arguments", []))
    commands = [other for other in command.get("subcommands", []) if other.get("shouldDisplay", True)]
    commands = [other for other in commands if other["commandName"] != "help"]
    yield f'.TH "{name.upper()}" "1" "" "tempnet {version}" "tempnet"'
    yield f".SH NAME\n{escaped(name)} \\- {escaped(command.get('abstract', '').rstrip('.'))}"
    yield ".SH SYNOPSIS"
    for other in commands:
        words = " ".join(map(synopsis, shown(other.get("arguments", []))))
        yield f"\\fB{escaped(name)} {escaped(other['commandName'])}\\fR {words}\n.br"
    if not commands:
        yield f"\\fB{escaped(name)}\\fR " + " ".join(map(synopsis, own))
    if command.get("discussion"):
        yield ".SH DESCRIPTION"
        yield from discussion(command["discussion"])
    yield ".SH OPTIONS"
    yield from options(own)
    for other in commands:
        yield f".SH {other['commandName'].upper()}\n{escaped(other.get('abstract', ''))}"
        if other.get("discussion"):
            yield from discussion(other["discussion"])
        yield from options([a for a in other.get("arguments", []) if a not in own])
    yield ".SH EXIT STATUS"
    for status, meaning in EXIT_STATUS:
        yield f".TP\n.B {status}\n{escaped(meaning[0].upper() + meaning[1:])}."
    others = [f"\\fB{escaped(program)}\\fR(1)" for program in programs if program != name]
    yield ".SH SEE ALSO\n" + ", ".join(others)


if __name__ == "__main__":
    for part in page(json.load(sys.stdin)["command"], sys.argv[1], sys.argv[2:]):
        print(part)
