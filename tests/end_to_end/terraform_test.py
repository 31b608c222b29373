"""What Terraform's AWS provider does with each resource: its calls in its order, its bodies (the AWS
SDK for Go leaves out what is not set), and the conditions that it waits for or fails by.

Read from the provider's own source; each class below is one of its resources.
"""
import base64
import http.client
import json
import unittest
import urllib.parse

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import harness

HELLO = harness.runtime_zip('''
while True:
    request_id, payload = next_event()
    respond(request_id, payload)
''')
OTHER = harness.runtime_zip('''
while True:
    request_id, payload = next_event()
    respond(request_id, b'"other"')
''')


class NotFound(Exception):
    """ResourceNotFoundException, which the provider takes for: it is not there."""


class Resource(harness.ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection = http.client.HTTPConnection(urllib.parse.urlsplit(cls.endpoint).netloc)
        cls.addClassCleanup(cls.connection.close)

    def send(self, method, path, body=None, headers={}):
        """An answer's status, error type and body."""
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        text = answer.read()
        return (answer.status, (answer.getheader("x-amzn-ErrorType") or "").split(":")[0],
                json.loads(text) if text else {})

    def call(self, method, path, body=None, status=200):
        got, error, answer = self.send(method, path, body)
        if error == "ResourceNotFoundException":
            self.assertEqual(got, 404)
            raise NotFound(answer)
        self.assertEqual((got, error), (status, ""), answer)
        return answer

    def refused(self, error, method, path, body=None):
        got = self.send(method, path, body)
        self.assertEqual(got[1], error, got)
        return got[2]

    def is_gone(self, method, path):
        with self.assertRaises(NotFound):
            self.call(method, path)

    # What several resources do with a function.
    def create_function(self, name, **settings):
        body = {"Code": {"ZipFile": base64.b64encode(HELLO).decode()}, "Description": "",
                "FunctionName": name, "Handler": "bootstrap", "MemorySize": 128,
                "PackageType": "Zip", "Publish": False, "Role": harness.ROLE,
                "Runtime": "provided.al2023", "Timeout": 3, **settings}
        created = self.call("POST", "/2015-03-31/functions", body, status=201)
        self.addCleanup(self.delete_function, name)
        self.wait_for(name, "State", {"Pending"}, {"Active", "ActiveNonInvocable"})
        return created

    def delete_function(self, name):
        got = self.send("DELETE", f"/2015-03-31/functions/{name}")
        self.assertIn(got[:2], [(204, ""), (404, "ResourceNotFoundException")])

    def find_function(self, name, query=""):
        got = self.call("GET", f"/2015-03-31/functions/{name}{query}")
        self.assertIsNotNone(got["Code"])
        self.assertIsNotNone(got["Configuration"])
        return got

    def wait_for(self, name, field, pending, target):
        def done():
            state = self.find_function(name)["Configuration"][field]
            self.assertIn(state, pending | target)
            return state in target

        harness.wait_until(done, f"{field} of {name} is one of {target}")

    def updated(self, name):
        self.wait_for(name, "LastUpdateStatus", {"InProgress"}, {"Successful"})

    def publish(self, name):
        output = self.call("POST", f"/2015-03-31/functions/{name}/versions", {}, status=201)

        # By the ARN of the answer, which has the version, and the version once more.
        def done():
            arn = urllib.parse.quote(output["FunctionArn"], safe="")
            got = self.call("GET", f"/2015-03-31/functions/{arn}/configuration"
                                   f"?Qualifier={output['Version']}")
            return got.get("LastUpdateStatus", "InProgress") == "Successful"

        harness.wait_until(done, "the version is published")
        return output


class Function(Resource):
    """aws_lambda_function"""

    def read(self, name):
        """The attributes that a plan compares with the configuration."""
        got = self.find_function(name)
        function = got["Configuration"]
        latest, marker = None, ""
        while True:
            page = self.call("GET", f"/2015-03-31/functions/{name}/versions?MaxItems=10000{marker}")
            if page["Versions"] and page.get("NextMarker") is None:
                latest = page["Versions"][-1]
            if not page.get("NextMarker"):
                break
            marker = "&Marker=" + urllib.parse.quote(page["NextMarker"])
        self.assertIsNotNone(latest)
        signing = self.call("GET", f"/2020-06-30/functions/{name}/code-signing-config")
        self.assertFalse(signing.get("CodeSigningConfigArn"))
        for field in ("CodeSha256", "LastModified", "CodeSize", "FunctionArn"):
            self.assertTrue(function[field], field)
        return {
            "architectures": function["Architectures"],
            "dead_letter": function.get("DeadLetterConfig", {}).get("TargetArn"),
            "description": function["Description"],
            "environment": function.get("Environment", {}).get("Variables"),
            "ephemeral_storage": function["EphemeralStorage"]["Size"],
            "file_system": function.get("FileSystemConfigs") or [],
            "handler": function["Handler"],
            "image": function.get("ImageConfigResponse"),
            "kms_key_arn": function.get("KMSKeyArn"),
            "layers": [layer["Arn"] for layer in function.get("Layers", [])],
            "logging": function["LoggingConfig"],
            "memory_size": function["MemorySize"],
            "package_type": function["PackageType"],
            "reserved": got.get("Concurrency", {}).get("ReservedConcurrentExecutions", -1),
            "role": function["Role"],
            "runtime": function["Runtime"],
            "snap_start": function["SnapStart"]["ApplyOn"],
            "tags": got.get("Tags", {}),
            "timeout": function["Timeout"],
            "tracing": function.get("TracingConfig", {}).get("Mode", "PassThrough"),
            "vpc": function.get("VpcConfig"),
            "version": latest["Version"],
            "qualified_arn": latest["FunctionArn"],
        }

    def configure(self, name, **changes):
        self.call("PUT", f"/2015-03-31/functions/{name}/configuration", {**changes})
        self.updated(name)

    def test_least(self):
        created = self.create_function("least")
        self.assertEqual(self.read("least"), {
            "architectures": ["x86_64"], "dead_letter": None, "description": "",
            "environment": None, "ephemeral_storage": 512, "file_system": [],
            "handler": "bootstrap", "image": None, "kms_key_arn": None, "layers": [],
            "logging": {"LogFormat": "Text", "LogGroup": "/aws/lambda/least"},
            "memory_size": 128, "package_type": "Zip", "reserved": -1, "role": harness.ROLE,
            "runtime": "provided.al2023", "snap_start": "None", "tags": {}, "timeout": 3,
            "tracing": "PassThrough", "vpc": None, "version": "$LATEST",
            "qualified_arn": created["FunctionArn"] + ":$LATEST"})

    def test_life(self):
        name, arn = "life", "arn:aws:sqs:us-east-1:123456789012:dead"
        layer = self.call("POST", "/2018-10-31/layers/life/versions", {
            "Content": {"ZipFile": base64.b64encode(harness.make_zip({"a": (b"", 0o644)})).decode()},
            "Description": "", "LicenseInfo": ""}, status=201)["LayerVersionArn"]
        created = self.create_function(
            name, Architectures=["x86_64"], DeadLetterConfig={"TargetArn": arn},
            Description="first", Environment={"Variables": {"AB": "1"}},
            EphemeralStorage={"Size": 1024}, Layers=[layer],
            LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "INFO",
                           "SystemLogLevel": "WARN", "LogGroup": "/mine"},
            Tags={"team": "a"}, TracingConfig={"Mode": "Active"})
        self.call("PUT", f"/2017-10-31/functions/{name}/concurrency",
                  {"ReservedConcurrentExecutions": 5})
        read = self.read(name)
        self.assertEqual(
            {key: read[key] for key in ("dead_letter", "description", "environment", "layers",
                                        "ephemeral_storage", "reserved", "tags", "tracing")},
            {"dead_letter": arn, "description": "first", "environment": {"AB": "1"},
             "layers": [layer], "ephemeral_storage": 1024, "reserved": 5, "tags": {"team": "a"},
             "tracing": "Active"})
        self.assertEqual(read["logging"], {
            "LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "WARN",
            "LogGroup": "/mine"})

        # All that can be taken away again, as the provider takes it away.
        self.call("DELETE", f"/2020-06-30/functions/{name}/code-signing-config", status=204)
        self.configure(name, DeadLetterConfig={"TargetArn": ""}, Description="",
                       Environment={"Variables": {}}, EphemeralStorage={"Size": 512}, Layers=[],
                       LoggingConfig={"LogFormat": "Text"}, MemorySize=256, Timeout=9,
                       TracingConfig={"Mode": "PassThrough"}, KMSKeyArn="",
                       SnapStart={"ApplyOn": "None"},
                       VpcConfig={"Ipv6AllowedForDualStack": False, "SecurityGroupIds": [],
                                  "SubnetIds": []},
                       FileSystemConfigs=[], ImageConfig={})
        self.call("PUT", f"/2015-03-31/functions/{name}/code",
                  {"Architectures": ["x86_64"], "DryRun": False, "Publish": False,
                   "ZipFile": base64.b64encode(OTHER).decode()})
        self.updated(name)
        self.call("DELETE", f"/2017-10-31/functions/{name}/concurrency", status=204)
        published = self.publish(name)
        resource = urllib.parse.quote(created["FunctionArn"], safe="")
        self.call("DELETE", f"/2017-03-31/tags/{resource}?tagKeys=team", status=204)
        self.call("POST", f"/2017-03-31/tags/{resource}", {"Tags": {"owner": "b c"}}, status=204)
        read = self.read(name)
        for field, wanted in {"dead_letter": None, "description": "", "environment": None,
                              "ephemeral_storage": 512, "layers": [], "memory_size": 256,
                              "timeout": 9, "reserved": -1, "tags": {"owner": "b c"},
                              "tracing": "PassThrough", "kms_key_arn": None, "version": "1",
                              "qualified_arn": published["FunctionArn"]}.items():
            self.assertEqual(read[field] or wanted, wanted, field)
            self.assertIn(read[field], (wanted, {}, ""), field)
        self.assertEqual(self.call("GET", f"/2017-03-31/tags/{resource}")["Tags"],
                         {"owner": "b c"})

        # The data source asks for a qualifier, and then for the concurrency by itself.
        self.assertIsNone(self.find_function(name, "?Qualifier=1").get("Concurrency"))
        got = self.call("GET", f"/2019-09-30/functions/{name}/concurrency")
        self.assertIsNone(got.get("ReservedConcurrentExecutions"))

        self.call("DELETE", f"/2015-03-31/functions/{name}", status=204)
        self.is_gone("GET", f"/2015-03-31/functions/{name}")
        self.is_gone("DELETE", f"/2015-03-31/functions/{name}")
        self.is_gone("GET", f"/2019-09-30/functions/{name}/concurrency")

    def test_created_with_publish(self):
        self.create_function("published", Publish=True)
        read = self.read("published")
        self.assertEqual(read["version"], "1")
        self.assertTrue(read["qualified_arn"].endswith(":published:1"))

    def test_the_latest_of_many_versions_is_on_the_last_page(self):
        self.create_function("many")
        for number in range(1, 56):
            self.configure("many", MemorySize=128 + number)
            self.assertEqual(self.publish("many")["Version"], str(number))
        first = self.call("GET", "/2015-03-31/functions/many/versions?MaxItems=10000")
        self.assertTrue(first.get("NextMarker"), "AWS gives 50 at most")
        self.assertEqual([version["Version"] for version in first["Versions"]][:3],
                         ["$LATEST", "1", "2"])
        self.assertEqual(self.read("many")["version"], "55")

    def test_errors_that_the_provider_tells_apart(self):
        self.create_function("twice")
        body = {"Code": {"ZipFile": base64.b64encode(HELLO).decode()}, "FunctionName": "twice",
                "Handler": "bootstrap", "Role": harness.ROLE, "Runtime": "provided.al2023"}
        self.refused("ResourceConflictException", "POST", "/2015-03-31/functions", body)
        self.refused("InvalidParameterValueException", "PUT",
                     "/2017-10-31/functions/twice/concurrency",
                     {"ReservedConcurrentExecutions": 100000})


