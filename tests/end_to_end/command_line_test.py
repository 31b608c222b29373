"""`kelvin compare` as a user runs it: no server to start, nothing left behind."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

import harness


# A build without the engine has packages of one mode only.
MODES = ("aot", "r2r", "jit") if "KELVIN_ENGINE_PROGRAM" in os.environ else ("aot",)


class Compare(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kelvin-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.out = self.folder / "out"

    def compare(self, *arguments, **settings):
        config = harness.SOURCE / "kelvin.toml"
        text = re.sub(r'"build/release/packages/', f'"{harness.PACKAGES}/', config.read_text())
        text = re.sub(r'"functions/', f'"{harness.SOURCE}/functions/', text)
        text = "".join(line for line in text.splitlines(keepends=True)
                       if not line.startswith("packages.") or line[9:12] in MODES)
        (self.folder / "kelvin.toml").write_text(text)
        return subprocess.run(
            [harness.KELVIN, "compare", "--config", str(self.folder / "kelvin.toml"),
             "--out", str(self.out), *arguments],
            capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
            env={**os.environ, "TMPDIR": str(self.folder)}, **settings)

    def test_measures_the_example_functions_and_leaves_nothing_behind(self):
        done = self.compare("--cold", "3", "--warm", "10", "--warm-up", "2", "--seed", "7")
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        for name in ("hello", "create-item", "transform"):
            self.assertIn(name, done.stdout)
        self.assertNotIn("\x1b", done.stdout)
        record = json.loads((self.out / "compare.json").read_text())
        self.assertEqual(record["seed"], 7)
        expected = {f"{name}-{mode}" for name in ("hello", "create-item", "transform")
                    for mode in MODES}
        self.assertEqual({f["name"] for f in record["functions"]}, expected)
        text = json.dumps(record)
        self.assertEqual(len(set(re.findall(r"REPORT RequestId: ([0-9a-f-]{36})", text))),
                         len(expected) * (3 + 10 + 2))
        self.assertIn("hello", (self.out / "compare.md").read_text())
        self.assertFalse(harness.processes_of(self.folder))
        left = [p.name for p in self.folder.iterdir() if p.name not in ("out", "kelvin.toml")]
        self.assertEqual(left, [])

    def test_prints_the_record_as_json_alone(self):
        done = self.compare("--cold", "2", "--warm", "5", "--warm-up", "1", "--json", "hello-aot")
        self.assertEqual(done.returncode, 0, done.stderr)
        record = json.loads(done.stdout)
        self.assertEqual([f["name"] for f in record["functions"]], ["hello-aot"])

    def test_an_interrupt_keeps_what_was_measured_and_leaves_no_process(self):
        self.compare("--cold", "1", "--warm", "0", "--warm-up", "0")  # writes kelvin.toml
        process = subprocess.Popen(
            [harness.KELVIN, "compare", "--config", str(self.folder / "kelvin.toml"), "--out",
             str(self.out), "--cold", "2000", "--warm", "20000"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL)
        journal = self.out / "compare.journal"
        harness.wait_until(lambda: journal.exists() and journal.read_bytes().count(b"\n") > 5,
                           "the record is saved as it goes")
        process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 130, output)
        self.assertIn("compare.json", output)
        record = json.loads((self.out / "compare.json").read_text())
        self.assertEqual(record["state"], "interrupted")
        self.assertGreater(len(record["samples"]), 4)
        self.assertFalse(journal.exists())
        self.assertFalse(harness.processes_of(self.folder))

    def test_an_unknown_function_is_named(self):
        done = self.compare("--cold", "1", "no-such-function")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no-such-function", done.stderr)

    def test_a_missing_package_says_how_to_build_it(self):
        done = subprocess.run([harness.KELVIN, "compare", str(self.folder / "none.zip")],
                              capture_output=True, text=True, timeout=60, cwd=self.folder)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("none.zip", done.stderr)

    def test_measures_a_package_without_any_configuration(self):
        done = subprocess.run(
            [harness.KELVIN, "compare", str(harness.PACKAGES / "hello-aot.zip"), "--cold", "2",
             "--warm", "5", "--warm-up", "1", "--payload", '{"name":"x"}', "--out", str(self.out)],
            capture_output=True, text=True, timeout=120, cwd=self.folder, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("hello-aot", done.stdout)

    def test_a_function_that_always_fails_fails_the_run(self):
        (self.folder / "bad.zip").write_bytes(harness.script_zip("#!/bin/sh\nexit 3\n"))
        done = subprocess.run(
            [harness.KELVIN, "compare", str(self.folder / "bad.zip"), "--cold", "3", "--warm", "5",
             "--out", str(self.out)],
            capture_output=True, text=True, timeout=120, cwd=self.folder, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("Runtime.ExitError", done.stderr + done.stdout)


class Shell(unittest.TestCase):
    def test_bash_completes_commands_options_and_values(self):
        script = """source <("$0" completion bash)
            complete_line() { COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _kelvin; echo "${COMPREPLY[*]}"; }
            complete_line "$0" ro
            complete_line "$0" serve --fs
            complete_line "$0" serve --fsync ''
            complete_line "$0" compare ''
            complete -p kelvin"""
        done = subprocess.run(["bash", "-c", script, harness.KELVIN], capture_output=True, text=True,
                              timeout=60, check=True)
        self.assertEqual(done.stdout.splitlines(), [
            "rollout rollback", "--fsync", "always background", "",
            "complete -o default -F _kelvin kelvin"])


if __name__ == "__main__":
    unittest.main()
