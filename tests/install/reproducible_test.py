#!/usr/bin/python3
"""The same sources give the same zip, byte for byte, in another folder.

Usage: reproducible_test.py SOURCE_FOLDER PACKAGE.zip TARGET CMAKE_ARGUMENT...
Builds TARGET afresh from a copy of the sources and compares its zip with PACKAGE.zip.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

PARTS = ["CMakeLists.txt", "cmake", "include", "src", "functions", "data"]


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    source, package, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    with tempfile.TemporaryDirectory(prefix="kelvin-another-place-") as folder:
        copy = pathlib.Path(folder) / "a" / "sources"
        build = pathlib.Path(folder) / "built"
        copy.mkdir(parents=True)
        for part in PARTS:
            if (source / part).is_dir():
                shutil.copytree(source / part, copy / part)
            elif (source / part).exists():
                shutil.copy(source / part, copy / part)
        # A compiler cache could hand out the first build's objects, and then nothing is tested.
        environment = {**os.environ, "CCACHE_DISABLE": "1"}
        subprocess.run(["cmake", "-S", copy, "-B", build, "-DKELVIN_TESTS=OFF", "-DKELVIN_BENCH=OFF",
                        *sys.argv[4:]], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["cmake", "--build", build, "--target", target], check=True, env=environment)
        other = build / "packages" / package.name
        if other.read_bytes() != package.read_bytes():
            sys.exit(f"{package} and its like built elsewhere differ: "
                     f"{package.stat().st_size} and {other.stat().st_size} bytes")


if __name__ == "__main__":
    main()
