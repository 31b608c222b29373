"""Extensions of a layer, as real programs: their life beside the function's, and telemetry."""
import json
import os
import unittest

import harness

# An extension written out by hand. BEHAVE says how it differs from a good one. What it sees it
# keeps in /tmp, which the function shows to the test.
EXTENSION = '''#!/usr/bin/python3
import http.client, http.server, json, os, socketserver, sys, threading
name = os.path.basename(sys.argv[0])
behave = os.environ.get("BEHAVE", "")
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, body=None, headers={}):
    api.request(method, path, body, headers)
    answer = api.getresponse()
    return answer, answer.read().decode()
def keep(kind, what):
    with open("/tmp/" + kind, "a") as out:
        out.write(what + "\\n")
if behave == "exit in init":
    sys.exit(3)
answer, body = call("POST", "/2020-01-01/extension/register",
                    json.dumps({"events": ["INVOKE", "SHUTDOWN"]}), {"Lambda-Extension-Name": name})
keep("registered", body)
me = {"Lambda-Extension-Identifier": answer.getheader("Lambda-Extension-Identifier")}
if behave == "never ready":
    threading.Event().wait()
if behave == "init error":
    call("POST", "/2020-01-01/extension/init/error", "{}",
         {**me, "Lambda-Extension-Function-Error-Type": "Extension.NoConfig"})
    sys.exit(1)
if behave.startswith("telemetry"):
    def keep_records(records):
        for record in records:
            keep("telemetry", record)
    posts = []
    class Listener(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            posts.append(text)
            if behave == "telemetry refused twice" and len(posts) == 2:
                self.close_connection = True
                return
            refused = (behave == "telemetry refused twice" and len(posts) == 1
                       or behave == "telemetry refused" and not os.path.exists("/tmp/accept"))
            keep("refused" if refused else "accepted", json.dumps(text))
            if not refused:
                keep_records([json.dumps(record) for record in json.loads(text)])
            self.send_response(503 if refused else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()
        def log_message(self, *_):
            pass
    # Without private mounts the name is the host's to know.
    host = "sandbox.localdomain" if os.path.isdir("/var/task") else "127.0.0.1"
    class Lines(socketserver.StreamRequestHandler):
        def handle(self):
            keep_records(line.decode().rstrip() for line in self.rfile)
    if behave == "telemetry tcp":
        listener = socketserver.TCPServer((host, 0), Lines)
        destination = {"protocol": "TCP", "port": listener.server_address[1]}
    else:
        listener = http.server.HTTPServer((host, 0), Listener)
        destination = {"protocol": "HTTP",
                       "URI": "http://sandbox.localdomain:%d" % listener.server_port}
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    answer, body = call("PUT", "/2022-07-01/telemetry", json.dumps({
        "schemaVersion": "2022-12-13", "types": ["platform", "function", "extension"],
        "buffering": {"maxItems": 1000, "maxBytes": 262144, "timeoutMs": 25},
        "destination": destination}), me)
    keep("subscribed", str(answer.status) + " " + body)
while True:
    answer, body = call("GET", "/2020-01-01/extension/event/next", None, me)
    keep("events", body)
    print(name, "got", json.loads(body)["eventType"], flush=True)
    if json.loads(body)["eventType"] == "SHUTDOWN":
        if behave == "ignore shutdown":
            threading.Event().wait()
        sys.exit(0)
    if behave == "crash":
        os._exit(5)
    if behave == "exit error":
        call("POST", "/2020-01-01/extension/exit/error", "{}",
             {**me, "Lambda-Extension-Function-Error-Type": "Extension.GaveUp"})
        os._exit(1)
'''

# Answers with what the extension kept; "hang" hangs, "exit" ends the process, "accept" lets the
# extension's listener take what it is sent.
FUNCTION = harness.PYTHON_RUNTIME + '''
import json, threading
while True:
    request_id, payload = next_event()
    event = json.loads(payload)
    print("the function prints", flush=True)
    if event.get("do") == "exit":
        os._exit(7)
    if event.get("do") == "hang":
        threading.Event().wait()
    if event.get("do") == "accept":
        open("/tmp/accept", "w").close()
    kept = {}
    for name in os.listdir("/tmp"):
        if os.path.isfile("/tmp/" + name):
            kept[name] = open("/tmp/" + name).read()
    respond(request_id, json.dumps(kept))
'''


