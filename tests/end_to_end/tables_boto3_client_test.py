"""Runs tables_boto3.py, which any DynamoDB endpoint can be checked with, against `kelvin serve`."""
import pathlib
import subprocess
import unittest

import harness


class Tables(unittest.TestCase):
    def check(self, *serve_arguments):
        with harness.Service(arguments=serve_arguments) as service:
            done = subprocess.run(
                ["/usr/bin/python3", "-B", str(pathlib.Path(__file__).with_name("tables_boto3.py")),
                 "--endpoint-url", service.endpoint],
                capture_output=True, text=True, timeout=300)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_boto3_finds_the_tables_as_it_expects_them(self):
        self.check()

    def test_the_same_in_memory(self):
        self.check("--ephemeral-tables")


if __name__ == "__main__":
    unittest.main()
