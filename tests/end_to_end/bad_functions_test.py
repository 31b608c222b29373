"""Functions that break every rule: the caller gets AWS's error at once, and the service lives on."""
import json
import struct
import unittest

import harness


class BadFunctions(harness.ServiceTest):
    def failure(self, name, code, payload=b"{}", **settings):
        self.create(name, code, **settings)
        answer = self.invoke(name, payload, LogType="Tail")
        self.assertEqual(answer["StatusCode"], 200)
        self.assertEqual(answer.get("FunctionError"), "Unhandled", answer)
        return json.loads(answer["Payload"]), answer["Log"], answer["ResponseMetadata"]["RequestId"]

    def tearDown(self):
        # Whatever the function did, the next one works.
        self.create("after", harness.package("hello"))
        answer = self.invoke("after", (harness.SOURCE / "functions/hello/event.json").read_bytes())
        self.assertNotIn("FunctionError", answer)

    def test_without_a_bootstrap(self):
        error, log, _ = self.failure("without", harness.make_zip({"readme": (b"x", 0o644)}))
        self.assertEqual(error["errorType"], "Runtime.InvalidEntrypoint")
        self.assertIn("bootstrap", error["errorMessage"] + log)

    def test_a_bootstrap_that_is_not_executable(self):
        error, log, _ = self.failure("plain", harness.make_zip({"bootstrap": (b"#!/bin/sh\n", 0o644)}))
        self.assertEqual(error["errorType"], "Runtime.InvalidEntrypoint")
        self.assertRegex(error["errorMessage"] + log, "executable|permission")

    def test_a_bootstrap_for_another_architecture(self):
        elf = bytearray(b"\x7fELF\x02\x01\x01" + bytes(9))
        elf += struct.pack("<HHIQQQIHHHHHH", 2, 243, 1, 0x1000, 64, 0, 0, 64, 56, 1, 64, 0, 0)
        elf += bytes(200)
        error, log, _ = self.failure("foreign", harness.make_zip({"bootstrap": (bytes(elf), 0o755)}))
        self.assertEqual(error["errorType"], "Runtime.InvalidEntrypoint")
        self.assertRegex(error["errorMessage"] + log, "architecture|machine")

    def test_a_bootstrap_that_exits_at_once(self):
        error, log, request = self.failure("exits", harness.script_zip("#!/bin/sh\nexit 3\n"))
        self.assertEqual(error, {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: {request} Error: Runtime exited with error: exit status 3"})
        self.assertIn("Error Type: Runtime.ExitError", log)

    def test_a_bootstrap_that_exits_without_a_reason(self):
        error, _, request = self.failure("leaves", harness.script_zip("#!/bin/sh\nexit 0\n"))
        self.assertEqual(error["errorMessage"],
                         f"RequestId: {request} Error: Runtime exited without providing a reason")

    def test_a_crash_in_the_middle_of_an_invoke(self):
        error, log, request = self.failure("crashes", harness.runtime_zip(
            "next_event()\nos.kill(os.getpid(), 11)\n"))
        self.assertEqual(error, {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: {request} Error: Runtime exited with error: "
                            "signal: segmentation fault"})
        self.assertIn("\tStatus: error\tError Type: Runtime.ExitError\n", log)
        again = self.invoke("crashes", LogType="Tail")
        self.assertEqual(again["FunctionError"], "Unhandled")

    def test_one_that_never_answers(self):
        error, log, request = self.failure("silent", harness.runtime_zip(
            "next_event()\nwhile True: time.sleep(100)\n"), Timeout=1)
        self.assertEqual(error, {
            "errorType": "Sandbox.Timedout",
            "errorMessage": f"RequestId: {request} Error: Task timed out after 1.00 seconds"})
        self.assertRegex(log, r"REPORT RequestId: \S+\tDuration: 1000\.00 ms\tBilled Duration: \d+ ms"
                              r"\tMemory Size: 128 MB\tMax Memory Used: \d+ MB\tInit Duration: "
                              r"\d+\.\d\d ms\tStatus: timeout\n")

    def test_one_that_never_asks_for_an_event(self):
        error, _, _ = self.failure("deaf", harness.script_zip("#!/bin/sh\nexec sleep 1000\n"), Timeout=1)
        self.assertEqual(error["errorType"], "Sandbox.Timedout")

    def test_one_that_answers_twice(self):
        self.create("twice", harness.runtime_zip("""
second = None
while True:
  i, e = next_event()
  if e == b'"what came second?"':
    respond(i, str(second).encode())
    continue
  respond(i, b'"first"')
  second = respond(i, b'"second"')[0]
"""))
        self.assertEqual(self.invoke("twice")["Payload"], b'"first"')
        self.assertEqual(self.invoke("twice", b'"what came second?"')["Payload"], b"403")

    def test_one_that_answers_7_mb(self):
        error, _, _ = self.failure("large", harness.runtime_zip("""
while True:
  i, e = next_event()
  if respond(i, b'"' + b"x" * (7 << 20) + b'"')[0] != 413:
    os._exit(9)
"""))
        self.assertEqual(error, {
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": "Response payload size exceeded maximum allowed payload size "
                            "(6291556 bytes)."})

    def test_one_that_prints_binary(self):
        self.create("noisy", harness.runtime_zip("""
while True:
  i, e = next_event()
  sys.stdout.buffer.write(bytes(range(256)) + b"\\n\\xff\\xfe no new line")
  sys.stdout.buffer.flush()
  respond(i, b"{}")
"""))
        answer = self.invoke("noisy", LogType="Tail")
        self.assertNotIn("FunctionError", answer)
        self.assertIn("REPORT RequestId", answer["Log"])
        self.assertIn("no new line", answer["Log"])

    def test_one_that_floods_its_log(self):
        self.create("flood", harness.runtime_zip("""
while True:
  i, e = next_event()
  line = b"x" * 1023 + b"\\n"
  for _ in range(65536):
    sys.stdout.buffer.write(line)
  sys.stdout.buffer.flush()
  respond(i, b'"done"')
"""), Timeout=60)
        answer = self.invoke("flood", LogType="Tail")
        self.assertEqual(answer["Payload"], b'"done"', answer)
        self.assertLessEqual(len(answer["Log"]), 4096)

    def test_one_that_takes_more_memory_than_it_has(self):
        error, log, _ = self.failure("hungry", harness.runtime_zip("""
next_event()
hoard = bytearray()
while True:
  hoard += b"x" * (8 << 20)
"""), Timeout=30)
        self.assertIn(error["errorType"], ("Runtime.OutOfMemory", "Runtime.ExitError"))
        self.assertIn("Error Type: Runtime.OutOfMemory", log)

    def test_one_that_leaves_a_daemon(self):
        self.create("daemon", harness.runtime_zip("""
if os.fork() == 0:
  os.setsid()
  while True: time.sleep(100)
while True:
  i, e = next_event()
  respond(i, b"{}")
"""))
        self.assertNotIn("FunctionError", self.invoke("daemon"))
        self.lambda_client.delete_function(FunctionName="daemon")
        harness.wait_until(lambda: not [p for p in harness.processes_of("AWS_LAMBDA_FUNCTION_NAME=daemon")],
                           "the daemon ends with its environment")

    def test_an_init_error_is_passed_on_as_it_was_posted(self):
        error, _, _ = self.failure("unready", harness.runtime_zip("""
post("init/error", b'{"errorMessage":"no luck","errorType":"My.Error"}',
     {"Lambda-Runtime-Function-Error-Type": "Runtime.NoLuck"})
sys.exit(1)
"""))
        self.assertEqual(error, {"errorMessage": "no luck", "errorType": "My.Error"})


if __name__ == "__main__":
    unittest.main()
