#!/usr/bin/python3
"""Keeps the README's table of keys equal to what the programs say with --help.

    scripts/document_keys.py [--check] [--bin build/drivers]

Rewrites the part of README.md between the two `keys` comments; with --check it changes nothing and exits with 1 where
the table is not up to date.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
BEGIN = "<!-- keys: begin (scripts/document_keys.py) -->"
END = "<!-- keys: end -->"


def keys_of(program):
    """{key: (state, meaning)} in the order of --help."""
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    text = subprocess.run([program, "--help"], check=True, capture_output=True, text=True, env=environment).stdout
    keys = {}
    name = None
    for line in text.splitlines():
        head = re.fullmatch(r"  --(\w+\.\w+)  \((.*)\)", line)
        if head:
            name = head.group(1)
            keys[name] = (head.group(2).removeprefix("default: "), "")
        elif name and line.startswith("      "):
            state, meaning = keys[name]
            keys[name] = (state, f"{meaning} {line.strip()}".strip())
        else:
            name = None
    return keys


def in_sections(names):
    """Sections in the order of their first key, so that the programs' own keys stand beside the shared ones."""
    sections = list(dict.fromkeys(name.split(".")[0] for name in names))
    return sorted(names, key=lambda name: sections.index(name.split(".")[0]))


def cell(text):
    return text.replace("|", "\\|")


def table(programs):
    """Markdown: one row a key; one more where a program's default or meaning differs from another's."""
    rows = {}  # (key, state, meaning): the programs that say so
    for program in programs:
        for key, (state, meaning) in keys_of(program).items():
            rows.setdefault((key, state, meaning), []).append(program.name.removeprefix("hpot-"))
    lines = ["| key | default | programs | meaning |", "| --- | --- | --- | --- |"]
    for name in in_sections(list(dict.fromkeys(key for key, _, _ in rows))):
        for (key, state, meaning), users in rows.items():
            if key != name:
                continue
            default = state if state in ("required", "not set") else f"`{state}`"
            lines.append(f"| `{key}` | {default} | {', '.join(users)} | {cell(meaning)} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build" / "drivers", help="folder of the programs")
    parser.add_argument("--check", action="store_true", help="only compare")
    arguments = parser.parse_args()

    order = ("sinkhorn", "barycenter")
    names = sorted((source.stem for source in (ROOT / "drivers").glob("*.cpp")),
                   key=lambda name: (order.index(name) if name in order else len(order), name))
    programs = [arguments.bin / f"hpot-{name}" for name in names]
    for program in programs:
        if not program.exists():
            sys.exit(f"document_keys.py: {program} (not built) [cmake --build --preset release]")
    readme = ROOT / "README.md"
    text = readme.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(f"document_keys.py: {readme} (lacks the lines '{BEGIN}' and '{END}') [put them back]")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    wanted = f"{before}{BEGIN}\n\n{table(programs)}\n\n{END}{after}"
    if wanted == text:
        return
    if arguments.check:
        sys.exit(f"document_keys.py: {readme} (its keys are not those of --help) [run scripts/document_keys.py]")
    readme.write_text(wanted)


if __name__ == "__main__":
    main()