class RuntimeAndRecursion(Resource):
    """aws_lambda_runtime_management_config and aws_lambda_function_recursion_config"""

    def test_life(self):
        self.create_function("managed")
        path = "/2021-07-20/functions/managed/runtime-management-config"
        self.call("PUT", path, {"UpdateRuntimeOn": "FunctionUpdate"})
        got = self.call("GET", path)
        self.assertEqual(got["UpdateRuntimeOn"], "FunctionUpdate")
        self.assertTrue(got["FunctionArn"].endswith(":function:managed:$LATEST"))
        self.call("PUT", path, {"UpdateRuntimeOn": "Auto"})
        self.assertEqual(self.call("GET", path)["UpdateRuntimeOn"], "Auto")
        self.is_gone("GET", path.replace("managed", "nothing"))

        path = "/2024-08-31/functions/managed/recursion-config"
        self.call("PUT", path, {"RecursiveLoop": "Allow"})
        self.assertEqual(self.call("GET", path)["RecursiveLoop"], "Allow")
        self.call("PUT", path, {"RecursiveLoop": "Terminate"})
        self.assertEqual(self.call("GET", path)["RecursiveLoop"], "Terminate")
        self.is_gone("GET", path.replace("managed", "nothing"))


class Alias(Resource):
    """aws_lambda_alias"""

    def test_life(self):
        self.create_function("aliased", Publish=True)
        self.call("PUT", "/2015-03-31/functions/aliased/code",
                  {"ZipFile": base64.b64encode(OTHER).decode()})
        self.updated("aliased")
        self.publish("aliased")
        aliases = "/2015-03-31/functions/aliased/aliases"
        path = aliases + "/live"
        created = self.call("POST", aliases, {"Description": "", "FunctionVersion": "1",
                                              "Name": "live", "RoutingConfig": {}}, status=201)
        got = self.call("GET", path)
        self.assertEqual(got["AliasArn"], created["AliasArn"])
        self.assertEqual((got["Description"], got["FunctionVersion"], got["Name"]),
                         ("", "1", "live"))
        self.assertFalse(got.get("RoutingConfig"))
        self.call("PUT", path, {"Description": "d", "FunctionVersion": "1",
                                "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.5}}})
        self.assertEqual(self.call("GET", path)["RoutingConfig"],
                         {"AdditionalVersionWeights": {"2": 0.5}})
        # Weights are cleared by an empty configuration, or the provider waits for ever.
        self.call("PUT", path, {"Description": "d", "FunctionVersion": "2", "RoutingConfig": {}})
        got = self.call("GET", path)
        self.assertFalse((got.get("RoutingConfig") or {}).get("AdditionalVersionWeights"))
        self.assertEqual(got["FunctionVersion"], "2")
        self.call("DELETE", path, status=204)
        self.is_gone("GET", path)
        self.is_gone("GET", "/2015-03-31/functions/nothing/aliases/live")


class Permission(Resource):
    """aws_lambda_permission"""

    def statement(self, path, sid):
        policy = json.loads(self.call("GET", path)["Policy"])
        found = [statement for statement in policy["Statement"] if statement["Sid"] == sid]
        if not found:
            raise NotFound(sid)
        statement = found[0]
        # The provider reads it into a structure of strings.
        self.assertIsInstance(statement["Action"], str)
        for conditions in statement.get("Condition", {}).values():
            for value in conditions.values():
                self.assertIsInstance(value, str)
        return statement

    def test_life(self):
        function = self.create_function("permitted", Publish=True)["FunctionArn"]
        path = "/2015-03-31/functions/permitted/policy"
        self.is_gone("GET", path)
        self.call("POST", path, {
            "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com",
            "StatementId": "rule", "SourceArn": "arn:aws:events:us-east-1:123456789012:rule/r",
            "SourceAccount": "123456789012", "EventSourceToken": "t"}, status=201)
        statement = self.statement(path, "rule")
        self.assertEqual(statement["Principal"], {"Service": "events.amazonaws.com"})
        self.assertEqual(statement["Resource"], function.removesuffix(":1"))
        self.assertEqual(statement["Condition"]["ArnLike"]["AWS:SourceArn"],
                         "arn:aws:events:us-east-1:123456789012:rule/r")
        self.assertEqual(statement["Condition"]["StringEquals"],
                         {"AWS:SourceAccount": "123456789012", "lambda:EventSourceToken": "t"})
        self.call("POST", path, {
            "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "StatementId": "url",
            "FunctionUrlAuthType": "NONE", "PrincipalOrgID": "o-1234567890"}, status=201)
        self.assertEqual(self.statement(path, "url")["Principal"], "*")
        self.assertEqual(self.statement(path, "url")["Condition"]["StringEquals"],
                         {"lambda:FunctionUrlAuthType": "NONE", "aws:PrincipalOrgID": "o-1234567890"})
        self.call("POST", path, {
            "Action": "lambda:InvokeFunction", "Principal": "*", "StatementId": "viaUrl",
            "InvokedViaFunctionUrl": True}, status=201)
        self.assertEqual(self.statement(path, "viaUrl")["Condition"]["Bool"],
                         {"lambda:InvokedViaFunctionUrl": "true"})
        self.call("POST", path, {
            "Action": "lambda:InvokeFunction", "StatementId": "role",
            "Principal": "arn:aws:iam::123456789012:role/r"}, status=201)
        self.assertEqual(self.statement(path, "role")["Principal"],
                         {"AWS": "arn:aws:iam::123456789012:role/r"})
        self.refused("ResourceConflictException", "POST", path, {
            "Action": "lambda:InvokeFunction", "Principal": "*", "StatementId": "role"})
        for sid in ("rule", "url", "viaUrl", "role"):
            self.call("DELETE", f"{path}/{sid}", status=204)
            with self.assertRaises(NotFound):
                self.statement(path, sid)
            self.is_gone("DELETE", f"{path}/{sid}")
        self.is_gone("GET", path)

    def test_qualified(self):
        arn = self.create_function("qualified", Publish=True)["FunctionArn"].removesuffix(":1")
        path = "/2015-03-31/functions/qualified/policy"
        self.call("POST", path + "?Qualifier=1", {
            "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com",
            "StatementId": "s"}, status=201)
        self.is_gone("GET", path)
        self.assertEqual(self.statement(path + "?Qualifier=1", "s")["Resource"], arn + ":1")
        self.call("DELETE", path + "/s?Qualifier=1", status=204)
        self.is_gone("GET", path + "?Qualifier=1")


class LayerVersion(Resource):
    """aws_lambda_layer_version and aws_lambda_layer_version_permission"""

    def test_life(self):
        content = {"ZipFile": base64.b64encode(harness.make_zip({"f": (b"1", 0o644)})).decode()}
        published = self.call("POST", "/2018-10-31/layers/layer/versions", {
            "Content": content, "Description": "", "LicenseInfo": "",
            "CompatibleRuntimes": ["provided.al2023"], "CompatibleArchitectures": ["x86_64"]},
            status=201)
        layer, version = published["LayerVersionArn"].split(":")[-2:]
        self.assertEqual((layer, version), ("layer", "1"))
        path = "/2018-10-31/layers/layer/versions/1"
        got = self.call("GET", path)
        self.assertEqual(got["LayerVersionArn"], published["LayerVersionArn"])
        self.assertEqual(got["LayerArn"] + ":1", got["LayerVersionArn"])
        self.assertEqual((got.get("Description") or "", got.get("LicenseInfo") or ""), ("", ""))
        self.assertTrue(got["CreatedDate"])
        self.assertTrue(got["Content"]["CodeSha256"])
        self.assertGreater(got["Content"]["CodeSize"], 0)
        self.assertEqual(got["CompatibleRuntimes"], ["provided.al2023"])
        self.assertEqual(got["CompatibleArchitectures"], ["x86_64"])
        self.call("DELETE", path, status=204)
        self.is_gone("GET", path)

    def test_permissions(self):
        content = {"ZipFile": base64.b64encode(harness.make_zip({"f": (b"2", 0o644)})).decode()}
        arn = self.call("POST", "/2018-10-31/layers/shared/versions", {"Content": content},
                        status=201)["LayerVersionArn"]
        path = "/2018-10-31/layers/shared/versions/1/policy"
        self.is_gone("GET", path)
        for sid, principal, shown, extra in (
                ("account", "111122223333", {"AWS": "arn:aws:iam::111122223333:root"}, {}),
                ("everyone", "*", "*", {"OrganizationId": "o-1234567890"})):
            body = {"Action": "lambda:GetLayerVersion", "Principal": principal,
                    "StatementId": sid, **extra}
            added = self.call("POST", path, body, status=201)
            self.refused("ResourceConflictException", "POST", path, body)
            got = self.call("GET", path)
            self.assertEqual(got["RevisionId"], added["RevisionId"])
            statement = json.loads(got["Policy"])["Statement"][0]
            self.assertEqual(statement, json.loads(added["Statement"]))
            self.assertEqual((statement["Sid"], statement["Action"], statement["Resource"]),
                             (sid, "lambda:GetLayerVersion", arn))
            self.assertEqual(statement["Principal"], shown)
            self.assertEqual(statement.get("Condition"), {"StringEquals": {
                "aws:PrincipalOrgID": "o-1234567890"}} if extra else None)
            self.refused("PreconditionFailedException", "DELETE", f"{path}/{sid}?RevisionId=other")
            self.call("DELETE", f"{path}/{sid}", status=204)
            self.is_gone("GET", path)
            self.is_gone("DELETE", f"{path}/{sid}")
        self.is_gone("GET", path.replace("/1/", "/2/"))


class FunctionUrl(Resource):
    """aws_lambda_function_url"""

    def test_life(self):
        self.create_function("url")
        path = "/2021-10-31/functions/url/url"
        self.is_gone("GET", path)
        created = self.call("POST", path, {
            "AuthType": "NONE", "InvokeMode": "BUFFERED",
            "Cors": {"AllowCredentials": True, "AllowHeaders": ["date"], "AllowMethods": ["*"],
                     "AllowOrigins": ["*"], "ExposeHeaders": ["date"], "MaxAge": 86400}}, status=201)
        for action, sid, extra in (
                ("lambda:InvokeFunctionUrl", "FunctionURLAllowPublicAccess",
                 {"FunctionUrlAuthType": "NONE"}),
                ("lambda:InvokeFunction", "FunctionURLInvokeAllowPublicAccess",
                 {"InvokedViaFunctionUrl": True})):
            self.call("POST", "/2015-03-31/functions/url/policy", {
                "Action": action, "Principal": "*", "StatementId": sid, **extra}, status=201)
        got = self.call("GET", path)
        self.assertEqual(got["AuthType"], "NONE")
        self.assertEqual(got["InvokeMode"], "BUFFERED")
        self.assertEqual(got["Cors"]["MaxAge"], 86400)
        self.assertEqual(got["FunctionUrl"], created["FunctionUrl"])
        self.assertTrue(got["FunctionArn"].endswith(":function:url"))
        # An identifier of the URL's is its first label or segment; it must be there to be cut out.
        self.assertTrue(urllib.parse.urlsplit(got["FunctionUrl"]).path.endswith("/"))
        self.call("PUT", path, {"AuthType": "AWS_IAM", "Cors": {}, "InvokeMode": "RESPONSE_STREAM"})
        got = self.call("GET", path)
        self.assertEqual((got["AuthType"], got["InvokeMode"]), ("AWS_IAM", "RESPONSE_STREAM"))
        self.call("DELETE", path, status=204)
        self.is_gone("GET", path)
        self.is_gone("DELETE", path)


class EventInvokeConfig(Resource):
    """aws_lambda_function_event_invoke_config"""

    def test_life(self):
        arn = self.create_function("events", Publish=True)["FunctionArn"]
        other = self.create_function("sink")["FunctionArn"]
        for name, query in (("events", ""), (urllib.parse.quote(arn, safe=""), ""),
                            ("events", "?Qualifier=1"), ("events", "?Qualifier=%24LATEST")):
            path = f"/2019-09-25/functions/{name}/event-invoke-config{query}"
            self.call("PUT", path, {"MaximumRetryAttempts": 2})
            got = self.call("GET", path)
            destinations = got.get("DestinationConfig") or {}
            self.assertIsNone((destinations.get("OnFailure") or {}).get("Destination"))
            self.assertIsNone((destinations.get("OnSuccess") or {}).get("Destination"))
            self.assertEqual(got["MaximumRetryAttempts"], 2)
            self.assertFalse(got.get("MaximumEventAgeInSeconds"))
            self.call("PUT", path, {
                "MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60,
                "DestinationConfig": {"OnFailure": {"Destination": other}, "OnSuccess": {}}})
            got = self.call("GET", path)
            self.assertEqual(got["DestinationConfig"]["OnFailure"]["Destination"], other)
            self.assertIsNone((got["DestinationConfig"].get("OnSuccess") or {}).get("Destination"))
            self.assertEqual((got["MaximumRetryAttempts"], got["MaximumEventAgeInSeconds"]), (0, 60))
            # What the next configuration does not name is taken away.
            self.call("PUT", path, {"MaximumRetryAttempts": 1})
            got = self.call("GET", path)
            self.assertFalse(got.get("MaximumEventAgeInSeconds"))
            self.call("DELETE", path, status=204)
            self.is_gone("GET", path)
            self.is_gone("DELETE", path)


class ProvisionedConcurrency(Resource):
    """aws_lambda_provisioned_concurrency_config"""

    def test_life(self):
        self.create_function("ahead", Publish=True)
        path = "/2019-09-30/functions/ahead/provisioned-concurrency?Qualifier=1"
        missing = self.refused("ProvisionedConcurrencyConfigNotFoundException", "GET", path)
        self.assertTrue(missing)

        def wait(count):
            def ready():
                got = self.call("GET", path)
                self.assertIn(got["Status"], {"IN_PROGRESS", "READY"})
                return got["Status"] == "READY"

            harness.wait_until(ready, "environments are there")
            got = self.call("GET", path)
            self.assertEqual(got["RequestedProvisionedConcurrentExecutions"], count)
            self.assertEqual(got["AllocatedProvisionedConcurrentExecutions"], count)

        self.call("PUT", path, {"ProvisionedConcurrentExecutions": 1}, status=202)
        wait(1)
        self.call("PUT", path, {"ProvisionedConcurrentExecutions": 2}, status=202)
        wait(2)
        self.call("DELETE", path, status=204)
        self.refused("ProvisionedConcurrencyConfigNotFoundException", "GET", path)


class LogGroup(Resource):
    """aws_cloudwatch_log_group"""

    def logs(self, operation, **body):
        status, _, answer = self.send("POST", "/", body, {
            "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Logs_20140328." + operation})
        kind = answer.get("__type", "").split("#")[-1]
        if kind == "ResourceNotFoundException":
            raise NotFound(answer)
        self.assertEqual((status, kind), (200, ""), answer)
        return answer

    def find(self, name):
        pages, token = [], {}
        while True:
            page = self.logs("DescribeLogGroups", logGroupNamePrefix=name, **token)
            pages += page["logGroups"]
            if not page.get("nextToken"):
                break
            token = {"nextToken": page["nextToken"]}
        found = [group for group in pages if group["logGroupName"] == name]
        if not found:
            raise NotFound(name)
        return found[0]

    def test_life(self):
        name = "/terraform/group"
        self.logs("CreateLogGroup", logGroupName=name, tags={"a": "1"})
        self.logs("CreateLogGroup", logGroupName=name + "-too")
        self.logs("PutRetentionPolicy", logGroupName=name, retentionInDays=14)
        group = self.find(name)
        self.assertEqual(group["retentionInDays"], 14)
        self.assertEqual(group["logGroupClass"], "STANDARD")
        self.assertIsNone(group.get("kmsKeyId"))
        arn = group["arn"].removesuffix(":*")
        self.assertTrue(arn.endswith(f":log-group:{name}"))
        self.assertEqual(self.logs("ListTagsForResource", resourceArn=arn)["tags"], {"a": "1"})
        self.logs("UntagResource", resourceArn=arn, tagKeys=["a"])
        self.logs("TagResource", resourceArn=arn, tags={"b": "2"})
        self.assertEqual(self.logs("ListTagsForResource", resourceArn=arn)["tags"], {"b": "2"})
        self.logs("DeleteRetentionPolicy", logGroupName=name)
        self.assertFalse(self.find(name).get("retentionInDays"))
        self.logs("DeleteLogGroup", logGroupName=name)
        with self.assertRaises(NotFound):
            self.find(name)
        with self.assertRaises(NotFound):
            self.logs("DeleteLogGroup", logGroupName=name)


class Table(Resource):
    """aws_dynamodb_table"""

    def tables(self, operation, **body):
        request = AWSRequest("POST", self.endpoint + "/", data=json.dumps(body), headers={
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": "DynamoDB_20120810." + operation})
        SigV4Auth(Credentials("any", "secret"), "dynamodb", "us-east-1").add_auth(request)
        status, _, answer = self.send("POST", "/", body, dict(request.headers))
        kind = answer.get("__type", "").split("#")[-1]
        if kind == "ResourceNotFoundException":
            raise NotFound(answer.get("message") or answer.get("Message"))
        self.assertEqual((status, kind), (200, ""), answer)
        return answer

    def find(self, name):
        return self.tables("DescribeTable", TableName=name)["Table"]

    def active(self, name):
        def done():
            table = self.find(name)
            self.assertIn(table["TableStatus"], {"CREATING", "UPDATING", "ACTIVE"})
            indexes = table.get("GlobalSecondaryIndexes", [])
            return all(index["IndexStatus"] == "ACTIVE" for index in indexes) and (
                table["TableStatus"] == "ACTIVE")

        harness.wait_until(done, f"table {name} is there")

    def read(self, name):
        table = self.find(name)
        backups = self.tables("DescribeContinuousBackups", TableName=name)
        ttl = self.tables("DescribeTimeToLive", TableName=name)["TimeToLiveDescription"]
        tags = self.tables("ListTagsOfResource", ResourceArn=table["TableArn"]).get("Tags", [])
        throughput = table["ProvisionedThroughput"]
        return {
            "billing_mode": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
            "capacity": (throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]),
            "attributes": {attribute["AttributeName"]: attribute["AttributeType"]
                           for attribute in table["AttributeDefinitions"]},
            "keys": {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]},
            "indexes": sorted((index["IndexName"], index["Projection"]["ProjectionType"])
                              for index in table.get("GlobalSecondaryIndexes") or []),
            "local": sorted(index["IndexName"] for index in table.get("LocalSecondaryIndexes") or []),
            "protected": table.get("DeletionProtectionEnabled", False),
            "stream": table.get("StreamSpecification", {}).get("StreamEnabled", False),
            "encrypted": table.get("SSEDescription"),
            "class": table.get("TableClassSummary", {}).get("TableClass", "STANDARD"),
            "recovery": backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
                               ["PointInTimeRecoveryStatus"],
            "ttl": (ttl["TimeToLiveStatus"], ttl.get("AttributeName")),
            "tags": {tag["Key"]: tag["Value"] for tag in tags},
        }

    def index(self, name):
        return {"IndexName": name, "Projection": {"ProjectionType": "ALL"},
                "KeySchema": [{"AttributeName": "other", "KeyType": "HASH"}]}

    def test_life(self):
        self.tables("CreateTable", TableName="life", BillingMode="PAY_PER_REQUEST",
                    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"},
                               {"AttributeName": "at", "KeyType": "RANGE"}],
                    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"},
                                          {"AttributeName": "at", "AttributeType": "N"},
                                          {"AttributeName": "other", "AttributeType": "S"}],
                    GlobalSecondaryIndexes=[self.index("first")], TableClass="STANDARD",
                    DeletionProtectionEnabled=False, Tags=[{"Key": "a", "Value": "1"}])
        self.active("life")
        self.tables("UpdateTimeToLive", TableName="life",
                    TimeToLiveSpecification={"AttributeName": "expires", "Enabled": True})
        harness.wait_until(lambda: self.read("life")["ttl"][0] == "ENABLED", "items expire")
        expected = {
            "billing_mode": "PAY_PER_REQUEST", "capacity": (0, 0),
            "attributes": {"id": "S", "at": "N", "other": "S"}, "keys": {"HASH": "id", "RANGE": "at"},
            "indexes": [("first", "ALL")], "local": [], "protected": False, "stream": False,
            "encrypted": None, "class": "STANDARD", "recovery": "DISABLED",
            "ttl": ("ENABLED", "expires"), "tags": {"a": "1"}}
        self.assertEqual(self.read("life"), expected)

        self.tables("UpdateTable", TableName="life",
                    AttributeDefinitions=[{"AttributeName": "other", "AttributeType": "S"}],
                    GlobalSecondaryIndexUpdates=[{"Create": self.index("second")}])
        self.active("life")
        self.tables("UpdateTable", TableName="life",
                    GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "first"}}])
        harness.wait_until(lambda: self.read("life")["indexes"] == [("second", "ALL")],
                           "the index is gone")
        self.active("life")
        self.tables("UpdateTable", TableName="life", BillingMode="PROVISIONED",
                    ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 2},
                    GlobalSecondaryIndexUpdates=[{"Update": {
                        "IndexName": "second", "ProvisionedThroughput": {
                            "ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}}])
        self.active("life")
        self.tables("UpdateTable", TableName="life", DeletionProtectionEnabled=True)
        self.active("life")
        arn = self.find("life")["TableArn"]
        self.tables("UntagResource", ResourceArn=arn, TagKeys=["a"])
        self.tables("TagResource", ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
        expected.update(billing_mode="PROVISIONED", capacity=(1, 2), indexes=[("second", "ALL")],
                        protected=True, tags={"b": "2"})
        self.assertEqual(self.read("life"), expected)

        self.tables("UpdateTable", TableName="life", DeletionProtectionEnabled=False)
        self.active("life")
        self.tables("DeleteTable", TableName="life")

        def gone():
            try:
                return self.find("life")["TableStatus"] not in {"ACTIVE", "DELETING"}
            except NotFound:
                return True

        harness.wait_until(gone, "the table is gone")
        with self.assertRaises(NotFound) as raised:
            self.tables("DeleteTable", TableName="life")
        self.assertIn("Requested resource not found: Table: ", str(raised.exception))
        with self.assertRaises(NotFound):
            self.tables("DescribeTimeToLive", TableName="life")


if __name__ == "__main__":
    unittest.main()
