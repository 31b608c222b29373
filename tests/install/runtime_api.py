"""A Runtime API that gives one event and tells what came back."""
import http.server
import subprocess
import threading


class RuntimeApi(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, event):
        super().__init__(("127.0.0.1", 0), Handler)
        self.event = event
        self.path, self.body = None, None
        self.answered = threading.Event()
        self.closed = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        if self.server.event is None:
            self.server.closed.wait()
            return
        event, self.server.event = self.server.event, None
        self.reply(200, event, {"Lambda-Runtime-Aws-Request-Id": "r-1"})

    def do_POST(self):
        self.server.body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.path = self.path
        self.reply(202, b'{"status":"OK"}', {})
        self.server.answered.set()

    def reply(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def invoke(program, event, patience=60, command=(), environment=None, cwd=None):
    """What the function posts for the event: (path, body). `command` starts the program; "{api}" in it
    stands for the API's address."""
    server = RuntimeApi(event)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"127.0.0.1:{server.server_port}"
    process = subprocess.Popen(
        [*(str(word).replace("{api}", address) for word in command), program], cwd=cwd,
        env={**(environment or {}), "AWS_LAMBDA_RUNTIME_API": address})
    try:
        if not server.answered.wait(patience):
            raise AssertionError(f"{program} did not answer within {patience} s")
        return server.path, server.body
    finally:
        process.kill()
        process.wait()
        server.closed.set()
        server.shutdown()
        server.server_close()
