"""Responses that come piece by piece: by event stream to boto3, and through function URLs."""
import http.client
import json
import unittest
import urllib.parse

import harness

# Streams what the event says: pieces, then perhaps an error in the trailers. Waits before each
# piece but the first until the test lets it go on, so that a test can see that pieces come early.
STREAM = harness.PYTHON_RUNTIME + '''
import base64, json, socket, urllib.request
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
def stream(request_id, content_type, pieces, error=None):
    connection = socket.create_connection((host, int(port)))
    connection.sendall((
        "POST /2018-06-01/runtime/invocation/" + request_id + "/response HTTP/1.1\\r\\n"
        "Host: x\\r\\nContent-Type: " + content_type + "\\r\\n"
        "Lambda-Runtime-Function-Response-Mode: streaming\\r\\nTransfer-Encoding: chunked\\r\\n"
        "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\\r\\n\\r\\n"
        ).encode())
    for piece in pieces:
        connection.sendall(b"%x\\r\\n" % len(piece) + piece + b"\\r\\n")
    end = b"0\\r\\n"
    if error:
        end += b"Lambda-Runtime-Function-Error-Type: " + error[0].encode() + b"\\r\\n"
        end += b"Lambda-Runtime-Function-Error-Body: " + base64.b64encode(error[1].encode()) + b"\\r\\n"
    connection.sendall(end + b"\\r\\n")
    print("answered", connection.recv(4096).split(b" ")[1].decode(), flush=True)
    connection.close()
def gated(gate):
    yield b"first"
    urllib.request.urlopen(gate).read()
    yield b"second"
while True:
    request_id, payload = next_event()
    event = json.loads(payload)
    if "rawPath" in event:
        if event["rawPath"] == "/echo":
            respond(request_id, json.dumps({
                "statusCode": 201, "headers": {"X-Seen": "yes"}, "cookies": ["a=b"],
                "body": json.dumps(event)}))
            continue
        head = b'{"statusCode":202,"headers":{"Content-Type":"text/x"},"cookies":["c=d"]}' + bytes(8)
        stream(request_id, "application/vnd.awslambda.http-integration-response",
               [head[:5], head[5:] + b"one ", b"two"])
    elif "gate" in event:
        stream(request_id, "text/plain", gated(event["gate"]))
    elif "megabytes" in event:
        stream(request_id, "text/plain", (bytes(1 << 20) for _ in range(event["megabytes"])))
    elif "error" in event:
        stream(request_id, "text/plain", [b"some"], ("Function.Broke", '{"errorType":"Broke"}'))
    elif "crash" in event:
        def half():
            yield b"some"
            os._exit(3)
        stream(request_id, "text/plain", half())
    elif "plain" in event:
        respond(request_id, '"whole"')
    else:
        stream(request_id, "text/plain", [b"a", b"b", b"c"])
'''


class Gate:
    """An HTTP server of one answer, given when the test says so."""

    def __enter__(self):
        import http.server
        import threading
        opened = self.opened = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                opened.wait()
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        return self

    def __exit__(self, *_):
        self.opened.set()
        self.server.shutdown()
        self.server.server_close()


