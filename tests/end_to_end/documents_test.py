"""Every command in the guides (blocks marked `sh`) runs, in order, against a local service."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import harness

GUIDES = ("deployment", "migration", "choosing", "troubleshooting")


def blocks(guide):
    text = (harness.SOURCE / "docs" / f"{guide}.md").read_text()
    return re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


class Documents(unittest.TestCase):
    def run_guide(self, guide):
        commands = blocks(guide)
        self.assertTrue(commands)
        missing = False
        with tempfile.TemporaryDirectory(prefix="kelvin-test-") as name, harness.Service() as service:
            folder = pathlib.Path(name)
            (folder / "packages").mkdir()
            for package in harness.PACKAGES.glob("*-aot.zip"):
                shutil.copy(package, folder / "packages")
            (folder / "functions").mkdir()
            shutil.unpack_archive(harness.PACKAGES / "hello-aot.zip", folder / "functions")
            os.chmod(folder / "functions/bootstrap", 0o755)
            config = (harness.SOURCE / "kelvin.toml").read_text()
            config = config.replace('"build/release/packages/', '"packages/')
            config = config.replace('"functions/', f'"{harness.SOURCE}/functions/')
            (folder / "kelvin.toml").write_text(config)
            (folder / "bin").mkdir()
            (folder / "bin/kelvin").symlink_to(pathlib.Path(harness.KELVIN).resolve())
            environment = {"PATH": f"{folder}/bin:/usr/bin:/bin", "HOME": name, "TMPDIR": name}
            if not harness.versions_and_metrics(service.endpoint):
                wanted = [block for block in commands if "kelvin deploy" not in block and "kelvin rollout" not in block]
                missing = len(wanted) != len(commands)
                commands = wanted
            script = "set -eux\n" + "".join(commands)
            script = script.replace("http://127.0.0.1:9001", service.endpoint)
            done = subprocess.run(["bash", "-c", script], cwd=folder, env=environment,
                                  capture_output=True, text=True, timeout=300)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            if missing:
                self.skipTest("the local service has no versions, aliases or figures by version: its part was left out")
            return done.stdout

    def test_deployment(self):
        output = self.run_guide("deployment")
        self.assertIn("hello: no change", output)
        self.assertIn("+ environment GREETING: hi", output)
        self.assertIn("100%: alias live is at version 3", output)
        self.assertIn("deleted function hello", output)

    def test_migration(self):
        output = self.run_guide("migration")
        self.assertIn("Order of migration", output)
        self.assertIn("100%: alias live is at version 2", output)

    def test_choosing(self):
        self.run_guide("choosing")

    def test_troubleshooting(self):
        self.run_guide("troubleshooting")

    def test_all_guides_are_covered(self):
        for guide in GUIDES:
            self.assertTrue(hasattr(self, f"test_{guide}"))


if __name__ == "__main__":
    unittest.main()
