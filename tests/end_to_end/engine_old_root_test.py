"""The packages and the engine's layer, as they would be deployed, in the root of an older system:
an older C library than provided.al2023 has (2.34), and nothing to develop with. tools/old-root makes
that root and runs this; without one there is nothing to test."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest
import zipfile

import engine_package
import harness

ROOT = os.environ.get("KELVIN_OLD_ROOT")


def unpack(package, folder):
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(harness.PACKAGES / f"{package}.zip") as archive:
        archive.extractall(folder)
    for path in folder.rglob("*"):
        path.chmod(0o755)


@unittest.skipUnless(ROOT, "KELVIN_OLD_ROOT is not set: run tools/old-root")
class OldRoot(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(ROOT)
        unpack("kelvin-engine", self.root / "opt")

    def run_in_root(self, function, mode, events, environment=None):
        unpack(f"{function}-{mode}", self.root / "var/task")

        def enter():
            os.chroot(self.root)
            os.chdir("/var/task")
            os.setgid(65534)
            os.setuid(65534)
        program = "/var/task/bootstrap" if mode == "aot" else "/opt/bootstrap"
        outcome = engine_package.serve("/var/task", events, environment, prepare=enter,
                                       program=program)
        if mode != "aot":
            self.assertEqual(outcome.activity["mode"], mode)
        print(f"{function}-{mode}: {json.dumps(outcome.answers[:3])}", flush=True)
        return outcome

    def test_is_older_and_has_nothing_to_develop_with(self):
        said = subprocess.run(["/usr/bin/ldd", "--version"], capture_output=True, text=True,
                              preexec_fn=lambda: os.chroot(ROOT)).stdout
        print(said.splitlines()[0], flush=True)
        version = tuple(map(int, re.search(r"(\d+)\.(\d+)$", said.splitlines()[0]).groups()))
        self.assertLess(version, (2, 34))
        for name in ("usr/include/stdio.h", "usr/bin/cc", "usr/bin/gcc", "usr/bin/ld",
                     "usr/lib/x86_64-linux-gnu/libc.a", "usr/lib/llvm-19"):
            self.assertFalse((self.root / name).exists(), name)

    def test_hello_and_transform(self):
        for mode in ("aot", "r2r", "jit"):
            with self.subTest(mode=mode):
                outcome = self.run_in_root("hello", mode, [{"name": "Ada"}])
                self.assertEqual(outcome.errors, [], outcome.log)
                self.assertEqual(len(outcome.answers), 1, outcome.log)
                same = self.run_in_root("transform", mode, [{"size": 1000, "rounds": 10}] * 200)
                self.assertEqual(len(same.answers), 200, same.log)
                self.assertEqual(len({json.dumps(answer) for answer in same.answers}), 1)
                if mode != "aot":
                    self.assertGreater(same.activity["tier1Functions"], 0)

    def test_create_item(self):
        with harness.Service(command=("tables",)) as tables:
            client = harness.boto3_client("dynamodb", tables.endpoint)
            client.create_table(
                TableName="items", BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}])
            environment = {**harness.AWS_ENVIRONMENT, "AWS_REGION": "us-east-1",
                           "TABLE_NAME": "items", "AWS_ENDPOINT_URL_DYNAMODB": tables.endpoint}
            for count, mode in enumerate(("aot", "r2r", "jit"), start=1):
                with self.subTest(mode=mode):
                    outcome = self.run_in_root("create-item", mode, [{"a": "b"}], environment)
                    self.assertEqual(outcome.errors, [], outcome.log)
                    self.assertEqual(client.scan(TableName="items")["Count"], count)

    def test_plugins(self):
        for mode in ("r2r", "jit"):
            with self.subTest(mode=mode):
                events = [{"filter": name, "text": "hello"} for name in ("shout", "upper", "reverse")]
                outcome = self.run_in_root("plugins", mode, events)
                self.assertEqual([answer["text"] for answer in outcome.answers],
                                 ["hello!", "HELLO", "olleh"], outcome.log)


if __name__ == "__main__":
    unittest.main()
