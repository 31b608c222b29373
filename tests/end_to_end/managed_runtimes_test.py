"""Functions written in Node.js and Python, on the runtimes that come with Kelvin."""
import base64
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import harness

NODE = shutil.which("node", path="/usr/local/bin:/usr/bin:/bin")
RUNTIMES = harness.SOURCE / "runtimes"


def source_zip(**files):
    return harness.make_zip({name.replace("__", "."): (text.encode(), 0o644)
                             for name, text in files.items()})


class Runtimes(harness.ServiceTest):
    serve_arguments = ("--runtime", f"nodejs20.x={RUNTIMES / 'node'}",
                       "--runtime", f"python3.11={RUNTIMES / 'python'}")
    runtime = None

    def function(self, name, handler, files, **settings):
        self.lambda_client.create_function(
            FunctionName=name, Role=harness.ROLE, Runtime=self.runtime, Handler=handler,
            Code={"ZipFile": source_zip(**files)}, Timeout=settings.pop("Timeout", 10),
            MemorySize=settings.pop("MemorySize", 256), **settings)
        self.addCleanup(lambda: self._delete(name))

    def answer(self, name, payload=None, **settings):
        got = self.invoke(name, json.dumps(payload).encode(), LogType="Tail", **settings)
        got["Body"] = json.loads(got["Payload"])
        return got

    def failure(self, name, payload=None):
        got = self.answer(name, payload)
        self.assertEqual(got["FunctionError"], "Unhandled", got)
        return got["Body"]


