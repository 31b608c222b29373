"""The lab as a user runs it: saved records, reports in a real browser, endpoints that misbehave."""
import base64
import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest

import harness

HELLO = str(harness.PACKAGES / "hello-aot.zip")
FEW = ["--cold", "3", "--warm", "10", "--warm-up", "2"]


def check_schema(test, record):
    import jsonschema
    schema = json.loads((harness.SOURCE / "docs/record.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(record, schema)
    for sample in record["samples"]:  # the schema has a place for everything in the record
        test.assertLessEqual(set(sample), set(schema["$defs"]["sample"]["properties"]))
    test.assertLessEqual(set(record), set(schema["properties"]))


class LabCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kelvin-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.out = self.folder / "out"

    def environment(self, **more):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder),
                       "TMPDIR": str(self.folder), "AWS_EC2_METADATA_DISABLED": "true"}
        return {**environment, **more}

    def kelvin(self, *arguments, **more):
        return subprocess.run([harness.KELVIN, *arguments], capture_output=True, text=True,
                              timeout=300, stdin=subprocess.DEVNULL, cwd=self.folder,
                              env=self.environment(**more))

    def compare(self, *arguments, out="out"):
        return self.kelvin("compare", HELLO, "--payload", '{"name":"x"}', "--out", out, *FEW,
                           *arguments)

    def left_behind(self):
        return [p.name for p in self.folder.iterdir() if p.name.startswith("kelvin-")]


