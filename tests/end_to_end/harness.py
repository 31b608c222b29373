"""Starts `kelvin serve` for a test, and gives it clients that know nothing of Kelvin."""
import contextlib
import http.client
import io
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import zipfile

KELVIN = os.environ.get("KELVIN", "build/release/bin/kelvin")
PACKAGES = pathlib.Path(os.environ.get("KELVIN_PACKAGES", "build/release/packages"))
SOURCE = pathlib.Path(os.environ.get("KELVIN_SOURCE", "."))
ROLE = "arn:aws:iam::123456789012:role/test"

# What an AWS client needs to sign with; nothing here looks for credentials elsewhere.
AWS_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "AWS_PAGER": "",
}


class Service:
    """A `kelvin serve` process, or another command's, on a free port; use it in a with statement."""

    def __init__(self, state=None, arguments=(), command=("serve",), program=KELVIN, user=None):
        self._own_state = None if state else tempfile.TemporaryDirectory(prefix="kelvin-test-")
        self.state = pathlib.Path(state or self._own_state.name)
        self.arguments = list(arguments)
        self.command = list(command)
        self.program = str(program)
        self.user = user or {}  # of Popen
        self.process = None
        self.endpoint = None
        self.log = tempfile.TemporaryFile()

    def start(self):
        read_end, write_end = os.pipe()
        self.process = subprocess.Popen(
            [self.program, *self.command, "--port", "0", "--state-dir", str(self.state),
             "--ready-fd", str(write_end), *self.arguments],
            stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            pass_fds=(write_end,), **self.user,
            env={**os.environ, **(AWS_ENVIRONMENT if self.command[0] == "tables" else {})})
        os.close(write_end)
        with os.fdopen(read_end) as ready:
            self.endpoint = ready.readline().strip()
        if not self.endpoint:
            self.process.wait()
            raise AssertionError(f"kelvin {self.command[0]} ended with {self.process.returncode}:\n{self.output()}")
        return self

    def output(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=30)
        return self.process.returncode

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        self.stop()
        if kind is not None:
            print(self.output())
        self.log.close()
        if self._own_state:
            self._own_state.cleanup()