@unittest.skipUnless(NODE, "needs Node.js (tools/setup installs it)")
class Node(Runtimes):
    runtime = "nodejs20.x"

    def test_async_handlers_get_the_context_that_is_documented(self):
        self.function("context", "app/index.handler", {"app/index__js": """
exports.handler = async (event, context) => ({ event, context, left: context.getRemainingTimeInMillis(),
  env: process.env, cwd: process.cwd(), home: require('os').homedir() })
"""})
        got = self.answer("context", {"a": ["ä", 1]},
                          ClientContext=base64.b64encode(b'{"custom":{"k":"v"}}').decode())
        self.assertNotIn("FunctionError", got, got)
        body = got["Body"]
        self.assertEqual(body["event"], {"a": ["ä", 1]})
        context = body["context"]
        self.assertEqual(context["functionName"], "context")
        self.assertEqual(context["functionVersion"], "$LATEST")
        self.assertEqual(context["memoryLimitInMB"], "256")
        self.assertEqual(context["logGroupName"], "/aws/lambda/context")
        self.assertEqual(context["awsRequestId"], got["ResponseMetadata"]["RequestId"])
        self.assertEqual(context["invokedFunctionArn"],
                         "arn:aws:lambda:us-east-1:123456789012:function:context")
        self.assertEqual(context["clientContext"], {"custom": {"k": "v"}})
        self.assertTrue(context["callbackWaitsForEmptyEventLoop"])
        self.assertTrue(0 < body["left"] <= 10_000)
        self.assertEqual(body["env"]["AWS_EXECUTION_ENV"], "AWS_Lambda_nodejs20.x")
        self.assertEqual(body["env"]["_HANDLER"], "app/index.handler")
        # Node throws where there is none, and AWS's SDK asks for it.
        self.assertEqual(body["home"], "/home/sbx_user1051")

    def test_callbacks_wait_for_what_is_left_to_do_unless_told_not_to(self):
        self.function("callback", "index.handler", {"index__js": """
let late = 'not yet'
exports.handler = (event, context, callback) => {
  if (event.hasty) context.callbackWaitsForEmptyEventLoop = false
  const result = { late: () => late, toJSON() { return { late } } }
  if (event.fail) return callback(new TypeError('called back'))
  setTimeout(() => { late = 'done' }, event.hasty ? 60000 : 10)
  callback(null, result)
}
"""})
        self.assertEqual(self.answer("callback", {"hasty": True})["Body"], {"late": "not yet"})
        self.function("patient", "index.handler", {"index__js": """
let late = 'not yet'
exports.handler = (event, context, callback) => {
  setTimeout(() => { late = 'done' }, 10)
  callback(null, { toJSON: () => late })
}
"""})
        self.assertEqual(self.answer("patient", {})["Body"], "done")
        self.assertEqual(self.failure("callback", {"fail": True})["errorMessage"], "called back")

    def test_plain_functions_and_ones_that_never_answer(self):
        self.function("quiet", "index.handler", {"index__mjs": "export const handler = () => {}"})
        self.assertIsNone(self.answer("quiet")["Body"])
        self.function("lost", "index.handler",
                      {"index__mjs": "export const handler = () => new Promise(() => {})"})
        self.assertIsNone(self.answer("lost")["Body"])
        self.assertIsNone(self.answer("lost")["Body"])

    def test_errors_have_type_message_and_trace(self):
        self.function("fails", "index.handler", {"index__mjs": """
class Own extends Error { constructor(message) { super(message); this.name = 'Own' } }
export async function handler(event) {
  if (event === 'text') throw 'only text'
  if (event === 'later') { setTimeout(() => { throw new Own('later') }, 0); await new Promise(() => {}) }
  if (event === 'unhandled') { Promise.reject(new Own('nobody')); await new Promise((r) => setTimeout(r, 5000)) }
  if (event === 'circle') { const circle = {}; circle.circle = circle; return circle }
  if (event) throw new Own('thrown')
  return 'well'
}
"""})
        error = self.failure("fails", 1)
        self.assertEqual((error["errorType"], error["errorMessage"]), ("Own", "thrown"))
        self.assertEqual(error["trace"][0], "Own: thrown")
        self.assertIn("index.mjs", error["trace"][1])
        self.assertEqual(self.failure("fails", "text")["errorMessage"], "only text")
        self.assertEqual(self.failure("fails", "circle")["errorType"], "Runtime.MarshalError")
        self.assertEqual(self.failure("fails", "later")["errorMessage"], "later")
        self.assertEqual(self.failure("fails", "unhandled")["errorType"],
                         "Runtime.UnhandledPromiseRejection")
        self.assertEqual(self.answer("fails", 0)["Body"], "well")

    def test_what_cannot_be_loaded_is_an_init_error(self):
        cases = {
            "missing": ("index.handler", "", "Runtime.ImportModuleError"),
            "unexported": ("other.handler", "exports.x = 1", "Runtime.HandlerNotFound"),
            "broken": ("other.handler", "exports.handler = (", "Runtime.UserCodeSyntaxError"),
            "unnamed": ("other", "exports.handler = 1", "Runtime.MalformedHandlerName"),
            "requires": ("other.handler", "require('nowhere')", "Runtime.ImportModuleError"),
            "throws": ("other.handler", "throw new RangeError('at once')", "RangeError"),
        }
        for name, (handler, code, kind) in cases.items():
            with self.subTest(name):
                self.function(name, handler, {"other__js": code})
                self.assertEqual(self.failure(name)["errorType"], kind)

    def test_console_writes_text_and_json_lines(self):
        code = {"index__mjs": """
export const handler = async () => {
  console.log('two\\nlines', { a: 1 })
  console.debug('fine'); console.warn('careful'); console.error(new Error('bad')); console.info({ key: 'value' })
}
"""}
        self.function("texts", "index.handler", code)
        got = self.answer("texts")
        request_id = got["ResponseMetadata"]["RequestId"]
        self.assertRegex(got["Log"], rf"(?m)^\d{{4}}-\S+Z\t{request_id}\tINFO\ttwo\rlines {{ a: 1 }}$")
        self.assertRegex(got["Log"], rf"(?m)\t{request_id}\tWARN\tcareful$")
        self.function("documents", "index.handler", code,
                      LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "INFO"})
        got = self.answer("documents")
        lines = [json.loads(line) for line in got["Log"].splitlines()]
        lines = {line["level"]: line for line in lines if "level" in line}
        self.assertNotIn("DEBUG", lines)
        self.assertEqual(lines["WARN"]["message"], "careful")
        self.assertEqual(lines["WARN"]["requestId"], got["ResponseMetadata"]["RequestId"])
        self.assertEqual(lines["ERROR"]["errorMessage"], "bad")
        self.assertEqual(lines["INFO"]["message"], {"key": "value"})

    def test_responses_stream(self):
        self.function("streams", "index.handler", {"index__mjs": """
export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
  stream.setContentType('text/plain')
  if (event === 'early') throw new Error('before the first byte')
  stream.write('one,')
  if (event === 'late') throw new Error('in the middle')
  await new Promise((resolve) => stream.write('x'.repeat(200000), resolve))
  stream.end(',' + context.functionName)
})
export const http = awslambda.streamifyResponse(async (event, stream) => {
  stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { 'x-a': 'b' } })
  stream.end('body')
})
"""})

        def stream(payload):
            return self.collect_stream("streams", payload)

        body, complete = stream({})
        self.assertEqual(body, b"one," + b"x" * 200000 + b",streams")
        self.assertNotIn("ErrorCode", complete)
        body, complete = stream("late")
        self.assertEqual(body, b"one,")
        self.assertIn("in the middle", complete["ErrorDetails"])
        body, complete = stream("early")
        self.assertIn("before the first byte", complete["ErrorDetails"])
        self.lambda_client.update_function_configuration(FunctionName="streams", Handler="index.http")
        self.assertEqual(stream({})[0], b'{"statusCode":201,"headers":{"x-a":"b"}}' + bytes(8) + b"body")

    def test_a_wrapper_starts_the_runtime(self):
        self.lambda_client.create_function(
            FunctionName="wrapped", Role=harness.ROLE, Runtime=self.runtime, Handler="index.handler",
            Timeout=10, Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}},
            Code={"ZipFile": harness.make_zip({
                "index.js": (b"exports.handler = async () => process.env.WRAPPED", 0o644),
                "wrapper": (b'#!/bin/sh\nexport WRAPPED="by $#"\nexec "$@"\n', 0o755)})})
        self.addCleanup(lambda: self._delete("wrapped"))
        self.assertEqual(self.answer("wrapped")["Body"], "by 2")

    def test_other_runtimes_are_refused_and_how_to_have_them_is_said(self):
        with self.assertRaises(self.lambda_client.exceptions.InvalidParameterValueException) as caught:
            self.lambda_client.create_function(
                FunctionName="ruby", Role=harness.ROLE, Runtime="ruby3.3", Handler="a.b",
                Code={"ZipFile": source_zip(a__rb="")})
        self.assertIn("--runtime ruby3.3=FOLDER", str(caught.exception))


