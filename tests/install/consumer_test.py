#!/usr/bin/python3
"""A project that uses Kelvin builds and runs a function, in each way of using it and in each mode.

Usage: consumer_test.py WAY SOURCE_FOLDER BUILD_FOLDER TOOL CMAKE_ARGUMENT...
WAY is find_package, find_package_for_arm64, add_subdirectory, pkg_config or new_project. TOOL is the
compiler, for arm64 the emulator, for new_project the kelvin command, which writes the project. Without an engine in BUILD_FOLDER the modes jit and r2r are refused, and
that is tested instead.
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
    done = subprocess.run([str(part) for part in command], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **options)
    print(done.stdout)
    if done.returncode != 0:
        sys.exit(f"{command} ended with {done.returncode}")
    return done.stdout


def install(build, prefix):
    run("cmake", "--install", build, "--prefix", prefix, "--component", "sdk")


def install_and_move(folder, *builds):
    """Where it is in the end: nothing installed may depend on where it was."""
    for build in builds:
        install(build, folder / "prefix")
    (folder / "prefix").rename(folder / "moved")
    return folder / "moved"


def unpack(package, folder):
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    if (folder / "bootstrap").exists():
        (folder / "bootstrap").chmod(0o755)
    return folder


class Consumer:
    def __init__(self, source, folder):
        self.source, self.folder = source / "tests/consumer", folder
        self.build = folder / "build"

    def configure(self, *arguments):
        return run("cmake", "-S", self.source, "-B", self.build, *arguments)

    def package(self, target, name=None):
        """The folder of what the target packs."""
        run("cmake", "--build", self.build, "--target", target)
        return unpack(self.build / "packages" / f"{name or target}.zip", self.folder / target)


def answer(program, event, **settings):
    path, body = runtime_api.invoke(program, json.dumps(event).encode(), **settings)
    return path.rsplit("/", 1)[-1], json.loads(body)


def expect_orders_are_taken(program, **settings):
    digest = hashlib.sha256(b"o-1").hexdigest()
    got = answer(program, {"id": "o-1", "items": ["a", "b"]}, **settings)
    assert got == ("response", {"id": "o-1", "count": 2, "digest": digest}), got
    kind, body = answer(program, {"id": "o-1", "items": []}, **settings)
    assert (kind, body["errorType"]) == ("error", "Function.NoItems"), body
    return answer(program, {"id": "o-1", "items": ["a"], "plugin": "twice"}, **settings)


def expect_no_plugins(got):
    assert got[1].get("errorType") == "Runtime.NoEngine", got


def expect_plugins(got):
    assert got[0] == "response" and got[1]["count"] == 2, got


def check_engine_modes(consumer):
    for mode in ("jit", "r2r"):
        package = consumer.package(f"orders-{mode}")
        layer = unpack(consumer.build / "packages/kelvin-engine.zip", consumer.folder / "layer")
        expect_plugins(expect_orders_are_taken(
            layer / "bootstrap", environment={"LAMBDA_TASK_ROOT": str(package)}, cwd=package))


def check_cmake(consumer, has_engine, *arguments):
    said = consumer.configure(*arguments)
    expect_no_plugins(expect_orders_are_taken(consumer.package("orders-aot") / "bootstrap"))
    if has_engine:
        check_engine_modes(consumer)
    else:
        said = " ".join(said.split())
        assert "CMake Warning" in said and "orders is not built in mode r2r and jit: this Kelvin was built without its engine" in said, said


def check_arm64(consumer, prefix, emulator, *arguments):
    toolchain = next(prefix.rglob("aarch64.cmake"))
    said = consumer.configure(f"-DCMAKE_TOOLCHAIN_FILE={toolchain}", f"-DCMAKE_PREFIX_PATH={prefix}",
                              *arguments)
    assert "not built in mode r2r and jit: Kelvin's engine is for x86-64" in said, said
    program = consumer.package("orders-aot", "orders-aot-arm64") / "bootstrap"
    expect_no_plugins(expect_orders_are_taken(program, command=[emulator]))


def ask_pkg_config(prefix, *arguments):
    places = ":".join(str(path.parent) for path in prefix.rglob("kelvin.pc"))
    return run("pkg-config", *arguments, env={**os.environ, "PKG_CONFIG_PATH": places}).split()


def check_pkg_config(consumer, prefix, compiler, has_engine):
    program = consumer.folder / "bootstrap"
    libraries = ["kelvin-aws", "kelvin"]
    flags = ask_pkg_config(prefix, "--cflags", "--libs", *libraries)
    run(compiler, "-O1", consumer.source / "main.cc", *flags, "-o", program)
    expect_no_plugins(expect_orders_are_taken(program))
    if not has_engine:
        return
    where = {name: ask_pkg_config(prefix, f"--variable={name}", "kelvin")[0]
             for name in ("bitcode", "engine", "engine_layer", "pack")}
    unit, code = consumer.folder / "main.o.bc", consumer.folder / "function.bc"
    run("clang++-19", "-O2", "-Xclang", "-disable-llvm-passes", "-fPIC", "-march=x86-64-v2",
        *ask_pkg_config(prefix, "--cflags", *libraries), "-emit-llvm", "-c",
        consumer.source / "main.cc", "-o", unit)
    run(where["bitcode"], "--engine", where["engine"], "--output", code, unit)
    run(where["pack"], "--output", consumer.folder / "orders.zip", "--file", f"function.bc={code}")
    package = unpack(consumer.folder / "orders.zip", consumer.folder / "package")
    layer = unpack(where["engine_layer"], consumer.folder / "layer")
    got = expect_orders_are_taken(layer / "bootstrap",
                                  environment={"LAMBDA_TASK_ROOT": str(package)}, cwd=package)
    assert got[0] == "error", got  # no plugin in this package


def check_new_project(folder, prefix, kelvin, *arguments):
    for name, template, package in (("greet", "hello", ["greet-aot"]), ("send", "create-item", [])):
        run(kelvin, "new", folder / name, "--from", template)
        build = folder / f"{name}-build"
        run("cmake", "-S", folder / name, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}", *arguments)
        run("cmake", "--build", build, "--target", f"{name}_test", *package)
        run("ctest", "--test-dir", build, "--no-tests=error", "--output-on-failure")
    package = unpack(folder / "greet-build/packages/greet-aot.zip", folder / "package")
    got = answer(package / "bootstrap", json.loads((folder / "greet/event.json").read_text()))
    assert got == ("response", {"message": "Hello, Ada!"}), got


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    way, source, build, tool, *arguments = sys.argv[1:]
    source, build = pathlib.Path(source), pathlib.Path(build)
    has_engine = (build / "packages/kelvin-engine.zip").exists()
    with tempfile.TemporaryDirectory(prefix="kelvin-consumer-") as name:
        folder = pathlib.Path(name)
        consumer = Consumer(source, folder)
        if way == "add_subdirectory":
            engine = "ON" if has_engine else "OFF"
            check_cmake(consumer, has_engine, f"-DKELVIN_SOURCE={source}",
                        f"-DKELVIN_ENGINE={engine}", *arguments)
        elif way == "find_package":
            prefix = install_and_move(folder, build)
            check_cmake(consumer, has_engine, f"-DCMAKE_PREFIX_PATH={prefix}", *arguments)
        elif way == "find_package_for_arm64":
            prefix = install_and_move(folder, build, build / "arm64")
            check_arm64(consumer, prefix, tool, *arguments)
        elif way == "new_project":
            check_new_project(folder, install_and_move(folder, build), tool, *arguments)
        else:
            check_pkg_config(consumer, install_and_move(folder, build), tool, has_engine)


if __name__ == "__main__":
    main()
