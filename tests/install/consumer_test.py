#!/usr/bin/python3
"""A project that uses Kelvin builds and runs a function, in each way of using it.

Usage: consumer_test.py WAY SOURCE_FOLDER BUILD_FOLDER COMPILER CMAKE_ARGUMENT...
WAY is find_package, add_subdirectory or pkg_config.
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import runtime_api


def run(*command, **options):
    subprocess.run([str(part) for part in command], check=True, **options)


def install(build, prefix):
    run("cmake", "--install", build, "--prefix", prefix, "--component", "sdk",
        stdout=subprocess.DEVNULL)


def build_with_cmake(consumer, folder, *arguments):
    """The bootstrap, taken out of its package."""
    build = folder / "build"
    run("cmake", "-S", consumer, "-B", build, *arguments)
    run("cmake", "--build", build, "--target", "orders-aot")
    with zipfile.ZipFile(build / "packages" / "orders-aot.zip") as archive:
        archive.extract("bootstrap", folder)
    (folder / "bootstrap").chmod(0o755)
    return folder / "bootstrap"


def build_with_pkg_config(consumer, folder, compiler, prefix):
    places = ":".join(str(path.parent) for path in prefix.rglob("kelvin.pc"))
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "kelvin-aws", "kelvin"], check=True,
                           text=True, stdout=subprocess.PIPE,
                           env={**os.environ, "PKG_CONFIG_PATH": places}).stdout.split()
    run(compiler, "-O1", consumer / "main.cc", *flags, "-o", folder / "bootstrap")
    return folder / "bootstrap"


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    way, source, build, compiler = sys.argv[1], *map(pathlib.Path, sys.argv[2:4]), sys.argv[4]
    consumer = source / "tests" / "consumer"
    with tempfile.TemporaryDirectory(prefix="kelvin-consumer-") as name:
        folder = pathlib.Path(name)
        prefix = folder / "moved"
        if way == "add_subdirectory":
            program = build_with_cmake(consumer, folder, f"-DKELVIN_SOURCE={source}", *sys.argv[5:])
        else:
            install(build, folder / "prefix")
            (folder / "prefix").rename(prefix)  # nothing installed may depend on its place
            if way == "find_package":
                program = build_with_cmake(consumer, folder, f"-DCMAKE_PREFIX_PATH={prefix}",
                                           *sys.argv[5:])
            else:
                program = build_with_pkg_config(consumer, folder, compiler, prefix)
        path, body = runtime_api.invoke(program, b'{"id":"o-1","items":["a","b"]}')
        assert path == "/2018-06-01/runtime/invocation/r-1/response", (path, body)
        digest = hashlib.sha256(b"o-1").hexdigest()
        assert json.loads(body) == {"id": "o-1", "count": 2, "digest": digest}, body
        path, body = runtime_api.invoke(program, b'{"id":"o-1","items":[]}')
        assert path == "/2018-06-01/runtime/invocation/r-1/error", (path, body)
        assert json.loads(body)["errorType"] == "Function.NoItems", body


if __name__ == "__main__":
    main()