class Python(Runtimes):
    runtime = "python3.11"

    def test_handlers_get_the_context_that_is_documented(self):
        self.function("context", "app/main.handler", {"app/main__py": """
import getpass, os
from helper import word
def handler(event, context):
    return {"event": event, "word": word, "id": context.aws_request_id, "name": context.function_name,
            "version": context.function_version, "memory": context.memory_limit_in_mb,
            "arn": context.invoked_function_arn, "group": context.log_group_name,
            "left": context.get_remaining_time_in_millis(), "client": context.client_context.custom,
            "identity": context.identity.cognito_identity_id,
            "execution": os.environ["AWS_EXECUTION_ENV"], "user": getpass.getuser()}
""", "helper__py": "word = 'helped'"})
        got = self.answer("context", {"a": ["ä", 1.5]},
                          ClientContext=base64.b64encode(b'{"custom":{"k":"v"}}').decode())
        self.assertNotIn("FunctionError", got, got)
        body = got["Body"]
        self.assertEqual(body["event"], {"a": ["ä", 1.5]})
        self.assertEqual(body["id"], got["ResponseMetadata"]["RequestId"])
        self.assertEqual(body["arn"], "arn:aws:lambda:us-east-1:123456789012:function:context")
        self.assertEqual((body["name"], body["version"], body["memory"], body["group"], body["word"]),
                         ("context", "$LATEST", "256", "/aws/lambda/context", "helped"))
        self.assertEqual(body["client"], {"k": "v"})
        self.assertEqual(body["user"], "sbx_user1051")
        self.assertTrue(0 < body["left"] <= 10_000)
        self.assertEqual(body["execution"], "AWS_Lambda_python3.11")

    def test_errors_have_type_message_and_trace(self):
        self.function("fails", "main.handler", {"main__py": """
class Own(Exception): pass
def inner():
    raise Own("thrown")
def handler(event, context):
    if event == "set": return {1}
    if event: inner()
    return "well"
"""})
        error = self.failure("fails", 1)
        self.assertEqual((error["errorType"], error["errorMessage"]), ("Own", "thrown"))
        self.assertIn('main.py", line 7, in handler', error["stackTrace"][0])
        self.assertIn("in inner", error["stackTrace"][-1])
        self.assertTrue(error["requestId"])
        error = self.failure("fails", "set")
        self.assertEqual(error["errorType"], "Runtime.MarshalError")
        self.assertEqual(error["errorMessage"],
                         "Unable to marshal response: Object of type set is not JSON serializable")
        self.assertEqual(self.answer("fails", 0)["Body"], "well")

    def test_what_cannot_be_loaded_is_an_init_error(self):
        cases = {
            "missing": ("index.handler", "", "Runtime.ImportModuleError",
                        "Unable to import module 'index': No module named 'index'"),
            "unexported": ("other.handler", "x = 1", "Runtime.HandlerNotFound",
                           "Handler 'handler' missing on module 'other'"),
            "broken": ("other.handler", "def handler(:", "Runtime.UserCodeSyntaxError", "Syntax error"),
            "unnamed": ("other", "", "Runtime.MalformedHandlerName", "Bad handler 'other'"),
            "throws": ("other.handler", "raise ValueError('at once')", "ValueError", "at once"),
        }
        for name, (handler, code, kind, message) in cases.items():
            with self.subTest(name):
                self.function(name, handler, {"other__py": code})
                error = self.failure(name)
                self.assertEqual(error["errorType"], kind)
                self.assertIn(message, error["errorMessage"])

    def test_logging_writes_text_and_json_lines(self):
        code = {"main__py": """
import logging
logger = logging.getLogger("mine")
logger.setLevel("INFO")
def handler(event, context):
    print("printed")
    logger.info("two\\nlines %d", 7)
    logger.debug("fine")
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("bad", extra={"order": 5})
"""}
        self.function("texts", "main.handler", code)
        got = self.answer("texts")
        request_id = got["ResponseMetadata"]["RequestId"]
        self.assertIn("\nprinted\n", got["Log"])
        self.assertRegex(got["Log"], rf"(?m)^\[INFO\]\t\d{{4}}-\S+Z\t{request_id}\ttwo\rlines 7$")
        self.function("documents", "main.handler", code, LoggingConfig={"LogFormat": "JSON"})
        got = self.answer("documents")
        lines = [json.loads(line) for line in got["Log"].splitlines() if line.startswith("{")]
        lines = {line["level"]: line for line in lines if "level" in line}
        self.assertEqual(lines["INFO"]["message"], "two\nlines 7")
        self.assertEqual(lines["INFO"]["logger"], "mine")
        self.assertEqual(lines["ERROR"]["errorType"], "ZeroDivisionError")
        self.assertEqual(lines["ERROR"]["order"], 5)
        self.assertEqual(lines["ERROR"]["requestId"], got["ResponseMetadata"]["RequestId"])

    def test_a_wrapper_starts_the_runtime(self):
        self.lambda_client.create_function(
            FunctionName="wrapped", Role=harness.ROLE, Runtime=self.runtime, Handler="main.handler",
            Timeout=10, Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}},
            Code={"ZipFile": harness.make_zip({
                "main.py": (b"import os\ndef handler(event, context): return os.environ['WRAPPED']", 0o644),
                "wrapper": (b'#!/bin/sh\nexport WRAPPED="by $#"\nexec "$@"\n', 0o755)})})
        self.addCleanup(lambda: self._delete("wrapped"))
        self.assertEqual(self.answer("wrapped")["Body"], "by 2")


