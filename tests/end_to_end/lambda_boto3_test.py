"""boto3, with only endpoint_url changed."""
import concurrent.futures
import json
import unittest

import harness

REPORT = (r"REPORT RequestId: [0-9a-f-]{36}\tDuration: (\d+\.\d\d) ms\tBilled Duration: (\d+) ms\t"
          r"Memory Size: (\d+) MB\tMax Memory Used: (\d+) MB\t(?:Init Duration: (\d+\.\d\d) ms\t)?\n")


class Functions(harness.ServiceTest):
    def hello_event(self):
        return (harness.SOURCE / "functions/hello/event.json").read_bytes()

    def test_create_answers_what_boto3_reads(self):
        created = self.create("fields", harness.package("hello"), MemorySize=256, Timeout=5,
                              Description="d", Environment={"Variables": {"AA": "1"}},
                              Tags={"kelvin:mode": "aot"})
        self.assertEqual(created["FunctionArn"],
                         "arn:aws:lambda:us-east-1:123456789012:function:fields")
        self.assertEqual(created["State"], "Pending")
        got = self.lambda_client.get_function(FunctionName="fields")
        configuration = got["Configuration"]
        self.assertEqual(configuration["State"], "Active")
        self.assertEqual(configuration["MemorySize"], 256)
        self.assertEqual(configuration["Timeout"], 5)
        self.assertEqual(configuration["Environment"]["Variables"], {"AA": "1"})
        self.assertEqual(configuration["CodeSize"], len(harness.package("hello")))
        self.assertEqual(configuration["Version"], "$LATEST")
        self.assertEqual(got["Tags"], {"kelvin:mode": "aot"})

    def test_a_cold_and_a_warm_invoke_report_as_lambda_does(self):
        self.create("reports", harness.package("hello"))
        cold = self.invoke("reports", self.hello_event(), LogType="Tail")
        self.assertEqual(cold["StatusCode"], 200)
        self.assertNotIn("FunctionError", cold, cold)
        self.assertEqual(cold["ExecutedVersion"], "$LATEST")
        request_id = cold["ResponseMetadata"]["RequestId"]
        self.assertIn(f"START RequestId: {request_id} Version: $LATEST\n", cold["Log"])
        self.assertIn(f"END RequestId: {request_id}\n", cold["Log"])
        self.assertRegex(cold["Log"], REPORT)
        self.assertIn("Init Duration", cold["Log"])
        warm = self.invoke("reports", self.hello_event(), LogType="Tail")
        self.assertRegex(warm["Log"], REPORT)
        self.assertNotIn("Init Duration", warm["Log"])

    def test_billed_duration_covers_init(self):
        import math
        import re

        self.create("billed", harness.package("hello"))
        log = self.invoke("billed", self.hello_event(), LogType="Tail")["Log"]
        duration, billed, _, used, init = re.search(REPORT, log).groups()
        self.assertEqual(int(billed), math.ceil(round(float(duration) + float(init), 2)))
        self.assertGreaterEqual(int(used), 1)

    def test_a_configuration_change_makes_the_next_invoke_cold(self):
        self.create("changes", harness.package("hello"))
        self.invoke("changes", self.hello_event())
        self.lambda_client.update_function_configuration(FunctionName="changes", Description="new")
        self.lambda_client.get_waiter("function_updated_v2").wait(FunctionName="changes",
                                                                  WaiterConfig={"Delay": 1})
        log = self.invoke("changes", self.hello_event(), LogType="Tail")["Log"]
        self.assertIn("Init Duration", log)

    def test_new_code_is_what_runs_next(self):
        self.create("codes", harness.runtime_zip(
            "while True:\n  i, e = next_event()\n  respond(i, b'\"one\"')\n"))
        self.assertEqual(self.invoke("codes")["Payload"], b'"one"')
        self.lambda_client.update_function_code(FunctionName="codes", ZipFile=harness.runtime_zip(
            "while True:\n  i, e = next_event()\n  respond(i, b'\"two\"')\n"))
        self.assertEqual(self.invoke("codes")["Payload"], b'"two"')

    def test_concurrent_invokes_scale_out_and_a_lone_client_does_not(self):
        # Each environment answers with its own log stream; asked to wait for the others, it does so
        # until as many are there, which it sees by their items in a table.
        self.dynamodb.create_table(
            TableName="rendezvous", BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}])
        self.create("scales", harness.runtime_zip("""
import json, urllib.request
def tables(operation, body):
  return json.load(urllib.request.urlopen(urllib.request.Request(
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"], json.dumps(body).encode(),
    {"X-Amz-Target": "DynamoDB_20120810." + operation, "X-Amz-Date": "20260101T000000Z",
     "Authorization": "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c",
     "Content-Type": "application/x-amz-json-1.0"})))
me = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
while True:
  i, e = next_event()
  others = json.loads(e).get("others", 0)
  if others:
    tables("PutItem", {"TableName": "rendezvous", "Item": {"Id": {"S": i}}})
    while tables("Scan", {"TableName": "rendezvous"})["Count"] < others:
      time.sleep(0.05)
  respond(i, me.encode())
"""), Timeout=60, MemorySize=512)
        alone = {self.invoke("scales")["Payload"] for _ in range(20)}
        self.assertEqual(len(alone), 1)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            clients = [harness.boto3_client("lambda", self.endpoint) for _ in range(4)]
            together = {answer["Payload"].read() for answer in pool.map(
                lambda client: client.invoke(FunctionName="scales", Payload=b'{"others":4}'),
                clients)}
        self.assertEqual(len(together), 4)

    def test_dry_run_and_event(self):
        self.create("asynchronous", harness.package("hello"))
        self.assertEqual(self.invoke("asynchronous", InvocationType="DryRun")["StatusCode"], 204)
        accepted = self.invoke("asynchronous", self.hello_event(), InvocationType="Event")
        self.assertEqual(accepted["StatusCode"], 202)
        self.assertEqual(accepted["Payload"], b"")

    def test_an_accepted_event_runs(self):
        self.dynamodb.create_table(
            TableName="events", BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}])
        self.create("records", harness.package("create-item"),
                    Environment={"Variables": {"TABLE_NAME": "events"}})
        for _ in range(3):
            self.invoke("records", b'{"a":"b"}', InvocationType="Event")
        harness.wait_until(lambda: self.dynamodb.scan(TableName="events")["Count"] == 3,
                           "three records from three events")

    def test_list_pages_through_all_functions(self):
        for index in range(3):
            self.create(f"page-{index}", harness.package("hello"))
        pages = self.lambda_client.get_paginator("list_functions").paginate(
            PaginationConfig={"PageSize": 1})
        names = [f["FunctionName"] for page in pages for f in page["Functions"]]
        self.assertEqual([n for n in names if n.startswith("page-")], ["page-0", "page-1", "page-2"])

    def test_a_missing_table_name_is_an_init_error_that_says_so(self):
        self.create("unset", harness.package("create-item"))
        answer = self.invoke("unset", b"{}", LogType="Tail")
        self.assertEqual(answer["FunctionError"], "Unhandled")
        self.assertIn("TABLE_NAME", json.loads(answer["Payload"])["errorMessage"])

    def test_a_malformed_ttl_is_an_init_error_that_says_so(self):
        self.create("malformed", harness.package("create-item"),
                    Environment={"Variables": {"TABLE_NAME": "things", "TTL_DAYS": "soon"}})
        message = json.loads(self.invoke("malformed", b"{}")["Payload"])["errorMessage"]
        self.assertIn("TTL_DAYS", message)
        self.assertIn("soon", message)

    def test_a_missing_table_is_the_handlers_error_and_the_process_lives_on(self):
        self.create("lost", harness.package("create-item"),
                    Environment={"Variables": {"TABLE_NAME": "no-such-table"}})
        first = self.invoke("lost", b"{}")
        self.assertEqual(first["FunctionError"], "Unhandled")
        self.assertIn("ResourceNotFoundException", first["Payload"].decode())
        log = self.invoke("lost", b"{}", LogType="Tail")["Log"]
        self.assertNotIn("Init Duration", log)

    def test_the_environment_is_lambdas(self):
        self.create("environment", harness.runtime_zip("""
import json
while True:
  i, e = next_event()
  respond(i, json.dumps({"env": dict(os.environ), "cwd": os.getcwd(), "uid": os.getuid(),
                         "files": sorted(os.listdir("."))}).encode())
"""), MemorySize=256, Environment={"Variables": {"MINE": "yes", "TZ": "Europe/Kyiv"}})
        seen = json.loads(self.invoke("environment")["Payload"])
        env = seen["env"]
        self.assertEqual(env["AWS_LAMBDA_FUNCTION_NAME"], "environment")
        self.assertEqual(env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "256")
        self.assertEqual(env["AWS_LAMBDA_FUNCTION_VERSION"], "$LATEST")
        self.assertEqual(env["AWS_LAMBDA_INITIALIZATION_TYPE"], "on-demand")
        self.assertEqual(env["AWS_LAMBDA_LOG_GROUP_NAME"], "/aws/lambda/environment")
        self.assertRegex(env["AWS_LAMBDA_RUNTIME_API"], r"^127\.0\.0\.1:\d+$")
        self.assertEqual(env["LAMBDA_TASK_ROOT"], "/var/task")
        self.assertEqual(env["_HANDLER"], "bootstrap")
        self.assertEqual(env["TZ"], "Europe/Kyiv")
        self.assertEqual(env["MINE"], "yes")
        self.assertNotIn("AWS_EXECUTION_ENV", env)
        self.assertEqual(seen["cwd"], "/var/task")
        self.assertEqual(seen["files"], ["bootstrap"])
        self.assertNotEqual(seen["uid"], 0)


class Refusals(harness.ServiceTest):
    def assert_refused(self, code, text, call, **arguments):
        import botocore.exceptions

        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**arguments)
        error = caught.exception.response["Error"]
        self.assertEqual(error["Code"], code, error)
        self.assertIn(text, error["Message"])

    def create_arguments(self, **changes):
        return {"FunctionName": "f", "Role": harness.ROLE, "Handler": "bootstrap",
                "Runtime": "provided.al2023", "Code": {"ZipFile": harness.package("hello")}, **changes}

    def test_a_name_that_breaks_the_rules(self):
        self.assert_refused("ValidationException", "functionName", self.lambda_client.create_function,
                            **self.create_arguments(FunctionName="no spaces"))

    def test_an_unknown_function(self):
        self.assert_refused("ResourceNotFoundException", "function:missing",
                            self.lambda_client.invoke, FunctionName="missing")

    def test_unknown_ways_to_invoke(self):
        for field, value in (("InvocationType", "Later"), ("LogType", "Head")):
            self.assert_refused("ValidationException", f"'{value}' at '{field[0].lower()}{field[1:]}'",
                                self.lambda_client.invoke, FunctionName="missing", **{field: value})

    def test_a_doubled_name(self):
        self.create("twice", harness.package("hello"))
        self.assert_refused("ResourceConflictException", "twice", self.lambda_client.create_function,
                            **self.create_arguments(FunctionName="twice"))

    def test_a_broken_zip(self):
        for broken in (b"not a zip", harness.package("hello")[:1000]):
            self.assert_refused("InvalidParameterValueException", "unzip",
                                self.lambda_client.create_function,
                                **self.create_arguments(Code={"ZipFile": broken}))

    def test_a_zip_that_escapes_its_folder(self):
        for name in ("../escaped", "/etc/escaped", "a/../../escaped"):
            hostile = harness.make_zip({"bootstrap": (b"#!/bin/sh\n", 0o755), name: (b"x", 0o644)})
            self.assert_refused("InvalidParameterValueException", "unzip",
                                self.lambda_client.create_function,
                                **self.create_arguments(Code={"ZipFile": hostile}))

    def test_a_zip_over_the_unpacked_limit(self):
        huge = harness.make_zip({"bootstrap": (b"#!/bin/sh\n", 0o755),
                                 "zeros": (bytes(262_144_001), 0o644)})
        self.assert_refused("InvalidParameterValueException", "262144000",
                            self.lambda_client.create_function,
                            **self.create_arguments(Code={"ZipFile": huge}))

    def test_memory_and_time_out_of_range(self):
        unchecked = harness.boto3_client("lambda", self.endpoint, parameter_validation=False)
        for memory in (64, 10241):
            self.assert_refused("ValidationException", "memorySize", unchecked.create_function,
                                **self.create_arguments(MemorySize=memory))
        for timeout in (0, 901):
            self.assert_refused("ValidationException", "timeout", unchecked.create_function,
                                **self.create_arguments(Timeout=timeout))

    def test_a_request_over_its_limit(self):
        self.assert_refused("RequestEntityTooLargeException", "70167211",
                            self.lambda_client.create_function,
                            **self.create_arguments(Code={"ZipFile": bytes(60_000_000)}))

    def test_a_reserved_environment_variable(self):
        self.assert_refused("InvalidParameterValueException", "AWS_REGION",
                            self.lambda_client.create_function, **self.create_arguments(
                                Environment={"Variables": {"AWS_REGION": "x"}}))

    def test_an_environment_over_4_kb(self):
        self.assert_refused("InvalidParameterValueException", "4KB",
                            self.lambda_client.create_function, **self.create_arguments(
                                Environment={"Variables": {"AA": "x" * 5000}}))

    def test_a_payload_that_is_not_json(self):
        self.create("strict", harness.package("hello"))
        self.assert_refused("InvalidRequestContentException", "Could not parse request body into json",
                            self.lambda_client.invoke, FunctionName="strict", Payload=b"{nope")

    def test_a_payload_over_6_mb(self):
        self.create("large", harness.package("hello"))
        self.assert_refused("RequestEntityTooLargeException", "6291456",
                            self.lambda_client.invoke, FunctionName="large",
                            Payload=b'"' + b"x" * 6_291_456 + b'"')


if __name__ == "__main__":
    unittest.main()
