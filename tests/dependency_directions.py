#!/usr/bin/python3
"""Fails when an include breaks the directions in which the folders may depend on each other.

Usage: dependency_directions.py REPOSITORY
"""
import pathlib
import re
import sys

# What each folder may include; a folder may always include itself.
ALLOWED = {
    "base": {"include"},
    "http": {"base"},
    "aws": {"base", "http"},
    "runtime": {"base", "http", "aws", "include"},
    "engine": {"base", "http", "aws", "runtime", "include"},
    "package": {"base"},
    "sandbox": {"base", "package"},
    "service": {"base", "http", "aws", "package", "sandbox"},
    "tables": {"base", "http", "aws"},
    "lab": {"base", "http", "aws"},
    "deploy": {"base", "http", "aws"},
    "cli": {"base", "deploy", "http", "aws", "package", "sandbox", "service", "tables", "lab"},
    "include": set(),
    "functions": {"include", "base", "http", "aws", "lab"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]((?:[a-z_0-9]+/)+[a-z_0-9.]+)[">]', re.MULTILINE)


def folder_of(path):
    parts = path.parts
    return parts[1] if parts[0] == "src" else parts[0]


def target_of(include):
    first = include.split("/", 1)[0]
    if first == "kelvin":
        return "include"
    return first if first in ALLOWED else None


def breaches(repository):
    """Yields 'file: folder may not include X' for each include that breaks a direction."""
    for root in ("src", "include", "functions"):
        for path in sorted((repository / root).rglob("*")):
            if path.suffix not in (".h", ".cc"):
                continue
            relative = path.relative_to(repository)
            folder = folder_of(relative)
            if folder not in ALLOWED:
                yield f"{relative}: folder '{folder}' is not in the table of directions"
                continue
            for include in INCLUDE.findall(path.read_text()):
                target = target_of(include)
                if target and target != folder and target not in ALLOWED[folder]:
                    allowed = ", ".join(sorted(ALLOWED[folder])) or "nothing"
                    yield f"{relative}: {folder} may include {allowed}, not \"{include}\""


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = list(breaches(pathlib.Path(sys.argv[1])))
    print("\n".join(found) or "every include keeps the directions")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
