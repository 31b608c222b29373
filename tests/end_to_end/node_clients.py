"""AWS's JavaScript clients, installed from npm into the build folder by the committed lock file."""
import os
import pathlib
import shutil
import subprocess
import unittest

import harness

FOLDER = pathlib.Path(os.environ.get("KELVIN_NODE", "build/release/node")).absolute()
SOURCES = pathlib.Path(__file__).with_name("node")


def install():
    """The folder with the clients; a test is skipped, with the reason, where they cannot be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise unittest.SkipTest("needs node and npm (tools/setup installs them)")
    lock = (SOURCES / "package-lock.json").read_bytes()
    installed = FOLDER / "installed-lock.json"
    if not installed.exists() or installed.read_bytes() != lock:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCES / name, FOLDER / name)
        done = subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=FOLDER,
                              capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise unittest.SkipTest(f"npm cannot install the clients: {done.stderr.strip()[-500:]}")
        installed.write_bytes(lock)
    return FOLDER


def run(script, endpoint, **variables):
    """Runs a script of tests/end_to_end/node against an endpoint; fails as the script does."""
    folder = install()
    shutil.copy(SOURCES / script, folder / script)
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_REGION": "us-east-1",
                   "AWS_ENDPOINT_URL": endpoint, **harness.AWS_ENVIRONMENT, **variables}
    done = subprocess.run(["node", script], cwd=folder, env=environment, capture_output=True,
                          text=True, timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"{script}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout
