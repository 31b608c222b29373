"""What happens when the host fails the service: the port, the disk, a kill."""
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import unittest

import harness


def serve(*arguments):
    return subprocess.run([harness.KELVIN, "serve", *arguments], capture_output=True, text=True,
                          timeout=60, stdin=subprocess.DEVNULL)


def create(client, name, code=None, **settings):
    return client.create_function(
        FunctionName=name, Role=harness.ROLE, Handler="bootstrap", Runtime="provided.al2023",
        Code={"ZipFile": code or harness.package("hello")}, **settings)


class Faults(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="kelvin-test-")
        self.addCleanup(self.folder.cleanup)
        self.state = pathlib.Path(self.folder.name) / "state"

    def test_a_port_in_use_is_named(self):
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            port = holder.getsockname()[1]
            done = serve("--port", str(port), "--state-dir", str(self.state))
        self.assertEqual(done.returncode, 3, done)
        self.assertIn(str(port), done.stderr)
        self.assertIn("--port", done.stderr)

    def test_a_state_folder_that_cannot_be_made_is_named(self):
        done = serve("--port", "0", "--state-dir", "/proc/nowhere/state")
        self.assertEqual(done.returncode, 3, done)
        self.assertIn("/proc/nowhere/state", done.stderr)

    def test_a_second_service_on_the_same_state_is_refused(self):
        with harness.Service(state=self.state):
            done = serve("--port", "0", "--state-dir", str(self.state))
        self.assertEqual(done.returncode, 3, done)
        self.assertIn(str(self.state), done.stderr)

    def test_all_that_was_acknowledged_is_there_after_kill_9(self):
        with harness.Service(state=self.state) as service:
            client = harness.boto3_client("lambda", service.endpoint)
            dynamodb = harness.boto3_client("dynamodb", service.endpoint)
            dynamodb.create_table(
                TableName="items", BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}])
            dynamodb.put_item(TableName="items", Item={"Id": {"S": "kept"}})
            for index in range(5):
                create(client, f"f{index}", Environment={"Variables": {"INDEX": str(index)}})
            client.update_function_configuration(FunctionName="f1", MemorySize=512)
            client.delete_function(FunctionName="f2")
            client.invoke(FunctionName="f0", Payload=b'{"name":"x"}')
            service.kill()
        with harness.Service(state=self.state) as service:
            client = harness.boto3_client("lambda", service.endpoint)
            names = [f["FunctionName"] for f in client.list_functions()["Functions"]]
            self.assertEqual(names, ["f0", "f1", "f3", "f4"])
            self.assertEqual(client.get_function_configuration(FunctionName="f1")["MemorySize"], 512)
            answer = client.invoke(FunctionName="f4", Payload=b'{"name":"x"}')
            self.assertNotIn("FunctionError", answer)
            dynamodb = harness.boto3_client("dynamodb", service.endpoint)
            self.assertEqual(dynamodb.get_item(TableName="items", Key={"Id": {"S": "kept"}})["Item"],
                             {"Id": {"S": "kept"}})

    def test_kill_9_in_the_middle_of_creates_updates_and_events(self):
        """What was acknowledged is there, once."""
        import botocore.exceptions
        import threading

        created, memory, aliases, events = [], {}, {}, []
        enough = threading.Event()

        def until_killed(work):
            def run():
                client = harness.boto3_client("lambda", service.endpoint)
                index = 0
                try:
                    while True:
                        work(client, index)
                        index += 1
                except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
                    failures.append(error)
                if len(failures) == 3:
                    enough.set()  # something is wrong: do not wait for ever
            return threading.Thread(target=run)

        def make(client, index):
            create(client, f"made-{index}")
            created.append(f"made-{index}")

        def change(client, index):
            size = 128 + index
            client.update_function_configuration(FunctionName="changed", MemorySize=size)
            memory["changed"] = size
            version = client.publish_version(FunctionName="changed")["Version"]
            (client.update_alias if aliases else client.create_alias)(
                FunctionName="changed", Name="live", FunctionVersion=version)
            aliases["live"] = version

        def send(client, index):
            client.invoke(FunctionName="counter", InvocationType="Event",
                          Payload=json.dumps({"number": index}).encode())
            events.append(index)
            if len(events) >= 60 and len(created) >= 5 and aliases:
                enough.set()

        def counted():
            """How often each event has run, as written to a durable table by the function."""
            tables = harness.boto3_client("dynamodb", service.endpoint)
            pages = tables.get_paginator("scan").paginate(TableName="counts", ConsistentRead=True)
            return {int(item["Number"]["N"]): int(item["Times"]["N"])
                    for page in pages for item in page["Items"]}

        failures = []
        with harness.Service(state=self.state) as service:
            client = harness.boto3_client("lambda", service.endpoint)
            create(client, "changed")
            create(client, "counter", harness.runtime_zip("""
import json
tables = http.client.HTTPConnection(os.environ["AWS_ENDPOINT_URL_DYNAMODB"].split("//")[1])
while True:
  i, e = next_event()
  tables.request("POST", "/", json.dumps({
      "TableName": "counts", "Key": {"Number": {"N": str(json.loads(e)["number"])}},
      "UpdateExpression": "ADD Times :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}),
      {"X-Amz-Target": "DynamoDB_20120810.UpdateItem", "Content-Type": "application/x-amz-json-1.0",
       "Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, "
                        "SignedHeaders=host, Signature=b", "X-Amz-Date": "20260101T000000Z"})
  answer = tables.getresponse()
  answer.read()
  if answer.status == 200:
    respond(i, b"{}")
  else:
    post("invocation/" + i + "/error", b"{}")
"""), Timeout=60)
            harness.boto3_client("dynamodb", service.endpoint).create_table(
                TableName="counts", BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": "Number", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "Number", "AttributeType": "N"}])
            settled = list(range(-10, 0))
            for number in settled:
                client.invoke(FunctionName="counter", InvocationType="Event",
                              Payload=json.dumps({"number": number}).encode())
            harness.wait_until(lambda: set(settled) <= set(counted()), "the first events are delivered")
            # Changes go to the disk in order: behind these two the events' ends are there.
            create(client, "barrier-1")
            create(client, "barrier-2")
            threads = [until_killed(work) for work in (make, change, send)]
            for thread in threads:
                thread.start()
            enough.wait()
            service.kill()
            for thread in threads:
                thread.join()
        self.assertGreaterEqual(len(events), 60, failures)

        with harness.Service(state=self.state) as service:
            client = harness.boto3_client("lambda", service.endpoint)
            names = [f["FunctionName"] for page in client.get_paginator("list_functions").paginate()
                     for f in page["Functions"]]
            self.assertEqual(len(names), len(set(names)))
            # At most one more of each was on its way when the service was killed.
            self.assertLessEqual(set(created), set(names))
            self.assertLessEqual(len(names), len(created) + 5)
            size = client.get_function_configuration(FunctionName="changed")["MemorySize"]
            self.assertIn(size, (memory["changed"], memory["changed"] + 1))
            alias = client.get_alias(FunctionName="changed", Name="live")["FunctionVersion"]
            self.assertIn(int(alias), (int(aliases["live"]), int(aliases["live"]) + 1))
            versions = [v["Version"] for page in
                        client.get_paginator("list_versions_by_function").paginate(FunctionName="changed")
                        for v in page["Versions"]]
            self.assertEqual(len(versions), len(set(versions)))
            self.assertIn(aliases["live"], versions)
            harness.wait_until(lambda: set(events) <= set(counted()), "every event is delivered", 60)
            # Only what had not ended when the service was killed may come again.
            self.assertEqual({n: times for n, times in counted().items() if n < 0},
                             {n: 1 for n in settled})
        for path in pathlib.Path("/sys/fs/cgroup").glob("**/kelvin-*"):
            pid = int(path.name.split("-")[1]) if path.name.split("-")[1].isdigit() else 0
            self.assertNotEqual(pid, service.process.pid, path)
        self.assertFalse(harness.processes_of(self.state))

    def test_kill_9_leaves_no_process_cgroup_or_mount(self):
        with harness.Service(state=self.state) as service:
            client = harness.boto3_client("lambda", service.endpoint)
            create(client, "orphan")
            client.invoke(FunctionName="orphan", Payload=b'{"name":"x"}')
            self.assertTrue(harness.processes_of("AWS_LAMBDA_FUNCTION_NAME=orphan"))
            service.kill()
        harness.wait_until(lambda: not harness.processes_of("AWS_LAMBDA_FUNCTION_NAME=orphan"),
                           "no function's process outlives the service")
        harness.wait_until(lambda: not harness.processes_of(self.state), "no helper outlives it")
        self.assertNotIn(str(self.state), pathlib.Path("/proc/self/mountinfo").read_text())

    def test_an_orderly_end_leaves_no_process(self):
        with harness.Service(state=self.state) as service:
            client = harness.boto3_client("lambda", service.endpoint)
            create(client, "orderly")
            client.invoke(FunctionName="orderly", Payload=b'{"name":"x"}')
            self.assertEqual(service.stop(), 0)
        self.assertFalse(harness.processes_of("AWS_LAMBDA_FUNCTION_NAME=orderly"))
        self.assertFalse(harness.processes_of(self.state))

    def test_a_full_disk_loses_nothing_that_was_acknowledged(self):
        import botocore.exceptions

        if os.geteuid() != 0:
            self.skipTest("needs root to mount a small file system")
        self.state.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(self.state)])
        if mounted.returncode != 0:
            self.skipTest("needs a host that lets root mount")
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.state)])
        acknowledged = []
        with harness.Service(state=self.state) as service:
            client = harness.boto3_client("lambda", service.endpoint)
            incompressible = os.urandom(3 << 20)
            refusal = None
            for index in range(20):
                name = f"f{index:02}"
                code = harness.make_zip({"bootstrap": (b"#!/bin/sh\n# %d" % index, 0o755),
                                         "data": (incompressible, 0o644)})
                try:
                    create(client, name, code)
                except botocore.exceptions.ClientError as error:
                    refusal = error.response
                    break
                acknowledged.append(name)
            self.assertIsNotNone(refusal, "24 MB held 60 MB of packages")
            self.assertGreaterEqual(refusal["ResponseMetadata"]["HTTPStatusCode"], 500)
            self.assertRegex(refusal["Error"]["Message"], "(?i)space|disk")
            self.assertTrue(acknowledged)
            # The service goes on, and space can be made through it.
            client.delete_function(FunctionName=acknowledged.pop(0))
            names = [f["FunctionName"] for f in client.list_functions()["Functions"]]
            self.assertEqual(names, acknowledged)
        with harness.Service(state=self.state) as service:
            client = harness.boto3_client("lambda", service.endpoint)
            names = [f["FunctionName"] for f in client.list_functions()["Functions"]]
            self.assertEqual(names, acknowledged)

    def test_a_damaged_state_is_reported_not_reset(self):
        with harness.Service(state=self.state) as service:
            create(harness.boto3_client("lambda", service.endpoint), "kept")
        databases = [p for p in self.state.rglob("*") if p.is_file() and p.read_bytes()[:6] == b"SQLite"]
        self.assertTrue(databases)
        for path in databases:
            for sibling in path.parent.glob(path.name + "-*"):
                sibling.unlink()
            damaged = b"SQLite format 3\0" + os.urandom(4096)
            path.write_bytes(damaged)
        done = serve("--port", "0", "--state-dir", str(self.state))
        self.assertEqual(done.returncode, 3, done)
        self.assertTrue(any(str(path) in done.stderr for path in databases), done.stderr)


class CommandLine(unittest.TestCase):
    def run_kelvin(self, *arguments):
        return subprocess.run([harness.KELVIN, *arguments], capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL)

    def test_an_unknown_command_suggests_one(self):
        done = self.run_kelvin("comapre")
        self.assertEqual(done.returncode, 2)
        self.assertIn("compare", done.stderr)

    def test_every_command_has_help_with_an_example(self):
        top = self.run_kelvin("--help")
        self.assertEqual(top.returncode, 0)
        for command in ("serve", "compare", "invoke", "pack"):
            self.assertIn(command, top.stdout)
            done = self.run_kelvin(command, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stdout, re.compile(rf"kelvin {command} ", re.MULTILINE))

    def test_an_unknown_option_is_a_usage_error(self):
        done = self.run_kelvin("serve", "--no-such-option")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--no-such-option", done.stderr)


if __name__ == "__main__":
    unittest.main()
