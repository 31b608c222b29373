"""The Runtime API as a runtime sees it, byte by byte over a raw socket: every state, what is allowed
in it, and what is said to what is not."""
import base64
import json
import unittest

import harness

# A runtime without an HTTP library: what it sends is exactly what the test wrote.
RAW_RUNTIME = '''#!/usr/bin/python3
import json, os, socket
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
PREFIX = "/2018-06-01/runtime/"
class Connection:
  def __init__(self):
    self.socket = socket.create_connection((host, int(port)))
    self.rest = b""
  def send(self, data):
    self.socket.sendall(data)
  def line(self):
    while b"\\r\\n" not in self.rest:
      piece = self.socket.recv(65536)
      if not piece: raise EOFError
      self.rest += piece
    line, _, self.rest = self.rest.partition(b"\\r\\n")
    return line.decode()
  def answer(self):
    status = self.line()
    headers = {}
    while line := self.line():
      name, _, value = line.partition(": ")
      headers[name.lower()] = value
    length = int(headers.get("content-length", 0))
    while len(self.rest) < length:
      self.rest += self.socket.recv(65536)
    body, self.rest = self.rest[:length], self.rest[length:]
    return {"status": int(status.split()[1]), "headers": headers, "body": body.decode()}
connection = Connection()
def text(method, path, body=b"", headers={}):
  lines = [method + " " + path + " HTTP/1.1", "Host: " + host + ":" + port]
  lines += [name + ": " + value for name, value in headers.items()]
  if method != "GET": lines.append("Content-Length: " + str(len(body)))
  return "\\r\\n".join(lines).encode() + b"\\r\\n\\r\\n" + body
def call(method, path, body=b"", headers={}, on=connection):
  on.send(text(method, path, body, headers))
  return on.answer()
def next_event():
  answer = call("GET", PREFIX + "invocation/next")
  return answer["headers"].get("lambda-runtime-aws-request-id"), answer
def respond(request_id, body, headers={}):
  return call("POST", PREFIX + "invocation/" + request_id + "/response", body, headers)
'''


