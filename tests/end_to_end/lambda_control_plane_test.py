"""Versions, aliases, concurrency, URLs, tags, events and policies, by boto3."""
import json
import pathlib
import unittest

import harness

ECHO_VERSION = harness.PYTHON_RUNTIME + '''
import json
while True:
    request_id, payload = next_event()
    respond(request_id, json.dumps({
        "version": os.environ["AWS_LAMBDA_FUNCTION_VERSION"], "text": os.environ.get("TEXT"),
        "init": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]}))
'''


FAIL = harness.PYTHON_RUNTIME + '''
while True:
    request_id, payload = next_event()
    post("invocation/" + request_id + "/error", '{"errorMessage":"no","errorType":"Broken"}')
'''

KEEP = harness.PYTHON_RUNTIME + '''
while True:
    request_id, payload = next_event()
    print("GOT " + payload.decode(), flush=True)
    respond(request_id, "1")
'''


class ControlPlane(harness.ServiceTest):
    def payload(self, name, **settings):
        answer = self.invoke(name, **settings)
        return json.loads(answer["Payload"]), answer

    def refused(self, code, call, **arguments):
        with self.assertRaises(getattr(self.lambda_client.exceptions, code)) as caught:
            call(**arguments)
        return caught.exception.response

    def echo(self, name, **settings):
        return self.create(name, harness.runtime_zip(ECHO_VERSION[len(harness.PYTHON_RUNTIME):]),
                           **settings)

    def test_versions_keep_what_was_published(self):
        client = self.lambda_client
        self.echo("versions", Environment={"Variables": {"TEXT": "one"}})
        first = client.publish_version(FunctionName="versions", Description="first")
        self.assertEqual(first["Version"], "1")
        self.assertTrue(first["FunctionArn"].endswith(":function:versions:1"))
        again = client.publish_version(FunctionName="versions")
        self.assertEqual(again["Version"], "1", "nothing has changed")
        client.update_function_configuration(FunctionName="versions",
                                             Environment={"Variables": {"TEXT": "two"}})
        client.get_waiter("function_updated_v2").wait(FunctionName="versions")
        self.assertEqual(client.publish_version(FunctionName="versions")["Version"], "2")
        for qualifier, text in (("1", "one"), ("2", "two"), ("$LATEST", "two")):
            seen, answer = self.payload("versions", Qualifier=qualifier, LogType="Tail")
            self.assertEqual((seen["version"], seen["text"]), (qualifier, text))
            self.assertEqual(answer["ExecutedVersion"], qualifier)
            self.assertIn(f"Version: {qualifier}\n", answer["Log"])
        self.assertEqual(self.payload("versions:1")[0]["text"], "one")
        self.assertEqual(self.payload(first["FunctionArn"])[0]["text"], "one")
        pages = client.get_paginator("list_versions_by_function").paginate(
            FunctionName="versions", PaginationConfig={"PageSize": 1})
        self.assertEqual([v["Version"] for page in pages for v in page["Versions"]],
                         ["$LATEST", "1", "2"])
        listed = client.list_functions(FunctionVersion="ALL")["Functions"]
        self.assertEqual([f["Version"] for f in listed if f["FunctionName"] == "versions"],
                         ["$LATEST", "1", "2"])
        client.delete_function(FunctionName="versions", Qualifier="1")
        self.refused("ResourceNotFoundException", client.invoke, FunctionName="versions:1")
        self.refused("InvalidParameterValueException", client.delete_function,
                     FunctionName="versions", Qualifier="$LATEST")
        self.refused("InvalidParameterValueException", client.publish_version,
                     FunctionName="versions", CodeSha256="x")
        code = harness.runtime_zip(ECHO_VERSION[len(harness.PYTHON_RUNTIME):] + "# other\n")
        published = client.update_function_code(FunctionName="versions", ZipFile=code, Publish=True)
        self.assertEqual(published["Version"], "3")

    def test_aliases_route(self):
        client = self.lambda_client
        self.echo("aliases", Environment={"Variables": {"TEXT": "1"}}, Publish=True)
        client.update_function_configuration(FunctionName="aliases",
                                             Environment={"Variables": {"TEXT": "2"}})
        client.publish_version(FunctionName="aliases")
        created = client.create_alias(FunctionName="aliases", Name="live", FunctionVersion="1")
        self.assertTrue(created["AliasArn"].endswith(":function:aliases:live"))
        self.refused("ResourceConflictException", client.create_alias, FunctionName="aliases",
                     Name="live", FunctionVersion="1")
        self.assertEqual(self.payload("aliases", Qualifier="live")[0]["version"], "1")
        routed = client.update_alias(
            FunctionName="aliases", Name="live", RevisionId=created["RevisionId"],
            RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
        self.assertEqual(routed["RoutingConfig"]["AdditionalVersionWeights"], {"2": 0.5})
        seen = {self.payload("aliases", Qualifier="live")[1]["ExecutedVersion"] for _ in range(40)}
        self.assertEqual(seen, {"1", "2"})
        self.refused("PreconditionFailedException", client.update_alias, FunctionName="aliases",
                     Name="live", RevisionId=created["RevisionId"], FunctionVersion="2")
        self.refused("InvalidParameterValueException", client.update_alias, FunctionName="aliases",
                     Name="live", RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}})
        self.refused("ResourceConflictException", client.delete_function, FunctionName="aliases",
                     Qualifier="1")
        self.refused("ResourceNotFoundException", client.create_alias, FunctionName="aliases",
                     Name="other", FunctionVersion="9")
        client.create_alias(FunctionName="aliases", Name="beta", FunctionVersion="2")
        pages = client.get_paginator("list_aliases").paginate(
            FunctionName="aliases", PaginationConfig={"PageSize": 1})
        self.assertEqual([a["Name"] for page in pages for a in page["Aliases"]], ["beta", "live"])
        got = client.get_function_configuration(FunctionName="aliases", Qualifier="beta")
        self.assertEqual((got["Version"], got["FunctionArn"][-5:]), ("2", ":beta"))
        client.delete_alias(FunctionName="aliases", Name="beta")
        self.refused("ResourceNotFoundException", client.get_alias, FunctionName="aliases",
                     Name="beta")

    def test_revisions_guard_updates(self):
        created = self.echo("revisions")
        active = self.lambda_client.get_function_configuration(FunctionName="revisions")
        self.assertNotEqual(created["RevisionId"], active["RevisionId"])
        self.lambda_client.update_function_configuration(
            FunctionName="revisions", Description="x", RevisionId=active["RevisionId"])
        self.refused("PreconditionFailedException",
                     self.lambda_client.update_function_configuration, FunctionName="revisions",
                     Description="y", RevisionId=active["RevisionId"])

    def test_reserved_concurrency_throttles(self):
        client = self.lambda_client
        self.echo("reserved")
        client.put_function_concurrency(FunctionName="reserved", ReservedConcurrentExecutions=0)
        self.assertEqual(client.get_function_concurrency(FunctionName="reserved")
                         ["ReservedConcurrentExecutions"], 0)
        self.assertEqual(client.get_function(FunctionName="reserved")["Concurrency"],
                         {"ReservedConcurrentExecutions": 0})
        error = self.refused("TooManyRequestsException", client.invoke, FunctionName="reserved")
        self.assertEqual(error["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded")
        self.assertEqual(error["ResponseMetadata"]["HTTPStatusCode"], 429)
        client.delete_function_concurrency(FunctionName="reserved")
        self.payload("reserved")
        self.refused("InvalidParameterValueException", client.put_function_concurrency,
                     FunctionName="reserved", ReservedConcurrentExecutions=901)
        limits = client.get_account_settings()["AccountLimit"]
        self.assertEqual(limits["ConcurrentExecutions"], 1000)

    def test_events_of_a_function_with_one_place_run_one_after_another(self):
        client = self.lambda_client
        self.create("one-by-one", harness.runtime_zip("""
while True:
    request_id, payload = next_event()
    print("ran", payload.decode(), flush=True)
    respond(request_id, b"null")
"""))
        client.put_function_concurrency(FunctionName="one-by-one", ReservedConcurrentExecutions=1)
        for number in range(50):
            client.invoke(FunctionName="one-by-one", InvocationType="Event",
                          Payload=str(number).encode())

        def ran():
            return [int(line.split()[1]) for line in self.log("one-by-one").splitlines()
                    if line.startswith("ran ")]

        harness.wait_until(lambda: len(ran()) == 50, "all of them have run")
        self.assertEqual(ran(), list(range(50)))

    def test_provisioned_environments_are_ready_before_the_first_invoke(self):
        client = self.lambda_client
        self.echo("ahead", Publish=True)
        put = client.put_provisioned_concurrency_config(
            FunctionName="ahead", Qualifier="1", ProvisionedConcurrentExecutions=2)
        self.assertEqual(put["RequestedProvisionedConcurrentExecutions"], 2)
        harness.wait_until(
            lambda: client.get_provisioned_concurrency_config(
                FunctionName="ahead", Qualifier="1")["Status"] == "READY", "provisioned")
        seen, answer = self.payload("ahead", Qualifier="1", LogType="Tail")
        self.assertEqual(seen["init"], "provisioned-concurrency")
        self.assertNotIn("Init Duration", answer["Log"])
        configs = client.list_provisioned_concurrency_configs(FunctionName="ahead")
        self.assertEqual(len(configs["ProvisionedConcurrencyConfigs"]), 1)
        client.delete_provisioned_concurrency_config(FunctionName="ahead", Qualifier="1")
        self.refused("ProvisionedConcurrencyConfigNotFoundException",
                     client.get_provisioned_concurrency_config, FunctionName="ahead",
                     Qualifier="1")
        self.refused("InvalidParameterValueException", client.put_provisioned_concurrency_config,
                     FunctionName="ahead", Qualifier="$LATEST", ProvisionedConcurrentExecutions=1)

    def test_url_configurations(self):
        client = self.lambda_client
        self.echo("urls")
        created = client.create_function_url_config(
            FunctionName="urls", AuthType="NONE", Cors={"AllowOrigins": ["*"], "MaxAge": 5})
        self.assertTrue(created["FunctionUrl"].startswith("http"))
        self.refused("ResourceConflictException", client.create_function_url_config,
                     FunctionName="urls", AuthType="NONE")
        updated = client.update_function_url_config(FunctionName="urls", AuthType="AWS_IAM")
        self.assertEqual(updated["AuthType"], "AWS_IAM")
        got = client.get_function_url_config(FunctionName="urls")
        self.assertEqual(got["Cors"], {"AllowOrigins": ["*"], "MaxAge": 5})
        self.assertEqual(len(client.list_function_url_configs(FunctionName="urls")
                             ["FunctionUrlConfigs"]), 1)
        client.delete_function_url_config(FunctionName="urls")
        self.refused("ResourceNotFoundException", client.get_function_url_config,
                     FunctionName="urls")

    def test_tags_and_policies(self):
        client = self.lambda_client
        arn = self.echo("tags", Tags={"a": "1"})["FunctionArn"]
        client.tag_resource(Resource=arn, Tags={"b": "2", "c d": "3"})
        client.untag_resource(Resource=arn, TagKeys=["a", "c d"])
        self.assertEqual(client.list_tags(Resource=arn)["Tags"], {"b": "2"})
        statement = json.loads(client.add_permission(
            FunctionName="tags", StatementId="s", Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::b")["Statement"])
        self.assertEqual(statement["Principal"], {"Service": "s3.amazonaws.com"})
        policy = json.loads(client.get_policy(FunctionName="tags")["Policy"])
        self.assertEqual(policy["Statement"], [statement])
        client.remove_permission(FunctionName="tags", StatementId="s")
        self.refused("ResourceNotFoundException", client.get_policy, FunctionName="tags")

    def test_what_terraform_reads(self):
        client = self.lambda_client
        self.echo("terraform")
        signing = client.get_function_code_signing_config(FunctionName="terraform")
        self.assertNotIn("CodeSigningConfigArn", signing)
        self.assertEqual(client.list_event_source_mappings()["EventSourceMappings"], [])

    def test_an_event_that_fails_goes_to_its_destination(self):
        client = self.lambda_client
        self.create("sink", harness.runtime_zip(KEEP[len(harness.PYTHON_RUNTIME):]))
        sink = client.get_function(FunctionName="sink")["Configuration"]["FunctionArn"]
        self.create("failing", harness.runtime_zip(FAIL[len(harness.PYTHON_RUNTIME):]),
                    DeadLetterConfig={"TargetArn": "arn:aws:sqs:us-east-1:123456789012:dead"})
        config = client.put_function_event_invoke_config(
            FunctionName="failing", MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60,
            DestinationConfig={"OnFailure": {"Destination": sink}})
        self.assertTrue(config["FunctionArn"].endswith(":failing:$LATEST"))
        request_id = client.invoke(FunctionName="failing", InvocationType="Event",
                                   Payload=b'{"x":1}')["ResponseMetadata"]["RequestId"]
        logs = harness.boto3_client("logs", self.endpoint)

        def got():
            if not logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/sink")["logGroups"]:
                return []
            return logs.filter_log_events(logGroupName="/aws/lambda/sink",
                                          filterPattern='"GOT "')["events"]

        harness.wait_until(got, "a record")
        record = json.loads(got()[0]["message"][4:])
        self.assertEqual(record["requestContext"]["condition"], "RetriesExhausted")
        self.assertEqual(record["requestContext"]["requestId"], request_id)
        self.assertEqual(record["requestContext"]["approximateInvokeCount"], 1)
        self.assertEqual(record["requestPayload"], {"x": 1})
        self.assertEqual(record["responsePayload"]["errorType"], "Broken")
        letters = pathlib.Path(self.service.state) / "logs" / "destinations"
        harness.wait_until(lambda: any(path.stat().st_size for path in letters.glob("*.log")),
                           "a dead letter")
        dead = json.loads(next(letters.glob("*.log")).read_text())
        self.assertEqual(dead["body"], {"x": 1})
        self.assertEqual(dead["messageAttributes"]["RequestID"], request_id)
        self.refused("ResourceNotFoundException", client.get_function_event_invoke_config,
                     FunctionName="sink")

    def test_unknown_calls_are_named(self):
        with self.assertRaises(Exception):
            self.lambda_client.create_event_source_mapping(
                EventSourceArn="arn:aws:sqs:us-east-1:123456789012:q", FunctionName="x")
        harness.wait_until(lambda: "CreateEventSourceMapping" in self.service.output(), "a line")


if __name__ == "__main__":
    unittest.main()