class Compared(unittest.TestCase):
    def test_interpreted_functions_beside_compiled_ones(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "hello.zip").write_bytes(harness.package("hello"))
            (folder / "python.zip").write_bytes(source_zip(
                main__py="def handler(event, context): return 'hello'"))
            (folder / "kelvin.toml").write_text(f"""
[[runtime]]
name = "python3.11"
folder = "{RUNTIMES.absolute() / 'python'}"

[[function]]
name = "hello"
timeout = 10
handlers = {{ "python3.11" = "main.handler" }}
packages.aot = "hello.zip"
packages."python3.11" = "python.zip"
""")

            def compare(*arguments):
                done = subprocess.run(
                    [pathlib.Path(harness.KELVIN).absolute(), "compare", *arguments, "--cold", "1",
                     "--warm", "2", "--out", "out", "--json"],
                    cwd=folder, capture_output=True, text=True, timeout=300)
                self.assertEqual(done.returncode, 0, done.stderr)
                return json.loads(done.stdout)

            record = compare("--payload", '{"name": "Ada"}')
            self.assertEqual(sorted((f["mode"], f["runtime"]) for f in record["functions"]),
                             [("aot", "provided.al2023"), ("python3.11", "python3.11")])
            self.assertFalse([s for s in record["samples"] if s.get("error")], record["samples"])
            record = compare("python.zip", "hello.zip", "--payload", '{"name": "Ada"}', "--runtime",
                             f"python3.11={RUNTIMES.absolute() / 'python'}",
                             "--handler", "main.handler")
            self.assertEqual(sorted(f["runtime"] for f in record["functions"]),
                             ["provided.al2023", "python3.11"])


del Runtimes  # has no tests of its own

if __name__ == "__main__":
    unittest.main()
