"""The function functions/stream, which streams with kelvin's own runtime, in every mode it is
built in: by event stream and through a function URL, to clients that nobody here wrote."""
import http.client
import json
import unittest
import urllib.parse

import harness
import node_clients

MODES = [mode for mode in ("aot", "r2r", "jit")
         if (harness.PACKAGES / f"stream-{mode}.zip").exists()]
# Far more than all buffers between a function and its caller hold together.
MANY = 6_000_000


class RuntimeStreaming(harness.ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.layers = {}
        if MODES != ["aot"]:
            layer = cls.lambda_client.publish_layer_version(
                LayerName="engine",
                Content={"ZipFile": (harness.PACKAGES / "kelvin-engine.zip").read_bytes()})
            cls.layers = {"Layers": [layer["LayerVersionArn"]]}

    def function(self, mode, **settings):
        name = f"stream-{mode}"
        self.create(name, (harness.PACKAGES / f"{name}.zip").read_bytes(), Timeout=900,
                    MemorySize=1769, **({} if mode == "aot" else self.layers), **settings)
        return name

    def connect(self, url):
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc)
        self.addCleanup(connection.close)
        return connection, parts.path

    def collect(self, events):
        size, last, complete = 0, b"", None
        for item in events:
            if item.headers[":event-type"] == "PayloadChunk":
                size += len(item.payload)
                last = (last + item.payload)[-100:]
            else:
                complete = json.loads(item.payload)
        return size, last, complete

    def url(self, name):
        connection, _ = self.connect(self.endpoint)
        connection.request("POST", f"/2021-10-31/functions/{name}/url",
                           json.dumps({"AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM"}))
        answer = connection.getresponse()
        body = answer.read()
        self.assertEqual(answer.status, 201, body)
        return json.loads(body)["FunctionUrl"]

    def each_mode(self):
        for mode in MODES:
            name = self.function(mode)
            yield name
            self._delete(name)

    def test_the_first_row_comes_early_and_a_slow_caller_slows_the_function(self):
        for name in self.each_mode():
            events = self.response_stream(name, {"rows": MANY})
            self.assertTrue(next(events).payload.startswith(b"1,1\n"))
            # Nothing more is read here: the function cannot come to its end, which it would log.
            harness.wait_until(lambda: "10000 rows" in self.log(name), "it has written some")
            self.assertNotIn(f"all {MANY} rows", self.log(name))
            size, last, complete = self.collect(events)
            self.assertTrue(last.endswith(f"{MANY},{MANY * MANY}\n".encode()))
            self.assertEqual(complete, {})
            self.assertGreater(size, 100_000_000)
            harness.wait_until(lambda: f"all {MANY} rows" in self.log(name), "it has ended")

    def test_failures(self):
        for name in self.each_mode():
            size, last, complete = self.collect(self.response_stream(name, {"rows": 10, "fail_after": 2}))
            self.assertEqual(last, b"1,1\n2,4\n")
            self.assertEqual(complete["ErrorCode"], "Function.ExportFailed")
            self.assertIn("broke off after row 2", complete["ErrorDetails"])
            # Before the first byte it is an error like any other.
            answer = self.invoke(name, b'{"rows":"many"}')
            self.assertEqual(answer["FunctionError"], "Unhandled")
            self.assertIn("$.rows", json.loads(answer["Payload"])["errorMessage"])
            self.assertEqual(self.invoke(name, b'{"rows":2}')["Payload"], b"1,1\n2,4\n")

    def test_a_url(self):
        for name in self.each_mode():
            connection, path = self.connect(self.url(name))
            connection.request("GET", path + "?rows=3")
            answer = connection.getresponse()
            self.assertEqual((answer.status, answer.read()), (200, b"1,1\n2,4\n3,9\n"))
            self.assertEqual(answer.getheader("Content-Type"), "text/csv")
            self.assertEqual(answer.getheader("X-Rows"), "3")
            self.assertEqual(answer.getheader("Set-Cookie"), "exported=yes")
            connection, path = self.connect(self.last_url(name))
            connection.request("GET", path + "?rows=9&fail_after=2")
            answer = connection.getresponse()
            with self.assertRaises(http.client.IncompleteRead) as broken:
                answer.read()
            self.assertEqual(broken.exception.partial, b"1,1\n2,4\n")

    def last_url(self, name):
        connection, _ = self.connect(self.endpoint)
        connection.request("GET", f"/2021-10-31/functions/{name}/url")
        return json.loads(connection.getresponse().read())["FunctionUrl"]

    def test_no_more_than_200_megabytes(self):
        name = self.function("aot")
        size, _, complete = self.collect(self.response_stream(name, {"rows": 12_000_000}))
        self.assertLessEqual(size, 200 << 20)
        self.assertGreater(size, 190 << 20)
        self.assertEqual(complete["ErrorCode"], "Function.ResponseSizeTooLarge")
        self.assertEqual(self.invoke(name, b'{"rows":1}')["Payload"], b"1,1\n")

    def test_more_than_six_megabytes_in_one_answer(self):
        name = self.function("aot")
        answer = self.invoke(name, b'{"rows":1000000}')
        self.assertEqual(json.loads(answer["Payload"])["errorType"], "Function.ResponseSizeTooLarge")

    def test_the_sdk_for_javascript(self):
        node_clients.install()
        self.function("aot")
        self.assertEqual(node_clients.run("stream.mjs", self.endpoint), "ok\n")


if __name__ == "__main__":
    unittest.main()