class Reports(LabCase):
    def test_every_format_of_one_run(self):
        shutil.copy(HELLO, self.folder / "second.zip")
        done = self.compare(str(self.folder / "second.zip"))
        self.assertEqual(done.returncode, 0, done.stderr)
        record = json.loads((self.out / "compare.json").read_text())
        self.assertEqual(record["conditions"]["target"], "local")
        self.assertGreater(len(record["conditions"]["overhead_ms"]), 100)
        self.assertEqual(record["functions"][0]["mode"], "aot")
        self.assertGreater(record["functions"][0]["unpacked_size"], 100_000)
        check_schema(self, record)
        self.assertIn("may not be compared with AWS", done.stdout)
        self.assertEqual((self.out / "compare.csv").read_text().count("\n"), 3)
        self.check_page(self.out / "compare.html", functions=2)
        for format, marker in (("markdown", "| Function |"), ("samples", "request_id"),
                               ("svg", "<svg"), ("table", "Cold start")):
            report = self.kelvin("report", "out/compare.json", "--format", format)
            self.assertEqual(report.returncode, 0, report.stderr)
            self.assertIn(marker, report.stdout)
        cost = self.kelvin("cost", "out/compare.json", "--requests", "10M")
        self.assertEqual(cost.returncode, 0, cost.stderr)
        advice = self.kelvin("advise", "out/compare.json", "--cold-target", "1s", "--json")
        self.assertEqual(advice.returncode, 0, advice.stderr)
        self.assertEqual(len(json.loads(advice.stdout)[0]["candidates"]), 2)

    def check_page(self, page, functions):
        tidy = subprocess.run(["tidy", "-errors", "-quiet", "--drop-empty-elements", "no", str(page)],
                              capture_output=True, text=True)
        self.assertEqual((tidy.returncode, tidy.stderr), (0, ""))
        # A copy in which a script sorts the first table by its first column, downwards.
        text = page.read_text()
        probe = """<script>
          const head = document.querySelector('table th button');
          head.click(); head.click();
          document.body.dataset.first = document.querySelector('table tbody td').textContent;
        </script></body>"""
        copy = self.folder / "page.html"
        copy.write_text(text.replace("</body>", probe))
        seen = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             f"--user-data-dir={self.folder}/profile", "--dump-dom", f"file://{copy}"],
            capture_output=True, text=True, timeout=120, env=self.environment())
        self.assertIn(f'data-charts="', seen.stdout, seen.stderr)
        charts = int(seen.stdout.split('data-charts="')[1].split('"')[0])
        self.assertGreaterEqual(charts, 7)
        self.assertIn('data-first="second"', seen.stdout)
        self.assertIn('aria-sort="descending"', seen.stdout)

    def test_a_sweep_recommends_a_size(self):
        done = self.kelvin("sweep", HELLO, "--memory", "128,512", "--cold", "2", "--warm", "10",
                           "--payload", "{}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Recommended", done.stdout)
        record = json.loads((self.out / "sweep.json").read_text())
        self.assertEqual([f["memory_mb"] for f in record["functions"]], [128, 512])
        check_schema(self, record)

    def test_two_records_and_a_rule(self):
        self.assertEqual(self.compare(out="a").returncode, 0)
        base = json.loads((self.folder / "a/compare.json").read_text())
        for sample in base["samples"]:
            if sample["kind"] != "warm":
                continue
            old = f"{sample['duration_ms']:.2f}"
            sample["duration_ms"] = round(sample["duration_ms"] * 5 + 1, 2)
            sample["report"] = sample["report"].replace(f"\tDuration: {old} ms",
                                                        f"\tDuration: {sample['duration_ms']:.2f} ms")
        (self.folder / "slow.json").write_text(json.dumps(base))
        rule = ["--fail-if", "warm.p50 > 10%", "--summary", "pr.md"]
        worse = self.kelvin("compare", "a/compare.json", "slow.json", *rule)
        self.assertEqual(worse.returncode, 1, worse.stderr + worse.stdout)
        self.assertIn("FAIL", (self.folder / "pr.md").read_text())
        same = self.kelvin("compare", "a/compare.json", "a/compare.json", *rule)
        self.assertEqual(same.returncode, 0, same.stderr)
        for impossible in ("warmth > 1", "warm.p12 > 10%", "warm.p50 < 10%", "memory.p99 > 1", "warm.p50 > much"):
            wrong = self.kelvin("compare", "a/compare.json", "slow.json", "--fail-if", impossible)
            self.assertEqual(wrong.returncode, 2, impossible)
            self.assertIn(impossible.split()[0].split(".")[0], wrong.stderr)
            self.assertIn("expected", wrong.stderr)

    def test_bad_records_say_what_is_wrong(self):
        self.assertEqual(self.compare().returncode, 0)
        text = (self.out / "compare.json").read_text()
        cases = {"short.json": (text[:len(text) // 2], "cut short"),
                 "old.json": (text.replace('"schema_version": 2', '"schema_version": 1'), "version 1"),
                 "edited.json": (text.replace('"duration_ms":', '"duration_ms":9', 1), "edited")}
        for name, (content, message) in cases.items():
            (self.folder / name).write_text(content)
            done = self.kelvin("report", name)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(message, done.stderr)
            self.assertIn(name, done.stderr)

    def test_costs_of_given_figures(self):
        done = self.kelvin("cost", "--memory", "512", "--duration", "91", "--requests", "1M")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("45500", done.stdout)
        self.assertIn("$0.96", done.stdout)
        missing = self.kelvin("cost", "--memory", "512", "--duration", "91", "--region", "mars-1")
        self.assertEqual(missing.returncode, 2)
        self.assertIn("mars-1", missing.stderr)
        self.assertIn("--prices", missing.stderr)
        prices = json.loads((harness.SOURCE / "data/prices.json").read_text())
        for architecture in prices["architectures"].values():
            del architecture["region_factors"]["eu-west-1"]
        (self.folder / "prices.json").write_text(json.dumps(prices))
        mine = ["--memory", "512", "--duration", "91", "--prices", "prices.json"]
        self.assertEqual(self.kelvin("cost", *mine).returncode, 0)
        missing = self.kelvin("cost", *mine, "--region", "eu-west-1")
        self.assertEqual(missing.returncode, 2)
        self.assertIn("eu-west-1", missing.stderr)


class Interruptions(LabCase):
    def start(self, *arguments):
        process = subprocess.Popen(
            [harness.KELVIN, "compare", HELLO, "--payload", "{}", "--out", "out", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL,
            cwd=self.folder, env=self.environment())
        self.addCleanup(process.stdout.close)
        return process

    def wait_for_samples(self, count):
        journal = self.out / "compare.journal"
        harness.wait_until(lambda: journal.exists() and journal.read_bytes().count(b"\n") > count,
                           "samples are saved as they come")

    def test_a_killed_run_is_gone_on_with(self):
        process = self.start("--cold", "60", "--warm", "40")
        self.wait_for_samples(5)
        process.kill()
        process.wait()
        saved = len((self.out / "compare.journal").read_text().splitlines()) - 1
        done = self.kelvin("compare", "--resume")
        self.assertEqual(done.returncode, 0, done.stderr)
        record = json.loads((self.out / "compare.json").read_text())
        good = [s for s in record["samples"] if s["outcome"] == "ok"]
        self.assertEqual(len(record["resumed"]), 1)
        self.assertEqual(len(good), 60 + 10 + 40)
        check_schema(self, record)
        self.assertGreaterEqual(len(record["samples"]), saved)
        self.assertEqual(self.kelvin("compare", "--resume").returncode, 2)

    def test_a_second_interrupt_leaves_no_folder(self):
        # The first invoke after the first signal takes the function's whole sleep.
        (self.folder / "slow.zip").write_bytes(harness.runtime_zip('''
while True:
    request_id, _ = next_event()
    open("/tmp/x", "w").write("x")
    time.sleep(20)
    respond(request_id, b"{}")
'''))
        process = subprocess.Popen(
            [harness.KELVIN, "compare", "slow.zip", "--out", "out"], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL, cwd=self.folder,
            env=self.environment())
        harness.wait_until(lambda: any("cold starts" in line for line in [process.stdout.readline()]),
                           "the first sample is being taken")
        process.send_signal(signal.SIGINT)
        self.assertIn("stopping", process.stdout.readline() + process.stdout.readline())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        harness.wait_until(lambda: not self.left_behind(), "the temporary folder goes")
        harness.wait_until(lambda: not harness.processes_of(self.folder), "every process goes")


class FakeLambda(http.server.BaseHTTPRequestHandler):
    """Answers every request the way the test says."""

    def log_message(self, *_):
        pass

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        status, kind, message = self.server.says
        if status == 0:
            self.close_connection = True
            self.connection.close()
            return
        body = json.dumps({"Type": "User", "message": message}).encode()
        self.send_response(status)
        self.send_header("x-amzn-ErrorType", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = answer


class Endpoints(LabCase):
    def against(self, status, kind, message):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeLambda)
        server.says = (status, kind, message)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(lambda: (server.shutdown(), thread.join(), server.server_close()))
        return self.kelvin("compare", "f", "--endpoint-url",
                           f"http://127.0.0.1:{server.server_address[1]}", "--out", "out", *FEW)

    def test_wrong_credentials(self):
        done = self.against(403, "UnrecognizedClientException",
                            "The security token included in the request is invalid.")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("check the credentials", done.stderr)

    def test_an_endpoint_that_throttles(self):
        done = self.against(429, "TooManyRequestsException", "Rate exceeded")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("too many requests", done.stderr)

    def test_an_endpoint_that_drops_connections(self):
        done = self.against(0, "", "")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("--endpoint-url", done.stderr)

    def test_an_endpoint_that_is_down(self):
        done = self.kelvin("compare", "f", "--endpoint-url", "http://127.0.0.1:9", *FEW)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("kelvin serve", done.stderr)

    def test_no_credentials_for_aws(self):
        done = self.kelvin("compare", "arn:aws:lambda:eu-west-1:123456789012:function:f", *FEW)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("aws configure", done.stderr)


class NeverCold(http.server.BaseHTTPRequestHandler):
    """A Lambda whose function answers well and is always warm, whatever is changed of it."""
    protocol_version = "HTTP/1.1"
    environment = {}

    def log_message(self, *_):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        configuration = {"FunctionName": "f", "FunctionArn": "arn:aws:lambda:us-east-1:1:function:f",
                         "Runtime": "provided.al2023", "MemorySize": 128, "Timeout": 3, "CodeSize": 1,
                         "CodeSha256": "x", "State": "Active", "LastUpdateStatus": "Successful",
                         "Environment": {"Variables": NeverCold.environment}}
        headers, answer = {}, b"{}"
        if self.path.endswith("/invocations"):
            report = ("REPORT RequestId: r\tDuration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\t"
                      "Max Memory Used: 10 MB\t\n")
            headers = {"x-amzn-RequestId": "r", "X-Amz-Log-Result": base64.b64encode(report.encode()).decode()}
        elif self.command == "PUT":
            NeverCold.environment = json.loads(body).get("Environment", {}).get("Variables", {})
            configuration["Environment"]["Variables"] = NeverCold.environment
            answer = json.dumps(configuration).encode()
        else:
            answer = json.dumps({"Configuration": configuration, **configuration}).encode()
        self.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(answer))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = answer


class BadFunctions(LabCase, harness.ServiceTest):
    """Functions that spoil a measurement, on a service that others use as well."""

    def remote(self, *names, code, endpoint=None):
        done = self.kelvin("compare", *names, "--endpoint-url", endpoint or self.endpoint, "--out", "out", *FEW)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        record = json.loads((self.out / "compare.json").read_text())
        check_schema(self, record)
        return done, record

    def failing(self, when):
        return harness.runtime_zip(f"""
count = 0
while True:
    request_id, _ = next_event()
    count += 1
    if {when}:
        post("invocation/" + request_id + "/error", b'{{"errorType":"Bad.Day","errorMessage":"x"}}')
    else:
        respond(request_id, b"{{}}")
""")

    def test_one_that_always_fails_is_given_up_and_the_other_measured(self):
        self.create("always", self.failing("True"))
        self.create("good", harness.package("hello"))
        done, record = self.remote("always", "good", code=1)
        self.assertIn("always was given up: ", done.stderr)
        self.assertIn("Bad.Day", done.stderr)
        self.assertEqual(sum(s["outcome"] == "ok" for s in record["samples"] if s["function"] == 1), 15)

    def test_one_that_fails_sometimes_is_measured_by_what_went_well(self):
        # The fourth invoke of an environment: one of the warm ones, since cold ones are the first.
        self.create("sometimes", self.failing("count == 4"))
        _, record = self.remote("sometimes", code=0)
        failed = [s for s in record["samples"] if s["outcome"] == "failed"]
        self.assertEqual([s["reason"] for s in failed], ["Bad.Day"])
        self.assertEqual(record["functions"][0]["abandoned"], "")

    def test_one_that_somebody_else_updates_meanwhile(self):
        self.create("shared", harness.package("hello"))
        process = subprocess.Popen(
            [harness.KELVIN, "compare", "shared", "--endpoint-url", self.endpoint, "--out", "out", "--cold", "200",
             "--warm", "5"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
            cwd=self.folder, env=self.environment())
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        journal = self.out / "compare.journal"
        harness.wait_until(lambda: journal.exists() and journal.read_bytes().count(b"\n") > 3, "the first samples")
        while True:  # the run updates it all the time, too
            try:
                self.lambda_client.update_function_code(FunctionName="shared", ZipFile=harness.package("transform"))
                break
            except self.lambda_client.exceptions.ResourceConflictException:
                pass
        _, errors = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 1, errors)
        self.assertIn("somebody else changed its code", errors)
        check_schema(self, json.loads((self.out / "compare.json").read_text()))

    def test_one_that_never_gets_cold(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), NeverCold)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(lambda: (server.shutdown(), thread.join(), server.server_close()))
        done, record = self.remote("f", code=1, endpoint=f"http://127.0.0.1:{server.server_address[1]}")
        self.assertIn("f was given up: ", done.stderr)
        self.assertIn("cold samples in a row", done.stderr)
        self.assertEqual({s["outcome"] for s in record["samples"]}, {"rejected"})
        self.assertEqual(NeverCold.environment, {})


class BesideAService(harness.ServiceTest):
    def test_the_invoker_measures_the_functions_beside_it(self):
        self.create("hello", harness.package("hello"))
        self.create("invoker", harness.package("invoker"), Timeout=120, MemorySize=512)
        answer = self.invoke("invoker", json.dumps(
            {"functions": ["hello"], "cold": 3, "warm_up": 1, "warm": 5, "payload": {}}).encode(),
            LogType="Tail")
        self.assertNotIn("FunctionError", answer, answer["Payload"])
        record = json.loads(answer["Payload"])
        self.assertEqual(sum(s["outcome"] == "ok" for s in record["samples"]), 9)
        self.assertIn("WARM RUN hello", answer["Log"])
        check_schema(self, record)

    def test_a_sweep_gives_the_function_its_memory_back(self):
        self.create("swept", harness.package("hello"), MemorySize=256)
        with tempfile.TemporaryDirectory(prefix="kelvin-test-") as out:
            done = subprocess.run(
                [harness.KELVIN, "sweep", "swept", "--endpoint-url", self.endpoint, "--memory",
                 "128,512", "--cold", "2", "--warm", "4", "--out", out],
                capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 0, done.stderr)
        now = self.lambda_client.get_function_configuration(FunctionName="swept")
        self.assertEqual(now["MemorySize"], 256)
        self.assertNotIn("KELVIN_COLD_START", now.get("Environment", {}).get("Variables", {}))

    def test_an_unknown_function_suggests_the_one_that_was_meant(self):
        self.create("orders", harness.package("hello"))
        with tempfile.TemporaryDirectory(prefix="kelvin-test-") as out:
            done = subprocess.run(
                [harness.KELVIN, "compare", "order", "--endpoint-url", self.endpoint, "--out", out],
                capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("did you mean orders", done.stderr)


if __name__ == "__main__":
    unittest.main()