def boto3_client(name, endpoint, **config):
    import boto3
    import botocore.config

    settings = {"retries": {"max_attempts": 1}, "connect_timeout": 5, "read_timeout": 120, **config}
    client = boto3.session.Session().client(
        name, endpoint_url=endpoint, region_name="us-east-1",
        aws_access_key_id=AWS_ENVIRONMENT["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=AWS_ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
        config=botocore.config.Config(**settings))
    if name == "lambda":
        _teach_logging_config(client)
    return client


def _teach_logging_config(client):
    """Debian 12's boto3 is older than LoggingConfig, and refuses to send what it does not know."""
    operation = "CreateFunction"
    if "LoggingConfig" in client.meta.service_model.operation_model(operation).input_shape.members:
        return

    def take(params, context, **_):
        if "LoggingConfig" in params:
            context["logging_config"] = params.pop("LoggingConfig")

    def put(params, context, **_):
        if "logging_config" in context:
            body = {**json.loads(params["body"]), "LoggingConfig": context["logging_config"]}
            params["body"] = json.dumps(body).encode()

    client.meta.events.register(f"provide-client-params.lambda.{operation}", take)
    client.meta.events.register(f"before-call.lambda.{operation}", put)


def aws(endpoint, *arguments, check=True):
    """Runs the AWS CLI; the parsed JSON that it prints, or the finished process when not check."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **AWS_ENVIRONMENT}
    done = subprocess.run(["/usr/bin/aws", "--endpoint-url", endpoint, "--output", "json", *arguments],
                          env=environment, capture_output=True, text=True, timeout=120)
    if not check:
        return done
    if done.returncode != 0:
        raise AssertionError(f"aws {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout) if done.stdout.strip() else None


def versions_and_metrics(endpoint):
    """Whether a local service publishes versions and counts invokes by version, which deploying and
    rolling out need."""
    import urllib.error
    import urllib.request

    for path in ("/2015-03-31/functions/none/aliases/none", "/kelvin/metrics/none"):
        try:
            urllib.request.urlopen(endpoint + path, timeout=30).close()
        except urllib.error.HTTPError as error:
            if error.headers.get("x-amzn-ErrorType", "").startswith("UnknownOperation"):
                return False
    return True


def package(name):
    return (PACKAGES / f"{name}-aot.zip").read_bytes()


def make_zip(files):
    """A zip of {name: (bytes, mode)}."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, (content, mode) in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, content)
    return out.getvalue()


def script_zip(text):
    return make_zip({"bootstrap": (text.encode(), 0o755)})


# A runtime written out by hand, so that a test can break any rule of the Runtime API.
PYTHON_RUNTIME = '''#!/usr/bin/python3
import http.client, os, sys, time
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def next_event():
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    answer = api.getresponse()
    return answer.getheader("Lambda-Runtime-Aws-Request-Id"), answer.read()
def post(path, body, headers={}):
    api.request("POST", "/2018-06-01/runtime/" + path, body, headers)
    answer = api.getresponse()
    return answer.status, answer.read()
def respond(request_id, body):
    return post("invocation/" + request_id + "/response", body)
'''


def runtime_zip(body):
    return script_zip(PYTHON_RUNTIME + body)


def wait_until(condition, message, seconds=30):
    """Waits for what has no event to wait on (another process's end, say)."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {message}")
        time.sleep(0.02)


def processes_of(state):
    """Command lines of live processes that have to do with a state folder or a sandbox below it."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            if str(state).encode() in words:
                found.append(f"{entry.name}: {words[:200]!r}")
    return found


def lacks(service, what):
    """Whether the service said at its start that this host lets functions be isolated less."""
    return any(what in line for line in service.output().splitlines() if line.startswith("  - "))


def in_background(test, work):
    """Runs `work` beside the test, which fails if it does."""
    import threading

    failures = []

    def run():
        try:
            work()
        except BaseException as error:  # noqa: B902: handed to the test
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def join():
        thread.join()
        if failures:
            raise failures[0]

    test.addCleanup(join)


class ServiceTest(unittest.TestCase):
    """One service for all tests of a class."""

    serve_arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.service = Service(arguments=cls.serve_arguments).start()
        cls.addClassCleanup(cls._end)
        cls.endpoint = cls.service.endpoint
        cls.lambda_client = boto3_client("lambda", cls.endpoint)
        cls.dynamodb = boto3_client("dynamodb", cls.endpoint)

    @classmethod
    def _end(cls):
        code = cls.service.stop()
        if code != 0:
            print(cls.service.output())
            raise AssertionError(f"kelvin {self.command[0]} ended with {code}")

    def create(self, name, code, **settings):
        settings.setdefault("Runtime", "provided.al2023")
        created = self.lambda_client.create_function(
            FunctionName=name, Role=ROLE, Handler="bootstrap", Code={"ZipFile": code}, **settings)
        self.lambda_client.get_waiter("function_active_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 1})
        self.addCleanup(lambda: self._delete(name))
        return created

    def _delete(self, name):
        with contextlib.suppress(self.lambda_client.exceptions.ResourceNotFoundException):
            self.lambda_client.delete_function(FunctionName=name)

    def invoke(self, name, payload=b"{}", **settings):
        """Invokes; the answer with Payload read and, with LogType Tail, Log decoded."""
        import base64

        answer = self.lambda_client.invoke(FunctionName=name, Payload=payload, **settings)
        answer["Payload"] = answer["Payload"].read()
        if "LogResult" in answer:
            answer["Log"] = base64.b64decode(answer["LogResult"]).decode(errors="replace")
        return answer

    def log(self, name):
        """What a function has logged; nothing before it has a log group."""
        logs = boto3_client("logs", self.endpoint)
        with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=f"/aws/lambda/{name}")
            return "".join(event["message"] for page in pages for event in page["events"])
        return ""

    def response_stream(self, name, event, headers={}):
        """The events of one InvokeWithResponseStream, which Debian's boto3 does not know yet; its
        reader of event streams it has."""
        from botocore.eventstream import EventStreamBuffer

        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.endpoint).netloc)
        self.addCleanup(connection.close)
        connection.request("POST", f"/2021-11-15/functions/{name}/response-streaming-invocations",
                           json.dumps(event), headers)
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.getheader("Content-Type"), "application/vnd.amazon.eventstream")
        buffer = EventStreamBuffer()
        while piece := answer.read1(65536):
            buffer.add_data(piece)
            yield from buffer

    def collect_stream(self, name, event, headers={}):
        """Its body, and what InvokeComplete says."""
        body, complete = b"", None
        for item in self.response_stream(name, event, headers):
            self.assertIsNone(complete, "nothing comes behind InvokeComplete")
            if item.headers[":event-type"] == "PayloadChunk":
                body += item.payload
            else:
                complete = json.loads(item.payload)
        return body, complete
