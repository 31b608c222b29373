"""What functions log, read by awscli, boto3 and `kelvin logs`."""
import json
import signal
import subprocess
import unittest

import harness

TALKS = """
import json
while True:
  i, e = next_event()
  for line in json.loads(e).get("say", []):
    print(line, flush=True)
  respond(i, b'{}')
"""


class Logs(harness.ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.logs = harness.boto3_client("logs", cls.endpoint)

    def talk(self, name, *lines):
        return self.invoke(name, json.dumps({"say": lines}).encode())["ResponseMetadata"]["RequestId"]

    def messages(self, group, **settings):
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=group, **settings)
        return [event["message"] for page in pages for event in page["events"]]

    def test_groups_and_streams_are_named_as_on_aws(self):
        self.create("named", harness.runtime_zip(TALKS))
        request_id = self.talk("named", "hello")
        group = "/aws/lambda/named"
        described = self.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        self.assertEqual([g["logGroupName"] for g in described], [group])
        self.assertEqual(described[0]["arn"],
                         f"arn:aws:logs:us-east-1:123456789012:log-group:{group}:*")
        self.assertGreater(described[0]["storedBytes"], 0)
        self.assertNotIn("retentionInDays", described[0])
        stream = self.logs.describe_log_streams(logGroupName=group)["logStreams"][0]
        self.assertRegex(stream["logStreamName"], r"^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$")
        events = self.logs.get_log_events(
            logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)["events"]
        texts = [event["message"] for event in events]
        self.assertRegex(texts[0], "^INIT_START Runtime Version: ")
        self.assertEqual(texts[1:4], [f"START RequestId: {request_id} Version: $LATEST\n", "hello\n",
                                      f"END RequestId: {request_id}\n"])
        self.assertRegex(texts[4], f"^REPORT RequestId: {request_id}\tDuration: ")
        times = [event["timestamp"] for event in events]
        self.assertEqual(times, sorted(times))
        self.assertEqual(stream["firstEventTimestamp"], times[0])
        self.assertEqual(stream["lastEventTimestamp"], times[-1])

    def test_events_are_filtered_and_paged(self):
        self.create("filtered", harness.runtime_zip(TALKS))
        for number in range(5):
            self.talk("filtered", f"ERROR number {number}", f"fine {number}",
                      json.dumps({"level": "WARN", "number": number}))
        group = "/aws/lambda/filtered"
        self.assertEqual(self.messages(group, filterPattern="ERROR -3", PaginationConfig={"PageSize": 2}),
                         [f"ERROR number {number}\n" for number in (0, 1, 2, 4)])
        self.assertEqual(self.messages(group, filterPattern='"fine 2"'), ["fine 2\n"])
        self.assertEqual(self.messages(group, filterPattern='?"fine 0" ?"fine 4"'), ["fine 0\n", "fine 4\n"])
        self.assertEqual(
            self.messages(group, filterPattern='{ $.level = "WARN" && $.number > 3 }'),
            ['{"level": "WARN", "number": 4}\n'])
        self.assertEqual(self.messages(group, filterPattern="%^ERR.*[13]$|fine [0-2]%"),
                         ["fine 0\n", "ERROR number 1\n", "fine 1\n", "fine 2\n",
                          "ERROR number 3\n"])
        self.assertEqual(
            self.messages(group, filterPattern="{ $.level = %^W% && $.number != %[0-3]% }"),
            ['{"level": "WARN", "number": 4}\n'])
        ids = [event["eventId"] for event in self.logs.filter_log_events(logGroupName=group)["events"]]
        self.assertEqual(len(ids), len(set(ids)))
        with self.assertRaises(self.logs.exceptions.InvalidParameterException):
            self.logs.filter_log_events(logGroupName=group, filterPattern="{ $.level = ")
        with self.assertRaises(self.logs.exceptions.InvalidParameterException):
            self.logs.filter_log_events(logGroupName=group, filterPattern="%(a+)+$%")

    def test_a_group_of_ones_own_choice_outlives_its_function(self):
        self.create("moved", harness.runtime_zip(TALKS), LoggingConfig={"LogGroup": "/my/group"})
        self.talk("moved", "here")
        self._delete("moved")
        self.assertIn("here\n", self.messages("/my/group"))
        self.logs.delete_log_group(logGroupName="/my/group")
        with self.assertRaises(self.logs.exceptions.ResourceNotFoundException) as caught:
            self.logs.filter_log_events(logGroupName="/my/group")
        self.assertEqual(caught.exception.response["Error"]["Message"],
                         "The specified log group does not exist.")

    def test_groups_are_made_kept_and_tagged_as_terraform_does(self):
        group = "/made/by/hand"
        self.logs.create_log_group(logGroupName=group, tags={"team": "blue"})
        with self.assertRaises(self.logs.exceptions.ResourceAlreadyExistsException) as caught:
            self.logs.create_log_group(logGroupName=group)
        self.assertEqual(caught.exception.response["Error"]["Message"],
                         "The specified log group already exists")
        self.logs.put_retention_policy(logGroupName=group, retentionInDays=30)
        described = self.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]
        self.assertEqual(described["retentionInDays"], 30)
        tags = self.logs.list_tags_for_resource(resourceArn=described["arn"].removesuffix(":*"))
        self.assertEqual(tags["tags"], {"team": "blue"})
        self.logs.create_log_stream(logGroupName=group, logStreamName="mine")
        self.logs.put_log_events(logGroupName=group, logStreamName="mine",
                                 logEvents=[{"timestamp": described["creationTime"], "message": "put"}])
        self.assertEqual(self.messages(group), ["put"])

    def test_awscli_lists_and_tails(self):
        self.create("tailed", harness.runtime_zip(TALKS))
        self.talk("tailed", "a line for tail")
        group = "/aws/lambda/tailed"
        listed = harness.aws(self.endpoint, "logs", "filter-log-events", "--log-group-name", group,
                             "--filter-pattern", '"for tail"')
        self.assertEqual([event["message"] for event in listed["events"]], ["a line for tail\n"])
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONUNBUFFERED": "1",
                       **harness.AWS_ENVIRONMENT}
        tail = subprocess.Popen(
            ["/usr/bin/aws", "--endpoint-url", self.endpoint, "logs", "tail", group, "--follow"],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            for line in tail.stdout:
                if "a line for tail" in line:
                    break
            else:
                self.fail(f"aws logs tail ended: {tail.stderr.read()}")
            self.talk("tailed", "another line")
            self.assertTrue(any("another line" in line for line in tail.stdout))
        finally:
            tail.kill()
            tail.communicate()

    def kelvin_logs(self, *arguments):
        return subprocess.run([harness.KELVIN, "logs", *arguments, "--endpoint-url", self.endpoint],
                              capture_output=True, text=True, timeout=60)

    def test_kelvin_logs_prints_and_filters(self):
        self.create("printed", harness.runtime_zip(TALKS))
        self.talk("printed", "one", "ERROR two")
        done = self.kelvin_logs("printed", "--filter", "ERROR")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ERROR two\n$")
        self.assertEqual(self.kelvin_logs("printed", "--filter", "one", "--raw").stdout, "one\n")
        self.assertEqual(self.kelvin_logs("printed", "--since", "2020-01-01", "--raw", "--filter",
                                          '"START RequestId"').stdout.count("\n"), 1)
        unknown = self.kelvin_logs("unheard-of")
        self.assertEqual(unknown.returncode, 2)
        self.assertIn("Function not found", unknown.stderr)
        wrong = self.kelvin_logs("printed", "--filter", "{")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("Invalid filter pattern", wrong.stderr)

    def test_kelvin_logs_follows_until_interrupted(self):
        self.create("followed", harness.runtime_zip(TALKS))
        follow = subprocess.Popen(
            [harness.KELVIN, "logs", "followed", "--follow", "--raw", "--endpoint-url", self.endpoint],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            self.assertIn("has logged nothing yet; waiting", follow.stderr.readline())
            self.talk("followed", "first")
            self.assertTrue(any(line == "first\n" for line in follow.stdout))
            self.talk("followed", "second")
            self.assertTrue(any(line == "second\n" for line in follow.stdout))
            follow.send_signal(signal.SIGINT)
            rest, said = follow.communicate(timeout=30)
            self.assertEqual(follow.returncode, 0, said)
            self.assertNotIn("first", rest)
        finally:
            follow.kill()
            follow.communicate()


class AfterARestart(unittest.TestCase):
    def test_logs_are_still_there(self):
        with harness.Service() as service:
            client = harness.boto3_client("lambda", service.endpoint)
            client.create_function(FunctionName="kept", Role=harness.ROLE, Handler="bootstrap",
                                   Runtime="provided.al2023",
                                   Code={"ZipFile": harness.runtime_zip(TALKS)})
            client.invoke(FunctionName="kept", Payload=b'{"say":["remember"]}')
            service.stop()
            service.start()
            logs = harness.boto3_client("logs", service.endpoint)
            events = logs.filter_log_events(logGroupName="/aws/lambda/kept",
                                            filterPattern="remember")["events"]
            self.assertEqual([event["message"] for event in events], ["remember\n"])


if __name__ == "__main__":
    unittest.main()
