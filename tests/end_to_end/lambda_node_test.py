"""The AWS SDK for JavaScript's Lambda client against `kelvin serve`."""
import pathlib
import tempfile
import unittest

import harness
import node_clients

# Streams in chunks when asked to; says which package it is, and what its layer has.
PROGRAM = """
import json
def stream(request_id, count):
  api.putrequest("POST", "/2018-06-01/runtime/invocation/" + request_id + "/response")
  api.putheader("Content-Type", "application/octet-stream")
  api.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
  api.putheader("Transfer-Encoding", "chunked")
  api.endheaders()
  for number in range(count):
    piece = f"piece {number};".encode()
    api.send(f"{len(piece):x}\\r\\n".encode() + piece + b"\\r\\n")
  api.send(b"0\\r\\n\\r\\n")
  api.getresponse().read()
while True:
  i, e = next_event()
  event = json.loads(e)
  if event.get("fail"):
    post("invocation/" + i + "/error", b'{"errorType":"Oops","errorMessage":"no"}')
  elif event.get("stream"):
    stream(i, event["stream"])
  else:
    answer = {"NAME": event, "word": os.environ.get("WORD")}
    if os.path.exists("/opt/words.txt"):
      answer["layer"] = open("/opt/words.txt").read()
    respond(i, json.dumps(answer).encode())
"""


class JavaScript(unittest.TestCase):
    def test_the_lambda_client_finds_the_service_as_it_expects_it(self):
        node_clients.install()
        with tempfile.TemporaryDirectory() as folder, harness.Service() as service:
            for name in ("one", "two"):
                package = harness.runtime_zip(PROGRAM.replace("NAME", name))
                (pathlib.Path(folder) / f"{name}.zip").write_bytes(package)
            layer = harness.make_zip({"words.txt": (b"from the layer\n", 0o644)})
            (pathlib.Path(folder) / "layer.zip").write_bytes(layer)
            self.assertEqual(node_clients.run("lambda.mjs", service.endpoint, PACKAGES=folder), "ok\n")


if __name__ == "__main__":
    unittest.main()
