#!/usr/bin/python3
"""Packages for 64-bit ARM answer on an emulated one.

Usage: arm64_test.py EMULATOR FOLDER_OF_PACKAGES
"""
import http.server
import json
import pathlib
import re
import sys
import tempfile
import threading
import unittest
import zipfile

import elf
import runtime_api

EM_AARCH64 = 183


class Tables(http.server.ThreadingHTTPServer):
    """A DynamoDB that takes every item, and keeps what it was asked."""
    daemon_threads = True

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments):
            pass

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.asked.append((self.headers, json.loads(body)))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Tables.Handler)
        self.asked = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Arm64(unittest.TestCase):
    emulator, packages = None, None

    def invoke(self, name, event, environment=None):
        package = self.packages / f"{name}-aot-arm64.zip"
        with tempfile.TemporaryDirectory(prefix="kelvin-arm64-") as folder:
            with zipfile.ZipFile(package) as archive:
                self.assertEqual(elf.Elf(archive.read("bootstrap")).machine, EM_AARCH64)
                archive.extract("bootstrap", folder)
            program = pathlib.Path(folder) / "bootstrap"
            program.chmod(0o755)
            path, body = runtime_api.invoke(program, json.dumps(event).encode(),
                                            command=[self.emulator], environment=environment)
        self.assertEqual(path, "/2018-06-01/runtime/invocation/r-1/response", body)
        return json.loads(body)

    def test_hello(self):
        self.assertIn("Ada", json.dumps(self.invoke("hello", {"name": "Ada"})))

    def test_create_item(self):
        tables = Tables()
        self.addCleanup(tables.server_close)
        self.addCleanup(tables.shutdown)
        answer = self.invoke("create-item", {"name": "Ada"}, {
            "TABLE_NAME": "items", "AWS_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{tables.server_port}",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"})
        (headers, asked), = tables.asked
        self.assertEqual(headers["X-Amz-Target"], "DynamoDB_20120810.PutItem")
        self.assertRegex(headers["Authorization"],
                         r"Credential=AKIDEXAMPLE/\d{8}/eu-west-1/dynamodb/aws4_request")
        self.assertEqual(asked["TableName"], "items")
        created = asked["Item"]["Id"]["S"]
        self.assertRegex(created, re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"))
        self.assertIn(created, json.dumps(answer))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    Arm64.emulator, Arm64.packages = sys.argv[1], pathlib.Path(sys.argv[2])
    unittest.main(argv=sys.argv[:1])
