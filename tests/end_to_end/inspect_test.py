"""`kelvin inspect` as a user runs it, and against readelf, which nobody here wrote."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import harness

# Programs of very different make: C, C++, with and without PIE, libraries.
SUBJECTS = ["/bin/ls", "/usr/bin/python3", "/usr/bin/cmake", "/usr/bin/git", "/usr/bin/ninja",
            "/lib/x86_64-linux-gnu/libc.so.6", "/lib/aarch64-linux-gnu/libc.so.6"]


def kelvin(*arguments, code=0):
    done = subprocess.run([harness.KELVIN, "inspect", *map(str, arguments)], capture_output=True,
                          text=True, timeout=60)
    if done.returncode != code:
        raise AssertionError(f"{arguments}: {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
    return done


def inspect(*arguments, code=0):
    return json.loads(kelvin("--json", *arguments, code=code).stdout)["packages"]


def readelf(*arguments):
    return subprocess.run(["readelf", "-W", *map(str, arguments)], capture_output=True, text=True,
                          check=True, env={"LC_ALL": "C", "PATH": os.environ["PATH"]}).stdout


class AgreesWithReadelf(unittest.TestCase):
    def subjects(self):
        found = [path for path in SUBJECTS if os.path.exists(path)]
        with tempfile.TemporaryDirectory() as folder:
            for package in harness.PACKAGES.glob("*-aot.zip"):
                target = pathlib.Path(folder) / package.stem
                shutil.unpack_archive(package, target)
                if (target / "bootstrap").exists():
                    found.append(str(target / "bootstrap"))
            self.assertGreater(len(found), 3)
            yield from found

    def test_on_sections_libraries_versions_and_relocations(self):
        for path in self.subjects():
            with self.subTest(path):
                package = inspect(path)[0]
                elf = package["elf"]
                theirs = {}
                for line in readelf("-S", path).splitlines():
                    match = re.match(r" +\[ *\d+\] (\S+) +(\S+) +[0-9a-f]+ [0-9a-f]+ ([0-9a-f]+)", line)
                    if match and int(match[3], 16):
                        theirs.setdefault(match[1], []).append(int(match[3], 16))
                ours = {}
                for section in package["sections"]:
                    ours.setdefault(section["name"], []).append(section["bytes"])
                self.assertEqual({name: sorted(sizes) for name, sizes in ours.items()},
                                 {name: sorted(sizes) for name, sizes in theirs.items()})
                dynamic = readelf("-d", path)
                self.assertEqual(elf["needed"], re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
                self.assertEqual(elf["searchPaths"],
                                 re.findall(r"\((?:RUNPATH|RPATH)\).*\[(.*)\]", dynamic))
                self.assertEqual(elf["bindNow"], "BIND_NOW" in dynamic or "NOW" in
                                 "".join(re.findall(r"\(FLAGS_1\).*", dynamic)))
                interpreter = re.search(r"interpreter: (.*)\]", readelf("-l", path))
                self.assertEqual(elf["interpreter"], interpreter[1] if interpreter else "")
                needs = readelf("-V", path).partition("Version needs")[2]
                self.assertEqual(sorted(v["version"] for v in elf["versions"]),
                                 sorted(re.findall(r"Name: (\S+)", needs)))
                relocations = re.findall(r"^[0-9a-f]{16}  [0-9a-f]{16} (R_\S+)", readelf("-r", path),
                                         re.MULTILINE)
                relative = sum(name.endswith("_RELATIVE") for name in relocations)
                packed = sum(map(int, re.findall(r"contains \d+ entr(?:y|ies):\n *(\d+) offset",
                                                 readelf("-r", path))))
                self.assertEqual(elf["relocations"]["relative"], relative + packed)
                self.assertEqual(elf["relocations"]["indirect"],
                                 sum(name.endswith(("_IRELATIV", "_IRELATIVE")) for name in relocations))


class Inspect(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kelvin-test-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def test_the_example_functions_have_neither_errors_nor_warnings(self):
        for package in sorted(harness.PACKAGES.glob("*-aot.zip")):
            found = inspect(package)[0]
            self.assertEqual((found["errors"], found["warnings"]), (0, 0), found["findings"])
            self.assertIn("Kelvin aot", found["what"])
            self.assertEqual(found["model"], "aot")

    def test_fail_on_is_for_ci(self):
        bad = self.folder / "bad.zip"
        bad.write_bytes(harness.make_zip({"publish/bootstrap": (b"#!/bin/sh\n", 0o755)}))
        kelvin(bad)
        self.assertIn("KV1001", kelvin("--fail-on", "error", bad, code=1).stdout)
        kelvin("--fail-on", "error", harness.PACKAGES / "hello-aot.zip")
        kelvin("--fail-on", "note", harness.PACKAGES / "hello-aot.zip", code=1)

    def test_sarif_is_written_beside_the_table(self):
        bad = self.folder / "bad.zip"
        bad.write_bytes(harness.make_zip({"publish/bootstrap": (b"#!/bin/sh\n", 0o755)}))
        sarif = self.folder / "out.sarif"
        self.assertIn("KV1001", kelvin("--sarif", sarif, bad).stdout)
        run = json.loads(sarif.read_text())["runs"][0]
        known = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
        self.assertEqual([result["ruleId"] for result in run["results"]], ["KV1001"])
        self.assertLessEqual({result["ruleId"] for result in run["results"]}, known)

    def test_what_is_no_package_is_named(self):
        (self.folder / "text").write_text("hello")
        self.assertIn("zip", kelvin(self.folder / "text", code=2).stderr)
        (self.folder / "cut.zip").write_bytes(
            (harness.PACKAGES / "hello-aot.zip").read_bytes()[:5000])
        self.assertIn("cut.zip", kelvin(self.folder / "cut.zip", code=2).stderr)
        self.assertIn("nothing-here", kelvin(self.folder / "nothing-here", code=2).stderr)

    def test_several_packages_at_once(self):
        found = inspect(*sorted(harness.PACKAGES.glob("*-aot.zip")))
        self.assertGreaterEqual(len(found), 3)


if __name__ == "__main__":
    unittest.main()