class Streaming(harness.ServiceTest):
    def setUp(self):
        self.create("stream", harness.script_zip(STREAM), Timeout=900, MemorySize=1769)

    def stream(self, event, headers={}):
        return self.response_stream("stream", event, headers)

    def collect(self, event, headers={}):
        return self.collect_stream("stream", event, headers)

    def test_pieces_and_the_log(self):
        body, complete = self.collect({}, {"X-Amz-Log-Type": "Tail"})
        self.assertEqual(body, b"abc")
        self.assertNotIn("ErrorCode", complete)
        self.assertIn("LogResult", complete)

    def test_the_first_piece_comes_before_the_last_is_made(self):
        with Gate() as gate:
            events = self.stream({"gate": gate.url})
            self.assertEqual(next(events).payload, b"first")
            gate.opened.set()
            self.assertEqual(next(events).payload, b"second")

    def test_a_buffered_answer_is_one_piece(self):
        self.assertEqual(self.collect({"plain": 1})[0], b'"whole"')

    def test_a_streamed_answer_to_a_plain_invoke(self):
        self.assertEqual(self.invoke("stream", b"{}")["Payload"], b"abc")

    def test_more_than_a_buffered_answer_may_hold(self):
        body, complete = self.collect({"megabytes": 30})
        self.assertEqual(len(body), 30 << 20)
        self.assertNotIn("ErrorCode", complete)

    def test_an_error_in_the_middle(self):
        body, complete = self.collect({"error": 1})
        self.assertEqual(body, b"some")
        self.assertEqual(complete["ErrorCode"], "Broke")
        body, complete = self.collect({"crash": 1})
        self.assertEqual(body, b"some")
        self.assertEqual(complete["ErrorCode"], "Runtime.ExitError")
        self.assertEqual(self.collect({})[0], b"abc", "the environment was replaced")

    def url(self, mode, **settings):
        answer, body = self.request(
            self.endpoint + "/2021-10-31/functions/stream/url", "POST",
            json.dumps({"AuthType": "NONE", "InvokeMode": mode, **settings}))
        self.assertEqual(answer.status, 201, body)
        return json.loads(body)["FunctionUrl"]

    def request(self, url, method="GET", body=None, headers={}):
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc)
        self.addCleanup(connection.close)
        connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), body,
                           headers)
        answer = connection.getresponse()
        return answer, answer.read()

    def test_a_url_streams(self):
        answer, body = self.request(self.url("RESPONSE_STREAM"))
        self.assertEqual((answer.status, body), (202, b"one two"))
        self.assertEqual(answer.getheader("Content-Type"), "text/x")
        self.assertEqual(answer.getheader("Set-Cookie"), "c=d")

    def test_a_url_makes_an_event_of_a_request(self):
        url = self.url("BUFFERED", Cors={"AllowOrigins": ["https://a.example"],
                                         "AllowMethods": ["PUT"]})
        answer, body = self.request(
            url + "echo?a=1&b=%20&a=2", "POST", b"\x00\x01",
            {"Content-Type": "application/x", "X-One": "1", "Cookie": "x=1; y=2",
             "Origin": "https://a.example"})
        self.assertEqual(answer.status, 201)
        self.assertEqual(answer.getheader("X-Seen"), "yes")
        self.assertEqual(answer.getheader("Set-Cookie"), "a=b")
        self.assertEqual(answer.getheader("Access-Control-Allow-Origin"), "https://a.example")
        event = json.loads(body)
        self.assertEqual(event["version"], "2.0")
        self.assertEqual(event["rawQueryString"], "a=1&b=%20&a=2")
        self.assertEqual(event["queryStringParameters"], {"a": "1,2", "b": " "})
        self.assertEqual(event["cookies"], ["x=1", "y=2"])
        self.assertEqual(event["headers"]["x-one"], "1")
        self.assertEqual((event["body"], event["isBase64Encoded"]), ("AAE=", True))
        self.assertEqual(event["requestContext"]["http"]["method"], "POST")
        answer, _ = self.request(url, "OPTIONS", headers={
            "Origin": "https://a.example", "Access-Control-Request-Method": "PUT"})
        self.assertEqual(answer.getheader("Access-Control-Allow-Methods"), "PUT")
        answer, _ = self.request(url + "echo", headers={"Origin": "https://b.example"})
        self.assertIsNone(answer.getheader("Access-Control-Allow-Origin"))

    def test_a_url_that_is_not_there(self):
        answer, _ = self.request(self.endpoint + "/function-urls/none/")
        self.assertEqual(answer.status, 403)
        self.assertEqual(answer.getheader("x-amzn-ErrorType"), "AccessDeniedException")


if __name__ == "__main__":
    unittest.main()
