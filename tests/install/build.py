#!/usr/bin/python3
"""Configures a build folder and builds targets there.

Usage: build.py SOURCE_FOLDER BUILD_FOLDER TARGET... -- CMAKE_ARGUMENT...
"""
import subprocess
import sys


def main():
    if "--" not in sys.argv[3:]:
        sys.exit(__doc__)
    source, build, *rest = sys.argv[1:]
    targets, arguments = rest[:rest.index("--")], rest[rest.index("--") + 1:]
    subprocess.run(["cmake", "-S", source, "-B", build, *arguments], check=True)
    subprocess.run(["cmake", "--build", build, "--target", *targets], check=True)


if __name__ == "__main__":
    main()
