"""Builds packages of modes jit and r2r from a source in a test, and runs the engine on them."""
import http.server
import json
import os
import pathlib
import subprocess
import threading

SOURCE = pathlib.Path(os.environ["KELVIN_SOURCE"])
ENGINE = os.environ["KELVIN_ENGINE_PROGRAM"]
BITCODE = os.environ["KELVIN_BITCODE"]
CLANG = os.environ["KELVIN_CLANG"]
LLD = os.environ["KELVIN_LLD"]
CLANG_OPTIONS = ["-std=c++23", "-O2", "-fPIC", "-w", "-march=x86-64-v2", f"-I{SOURCE}/include",
                 "-DFMT_HEADER_ONLY=1", "-DFMT_STATIC_THOUSANDS_SEPARATOR=44"]


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} failed:\n{done.stdout}{done.stderr}")
    return done


def compile_object(folder, source, name="source", options=()):
    """Bitcode of one source, as kelvin_add_function has it made."""
    path = folder / f"{name}.cc"
    path.write_text(source)
    run([CLANG, *CLANG_OPTIONS, "-Xclang", "-disable-llvm-passes", *options, "-emit-llvm", "-c",
         path, "-o", folder / f"{name}.o.bc"])
    return folder / f"{name}.o.bc"


def build(folder, source, image=False, leave_out=(), cpu="x86-64-v2", entry="main"):
    """A package in `folder`: function.bc and, with `image`, function.image."""
    compiled = compile_object(folder, source)
    command = [BITCODE, "--engine", ENGINE, "--output", folder / "function.bc", "--entry", entry]
    left_out = [word for name in leave_out for word in ("--leave-out", name)]
    image_object = ["--image-object", folder / "function.o"] if image else []
    run([*command, *image_object, *left_out, "--cpu", cpu, compiled])
    if image:
        run([LLD, "-shared", "-e", "kelvin_image", "-z", "now", "-z", "noexecstack",
             "--eh-frame-hdr", folder / "function.o", "-o", folder / "function.image"])
        run([*command, "--cpu", cpu, "--seal", folder / "function.image"])
    return folder


class RuntimeApi(http.server.ThreadingHTTPServer):
    """Gives the events one after the other and keeps what is posted for each."""
    daemon_threads = True

    def __init__(self, events):
        super().__init__(("127.0.0.1", 0), Handler)
        self.events = list(events)
        self.given = 0
        self.posted = []
        self.done = threading.Event()
        self.closed = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        server = self.server
        if server.given == len(server.events):
            server.done.set()
            server.closed.wait()
            return
        server.given += 1
        self.reply(200, json.dumps(server.events[server.given - 1]).encode(),
                   {"Lambda-Runtime-Aws-Request-Id": f"r-{server.given}"})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.posted.append((self.path.split("/", 3)[-1], body))
        self.reply(202, b"{}", {})

    def reply(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Outcome:
    """What a run of the engine left: what it posted, what it wrote, how it ended."""

    def __init__(self, posted, log, status):
        self.posted, self.log, self.status = posted, log, status

    @property
    def answers(self):
        return [body for path, body in self.posted if path.endswith("/response")]

    @property
    def errors(self):
        return [body for path, body in self.posted if path.endswith("/error")]

    @property
    def init_error(self):
        found = [body for path, body in self.posted if path == "init/error"]
        return found[0] if found else None

    @property
    def activity(self):
        """The last line of KELVIN_ENGINE_LOG."""
        lines = [line for line in self.log.splitlines() if line.startswith("KELVIN_ENGINE ")]
        return json.loads(lines[-1].split(" ", 1)[1]) if lines else None


def serve(folder, events=(), environment=None, patience=120, prepare=None, program=ENGINE):
    """Runs the package until it has answered every event, or ends by itself."""
    server = RuntimeApi(events)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    process = subprocess.Popen(
        [program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=prepare,
        env={"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
             "LAMBDA_TASK_ROOT": str(folder), "KELVIN_ENGINE_LOG": "1", **(environment or {})})
    output = []
    reader = threading.Thread(target=lambda: output.append(process.stdout.read()))
    reader.start()

    def wait_for_end():
        process.wait()
        server.done.set()
    threading.Thread(target=wait_for_end, daemon=True).start()
    try:
        if not server.done.wait(patience):
            raise AssertionError(f"the engine neither answered nor ended within {patience} s")
    finally:
        ended = process.poll()
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()
        server.closed.set()
        server.shutdown()
        server.server_close()
    return Outcome(server.posted, output[0].decode(errors="replace"), ended)