class RuntimeApi(harness.ServiceTest):
    def run_script(self, name, script, events=1, **settings):
        """Invokes so often, one after the other; the last answer."""
        self.create(name, harness.script_zip(RAW_RUNTIME + script), Timeout=30, **settings)
        for index in range(events):
            answer = self.invoke_to_the_end(name, json.dumps({"event": index}).encode())
        return answer

    def invoke_to_the_end(self, name, payload=b"{}"):
        """With a tail the answer comes when the runtime has asked for more: the next event goes to
        it, too, however slow the machine is."""
        return self.invoke(name, payload, LogType="Tail")

    def refused(self, exchange, status, error_type):
        self.assertEqual(exchange["status"], status, exchange)
        self.assertEqual(exchange["headers"]["content-type"], "application/json")
        body = json.loads(exchange["body"])
        self.assertEqual(sorted(body), ["errorMessage", "errorType"])
        self.assertEqual(body["errorType"], error_type)

    def accepted(self, exchange):
        self.assertEqual(exchange["status"], 202, exchange)
        self.assertEqual(json.loads(exchange["body"]), {"status": "OK"})

    def test_every_state(self):
        answer = self.run_script("states", '''
seen = {}
seen["ping"] = call("GET", "/2018-06-01/ping")
seen["started: response"] = respond("00000000-0000-4000-8000-000000000000", b"{}")
seen["started: no such call"] = call("GET", PREFIX + "nothing")
first, seen["next"] = next_event()
again, seen["running: next"] = next_event()
seen["running: init/error"] = call("POST", PREFIX + "init/error", b"{}")
seen["running: another id"] = respond("00000000-0000-4000-8000-000000000000", b"{}")
seen["running: mode"] = respond(first, b"{}", {"Lambda-Runtime-Function-Response-Mode": "buffered"})
seen["response"] = respond(first, b'"first"')
seen["sent: response"] = respond(first, b'"second"')
seen["sent: error"] = call("POST", PREFIX + "invocation/" + first + "/error", b"{}")
seen["sent: init/error"] = call("POST", PREFIX + "init/error", b"{}")
second, seen["next of the second"] = next_event()
seen["running: the last id"] = respond(first, b'"late"')
respond(second, json.dumps([first, again, second, seen]).encode())
next_event()
''', events=2)
        self.assertNotIn("FunctionError", answer, answer["Payload"])
        first, again, second, seen = json.loads(answer["Payload"])
        self.assertEqual(first, again)
        self.assertNotEqual(first, second)
        self.assertEqual((seen["ping"]["status"], seen["ping"]["body"]), (200, "pong"))
        self.refused(seen["started: response"], 400, "InvalidRequestID")
        self.assertEqual(seen["started: no such call"]["status"], 404)
        self.assertEqual(seen["next"]["status"], 200)
        self.assertEqual(seen["next"]["body"], '{"event": 0}')
        self.assertEqual(seen["running: next"]["body"], '{"event": 0}')
        self.refused(seen["running: init/error"], 403, "InvalidStateTransition")
        self.refused(seen["running: another id"], 400, "InvalidRequestID")
        self.refused(seen["running: mode"], 400, "InvalidFunctionResponseMode")
        self.accepted(seen["response"])
        self.refused(seen["sent: response"], 403, "InvalidStateTransition")
        self.refused(seen["sent: error"], 403, "InvalidStateTransition")
        self.refused(seen["sent: init/error"], 403, "InvalidStateTransition")
        self.assertEqual(seen["next of the second"]["body"], '{"event": 1}')
        self.refused(seen["running: the last id"], 400, "InvalidRequestID")

    def test_the_headers_of_an_event(self):
        self.create("headers", harness.script_zip(RAW_RUNTIME + '''
while True:
  request_id, answer = next_event()
  respond(request_id, json.dumps(answer["headers"]).encode())
'''), Timeout=30)
        context = base64.b64encode(b'{"client":{"app":"x"}}').decode()
        answer = self.invoke("headers", ClientContext=context)
        headers = json.loads(answer["Payload"])
        self.assertEqual(headers["content-type"], "application/json")
        self.assertEqual(headers["lambda-runtime-aws-request-id"],
                         answer["ResponseMetadata"]["RequestId"])
        self.assertRegex(headers["lambda-runtime-deadline-ms"], r"^1\d{12}$")
        self.assertEqual(headers["lambda-runtime-invoked-function-arn"],
                         "arn:aws:lambda:us-east-1:123456789012:function:headers")
        self.assertRegex(headers["lambda-runtime-trace-id"],
                         r"^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=[01]")
        self.assertEqual(headers["lambda-runtime-client-context"], '{"client":{"app":"x"}}')
        without = json.loads(self.invoke("headers")["Payload"])
        self.assertNotIn("lambda-runtime-client-context", without)
        self.assertNotIn("lambda-runtime-cognito-identity", without)

    def test_an_error_is_passed_on_as_it_was_posted(self):
        answer = self.run_script("errs", '''
while True:
  request_id, _ = next_event()
  call("POST", PREFIX + "invocation/" + request_id + "/error",
       b'{"errorMessage": "as is",  "errorType":"My.Own","stackTrace":[]}',
       {"Lambda-Runtime-Function-Error-Type": "Function.MyOwn"})
''')
        self.assertEqual(answer["FunctionError"], "Unhandled")
        self.assertEqual(answer["Payload"],
                         b'{"errorMessage": "as is",  "errorType":"My.Own","stackTrace":[]}')

    def test_init_error_is_final(self):
        answer = self.run_script("final", '''
call("POST", PREFIX + "init/error", b'{"errorType":"A.B","errorMessage":"no"}',
     {"Lambda-Runtime-Function-Error-Type": "Runtime.No"})
print("NEXT", next_event()[1]["status"], flush=True)
''')
        self.assertEqual(answer["FunctionError"], "Unhandled")
        self.assertEqual(json.loads(answer["Payload"]), {"errorType": "A.B", "errorMessage": "no"})

        def log():
            return b"".join(p.read_bytes() for p in (self.service.state / "logs").rglob("*")
                            if p.is_file())

        harness.wait_until(lambda: b"INIT_REPORT" in log(), "INIT_REPORT in the logs")
        self.assertNotIn(b"NEXT 200", log())

    def test_a_response_over_the_limit_is_413_and_the_runtime_goes_on(self):
        self.create("large", harness.script_zip(RAW_RUNTIME + '''
request_id, _ = next_event()
seen = respond(request_id, b'"' + b"x" * 6291556 + b'"')
request_id, _ = next_event()
respond(request_id, json.dumps(seen).encode())
request_id, _ = next_event()
respond(request_id, b'"' + b"x" * (6291556 - 2) + b'"')
next_event()
'''), Timeout=30)
        answer = self.invoke_to_the_end("large")
        self.assertEqual(json.loads(answer["Payload"])["errorType"],
                         "Function.ResponseSizeTooLarge")
        seen = json.loads(self.invoke_to_the_end("large")["Payload"])
        self.refused(seen, 413, "RequestEntityTooLarge")
        self.assertEqual(json.loads(seen["body"])["errorMessage"],
                         "Exceeded maximum allowed payload size (6291556 bytes).")
        self.assertEqual(len(self.invoke_to_the_end("large")["Payload"]), 6291556)

    def test_any_form_of_http_that_a_client_may_choose(self):
        answer = self.run_script("forms", '''
request_id, _ = next_event()
path = PREFIX + "invocation/" + request_id + "/response"
connection.send(b"POST " + path.encode() + b" HTTP/1.1\\r\\nhost: x\\r\\n"
                b"transfer-encoding: Chunked\\r\\nexpect: 100-continue\\r\\n\\r\\n")
assert connection.line() == "HTTP/1.1 100 Continue" and connection.line() == ""
connection.send(b"6\\r\\n\\"chunk\\r\\n")
connection.send(b"3;extension=1\\r\\ned\\"\\r\\n0\\r\\n\\r\\n")
assert connection.answer()["status"] == 202
request_id, _ = next_event()
# The response and the call for the next event in one piece, and then another byte by byte.
connection.send(text("POST", PREFIX + "invocation/" + request_id + "/response", b'"joined"') +
                text("GET", PREFIX + "invocation/next"))
assert connection.answer()["status"] == 202
request_id = connection.answer()["headers"]["lambda-runtime-aws-request-id"]
for byte in text("POST", PREFIX + "invocation/" + request_id + "/response", b'"dripped"'):
  connection.send(bytes([byte]))
assert connection.answer()["status"] == 202
# A connection for every call.
other = Connection()
call("GET", PREFIX + "invocation/next", on=other)
''')
        self.assertEqual(answer["Payload"], b'"chunked"')
        self.assertEqual(self.invoke_to_the_end("forms")["Payload"], b'"joined"')
        self.assertEqual(self.invoke_to_the_end("forms")["Payload"], b'"dripped"')

    def test_a_runtime_that_calls_next_again_after_losing_its_connection(self):
        answer = self.run_script("reconnects", '''
request_id, first = next_event()
connection.socket.close()
connection = Connection()
answer = call("GET", PREFIX + "invocation/next", on=connection)
same = answer["headers"]["lambda-runtime-aws-request-id"] == request_id
call("POST", PREFIX + "invocation/" + request_id + "/response", json.dumps(same).encode(), on=connection)
call("GET", PREFIX + "invocation/next", on=connection)
''')
        self.assertEqual(answer["Payload"], b"true")


if __name__ == "__main__":
    unittest.main()