class Extensions(harness.ServiceTest):
    def setUp(self):
        self.number = getattr(type(self), "number", 0) + 1
        type(self).number = self.number

    def function(self, behave="", mode=0o755, layer=None, **settings):
        name = f"extended-{self.number}"
        published = self.lambda_client.publish_layer_version(
            LayerName=name, Content={"ZipFile": harness.make_zip(
                layer or {"extensions/watcher": (EXTENSION.encode(), mode)})})
        settings.setdefault("Timeout", 60)
        self.create(name, harness.script_zip(FUNCTION), Layers=[published["LayerVersionArn"]],
                    MemorySize=1769, Environment={"Variables": {"BEHAVE": behave}}, **settings)
        return name

    def wait_for_log(self, name, text):
        harness.wait_until(lambda: text in self.log(name), f"{text!r} in the log of {name}")
        return self.log(name)

    def events(self, kept):
        return [json.loads(line) for line in kept.get("events", "").splitlines()]

    def test_it_is_there_before_the_function_and_sees_every_invoke(self):
        name = self.function()
        answer = self.invoke(name, LogType="Tail")
        kept = json.loads(answer["Payload"])
        self.assertEqual(json.loads(kept["registered"]),
                         {"functionName": name, "functionVersion": "$LATEST", "handler": "bootstrap"})
        second = self.invoke(name)
        events = self.events(json.loads(second["Payload"]))
        self.assertGreaterEqual(len(events), 1)
        first = events[0]
        self.assertEqual(first["eventType"], "INVOKE")
        self.assertEqual(first["requestId"], answer["ResponseMetadata"]["RequestId"])
        self.assertTrue(first["invokedFunctionArn"].endswith(f":function:{name}"))
        self.assertEqual(first["tracing"]["type"], "X-Amzn-Trace-Id")
        self.wait_for_log(
            name, "EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE,SHUTDOWN]\nSTART ")
        self.wait_for_log(name, "watcher got INVOKE")

    def test_a_deleted_function_tells_it_to_end(self):
        name = self.function()
        self.invoke(name)
        self.lambda_client.delete_function(FunctionName=name)
        self.wait_for_log(name, "watcher got SHUTDOWN")
        harness.wait_until(
            lambda: not harness.processes_of(f"AWS_LAMBDA_FUNCTION_NAME={name}"), "all have ended")

    def test_one_that_ignores_the_shutdown_is_killed(self):
        name = self.function("ignore shutdown")
        self.invoke(name)
        self.lambda_client.delete_function(FunctionName=name)
        self.wait_for_log(name, "watcher got SHUTDOWN")
        harness.wait_until(
            lambda: not harness.processes_of(f"AWS_LAMBDA_FUNCTION_NAME={name}"), "all have ended")

    def test_a_crash_fails_the_invoke_and_the_next_begins_anew(self):
        name = self.function("crash")
        for _ in range(2):
            answer = self.invoke(name, b'{"do":"hang"}')
            self.assertEqual(answer["FunctionError"], "Unhandled")
            error = json.loads(answer["Payload"])
            self.assertEqual(error["errorType"], "Extension.Crash")
            self.assertRegex(error["errorMessage"], r"^RequestId: \S+ Error: exit status 5$")

    def test_an_exit_error_is_named(self):
        name = self.function("exit error")
        error = json.loads(self.invoke(name, b'{"do":"hang"}')["Payload"])
        self.assertEqual(error["errorType"], "Extension.ExitError")

    def test_an_exit_in_init_fails_the_invoke(self):
        name = self.function("exit in init")
        error = json.loads(self.invoke(name)["Payload"])
        self.assertEqual(error["errorType"], "Extension.Crash")
        self.assertIn("exit status 3", error["errorMessage"])
        self.assertIn("INIT_REPORT", self.wait_for_log(name, "Phase: invoke\tStatus: error"))

    def test_an_init_error_fails_the_invoke(self):
        name = self.function("init error")
        error = json.loads(self.invoke(name)["Payload"])
        self.assertEqual(error["errorType"], "Extension.InitError")
        self.assertIn("State: InitError\tEvents: [INVOKE,SHUTDOWN]\tError Type: Extension.NoConfig",
                      self.wait_for_log(name, "Phase: invoke"))

    def test_one_that_is_never_ready_runs_into_the_time_outs(self):
        name = self.function("never ready", Timeout=1)
        error = json.loads(self.invoke(name)["Payload"])
        self.assertEqual(error["errorType"], "Sandbox.Timedout")
        log = self.wait_for_log(name, "Phase: invoke\tStatus: timeout")
        self.assertIn("EXTENSION\tName: watcher\tState: Registered\tEvents: [INVOKE,SHUTDOWN]\n"
                      "INIT_REPORT", log)

    def test_one_that_cannot_be_executed(self):
        name = self.function(mode=0o644)
        error = json.loads(self.invoke(name)["Payload"])
        self.assertEqual(error["errorType"], "Extension.LaunchError")
        self.assertIn("fork/exec /opt/extensions/watcher: permission denied", error["errorMessage"])
        self.wait_for_log(name, "State: LaunchError\tEvents: []\tError Type: PermissionDenied")

    def shutdown_reasons(self, name):
        # /tmp stays with the environment.
        events = self.events(json.loads(self.invoke(name)["Payload"]))
        return [event["shutdownReason"] for event in events if event["eventType"] == "SHUTDOWN"]

    def test_a_crash_of_the_function_is_told(self):
        name = self.function()
        self.assertEqual(json.loads(self.invoke(name, b'{"do":"exit"}')["Payload"])["errorType"],
                         "Runtime.ExitError")
        self.assertEqual(self.shutdown_reasons(name), ["failure"])

    def test_a_time_out_is_told(self):
        # Long enough for the start that follows within an invoke, on a loaded machine too.
        name = self.function(Timeout=15)
        self.assertEqual(json.loads(self.invoke(name, b'{"do":"hang"}')["Payload"])["errorType"],
                         "Sandbox.Timedout")
        self.assertEqual(self.shutdown_reasons(name), ["timeout"])

    def telemetry(self, name):
        """What the extension has kept, after one more invoke, and the records that it took."""
        kept = json.loads(self.invoke(name)["Payload"])
        self.assertEqual(kept["subscribed"], '200 "OK"\n')
        return kept, [json.loads(line) for line in kept.get("telemetry", "").splitlines()]

    TELEMETRY = {"platform.initStart", "platform.initRuntimeDone", "platform.initReport",
                 "platform.telemetrySubscription", "platform.extension", "platform.start",
                 "platform.runtimeDone", "platform.report", "function", "extension"}

    def wait_for_telemetry(self, name, wanted):
        harness.wait_until(
            lambda: wanted <= {record["type"] for record in self.telemetry(name)[1]}, "all of it comes")
        return self.telemetry(name)

    def test_telemetry_to_a_tcp_listener(self):
        name = self.function("telemetry tcp")
        _, records = self.wait_for_telemetry(name, self.TELEMETRY)
        self.assertNotIn("platform.logsDropped", {record["type"] for record in records})
        self.assertIn("the function prints",
                      [record["record"] for record in records if record["type"] == "function"])

    def test_a_batch_that_a_listener_refuses_comes_again(self):
        name = self.function("telemetry refused twice")
        kept, records = self.wait_for_telemetry(name, self.TELEMETRY)
        refused, accepted = (
            [json.loads(line) for line in kept[which].splitlines()] for which in ("refused", "accepted"))
        self.assertEqual(len(refused), 1)
        # Once with a 503, once with a connection that broke, then as it was.
        self.assertEqual(accepted[0], refused[0])
        self.assertEqual(accepted.count(refused[0]), 1)
        self.assertNotIn("platform.logsDropped", {record["type"] for record in records})

    def test_what_a_listener_never_takes_is_dropped_and_counted(self):
        name = self.function("telemetry refused")

        def refused():
            return [json.loads(line)
                    for line in self.telemetry(name)[0].get("refused", "").splitlines()]

        def went_on():
            first, *rest = refused()
            return any(later != first for later in rest)

        harness.wait_until(lambda: refused() and went_on(), "the first batch is given up")
        first = refused()[0]
        self.assertEqual(refused().count(first), 5)
        self.invoke(name, b'{"do":"accept"}')
        _, records = self.wait_for_telemetry(name, {"platform.logsDropped"})
        self.assertEqual(records[0]["type"], "platform.logsDropped")
        dropped = records[0]["record"]
        self.assertGreaterEqual(dropped["droppedRecords"], len(json.loads(first)))
        self.assertGreater(dropped["droppedBytes"], 0)
        self.assertEqual(dropped["reason"], "could not send events: answered 503")

    def test_telemetry(self):
        name = self.function("telemetry")
        _, records = self.wait_for_telemetry(name, self.TELEMETRY)
        lines = [record["record"] for record in records if record["type"] == "function"]
        self.assertIn("the function prints", lines)
        self.assertIn("watcher got INVOKE",
                      [record["record"] for record in records if record["type"] == "extension"])
        report = next(record for record in records if record["type"] == "platform.report")["record"]
        self.assertEqual(report["status"], "success")
        self.assertIn("billedDurationMs", report["metrics"])
        self.assertEqual([span["name"] for span in report["spans"]], ["extensionOverhead"])
        done = next(r for r in records if r["type"] == "platform.runtimeDone")["record"]
        self.assertEqual([span["name"] for span in done["spans"]],
                         ["responseLatency", "responseDuration", "runtimeOverhead"])
        for span in done["spans"]:
            self.assertRegex(span["start"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertLessEqual(span["durationMs"], done["metrics"]["durationMs"])
        self.assertGreater(done["metrics"]["producedBytes"], 0)
        self.wait_for_log(name, "TELEMETRY\tName: watcher\tState: Subscribed\t"
                                "Types: [Platform, Function, Extension]")

    def test_a_hanging_functions_lines_are_there_while_it_hangs(self):
        name = self.function(layer={"nothing": (b"", 0o644)}, Timeout=30)
        import threading
        hanging = threading.Thread(target=self.invoke, args=(name, b'{"do":"hang"}'))
        hanging.start()
        try:
            log = self.wait_for_log(name, "the function prints")
            self.assertIn("START RequestId", log)
            self.assertTrue(hanging.is_alive())
        finally:
            self.lambda_client.delete_function(FunctionName=name)
            for line in harness.processes_of(f"AWS_LAMBDA_FUNCTION_NAME={name}"):
                os.kill(int(line.split(":")[0]), 9)
            hanging.join()


if __name__ == "__main__":
    unittest.main()
