"""Layers, by boto3: published, listed, merged at /opt, and refused as AWS refuses them."""
import json
import tempfile
import unittest

import harness

LAYER_RUNTIME = harness.PYTHON_RUNTIME + '''
while True:
    request_id, _ = next_event()
    import json
    seen = {}
    for folder, _, names in os.walk("/opt"):
        for name in names:
            if name != "bootstrap":
                path = os.path.join(folder, name)
                seen[path] = open(path).read()
    try:
        open("/opt/new", "w")
        seen["writable"] = True
    except OSError:
        seen["writable"] = False
    respond(request_id, json.dumps(seen))
'''


class Layers(harness.ServiceTest):
    def publish(self, name, files, **settings):
        return self.lambda_client.publish_layer_version(
            LayerName=name, Content={"ZipFile": harness.make_zip(files)}, **settings)

    def text_layer(self, name, **files):
        return self.publish(name, {path.replace("_", "/"): (text.encode(), 0o644)
                                   for path, text in files.items()})["LayerVersionArn"]

    def refusal(self, code, call, **arguments):
        with self.assertRaises(getattr(self.lambda_client.exceptions, code)) as caught:
            call(**arguments)
        return caught.exception.response

    def test_publish_get_and_delete(self):
        first = self.publish("life", {"a": (b"1", 0o644)}, Description="d",
                             CompatibleRuntimes=["provided.al2023"], LicenseInfo="MIT",
                             CompatibleArchitectures=["x86_64"])
        self.assertEqual(first["Version"], 1)
        self.assertEqual(first["LayerArn"], "arn:aws:lambda:us-east-1:123456789012:layer:life")
        self.assertEqual(first["LayerVersionArn"], first["LayerArn"] + ":1")
        self.assertEqual(first["ResponseMetadata"]["HTTPStatusCode"], 201)
        second = self.publish("life", {"a": (b"2", 0o644)})
        self.assertEqual(second["Version"], 2)
        got = self.lambda_client.get_layer_version(LayerName="life", VersionNumber=1)
        for field in ("LayerVersionArn", "Description", "CompatibleRuntimes", "LicenseInfo",
                      "CreatedDate", "CompatibleArchitectures", "Version"):
            self.assertEqual(got[field], first[field], field)
        self.assertEqual(got["Content"]["CodeSha256"], first["Content"]["CodeSha256"])
        by_arn = self.lambda_client.get_layer_version_by_arn(Arn=second["LayerVersionArn"])
        self.assertEqual(by_arn["Version"], 2)
        for _ in range(2):
            self.lambda_client.delete_layer_version(LayerName="life", VersionNumber=2)
        self.refusal("ResourceNotFoundException", self.lambda_client.get_layer_version,
                     LayerName="life", VersionNumber=2)
        self.assertEqual(self.publish("life", {"a": (b"3", 0o644)})["Version"], 3)

    def test_lists_come_in_pages(self):
        for name in ("page-a", "page-b", "page-c"):
            self.text_layer(name, x=name)
        for text in ("2", "3"):
            self.text_layer("page-a", x=text)
        pages = self.lambda_client.get_paginator("list_layers").paginate(
            PaginationConfig={"PageSize": 1})
        found = {layer["LayerName"]: layer["LatestMatchingVersion"]["Version"]
                 for page in pages for layer in page["Layers"] if layer["LayerName"][:5] == "page-"}
        self.assertEqual(found, {"page-a": 3, "page-b": 1, "page-c": 1})
        pages = self.lambda_client.get_paginator("list_layer_versions").paginate(
            LayerName="page-a", PaginationConfig={"PageSize": 2})
        self.assertEqual([v["Version"] for page in pages for v in page["LayerVersions"]], [3, 2, 1])
        self.assertEqual(self.lambda_client.list_layer_versions(LayerName="none")["LayerVersions"], [])

    def test_a_bootstrap_and_files_from_layers(self):
        runtime = self.publish("runtime", {"bootstrap": (LAYER_RUNTIME.encode(), 0o755)})
        arns = [runtime["LayerVersionArn"], self.text_layer("base", same="base", lib_base="1"),
                self.text_layer("over", same="over", lib_over="2")]
        created = self.create("layered", harness.make_zip({"code": (b"x", 0o644)}), Layers=arns)
        self.assertEqual([layer["Arn"] for layer in created["Layers"]], arns)
        # A layer version that is deleted stays with the functions that have it.
        self.lambda_client.delete_layer_version(LayerName="base", VersionNumber=1)
        seen = json.loads(self.invoke("layered")["Payload"])
        self.assertEqual(seen, {"/opt/same": "over", "/opt/lib/base": "1", "/opt/lib/over": "2",
                                "writable": False})
        self.lambda_client.update_function_configuration(FunctionName="layered", Layers=arns[:1])
        self.assertEqual(json.loads(self.invoke("layered")["Payload"]), {"writable": False})
        self.lambda_client.update_function_configuration(FunctionName="layered", Layers=[])
        answer = self.invoke("layered")
        self.assertEqual(json.loads(answer["Payload"])["errorType"], "Runtime.InvalidEntrypoint")

    def test_what_is_refused(self):
        many = [self.text_layer(f"many-{i}", x="x") for i in range(6)]
        again = self.text_layer("many-0", x="y")
        code = harness.make_zip({"code": (b"x", 0o644)})
        create = dict(FunctionName="refused", Role=harness.ROLE, Handler="h",
                      Runtime="provided.al2023", Code={"ZipFile": code})
        for layers, message in ((many, "more than 5 layers"),
                                ([many[0], again], "Two different versions of the same layer"),
                                ([many[0][:-1] + "9"], "does not exist")):
            error = self.refusal("InvalidParameterValueException",
                                 self.lambda_client.create_function, Layers=layers, **create)
            self.assertIn(message, error["Error"]["Message"])
        self.refusal("InvalidParameterValueException", self.lambda_client.publish_layer_version,
                     LayerName="bad", Content={"ZipFile": b"no zip"})
        self.refusal("InvalidParameterValueException", self.lambda_client.get_layer_version,
                     LayerName="many-0", VersionNumber=0)

    def test_function_and_layers_together_have_a_limit(self):
        large = self.publish("large", {"zeros": (bytes(200_000_000), 0o644)})
        error = self.refusal(
            "InvalidParameterValueException", self.lambda_client.create_function,
            FunctionName="too-large", Role=harness.ROLE, Handler="h", Runtime="provided.al2023",
            Code={"ZipFile": harness.make_zip({"zeros": (bytes(62_144_001), 0o644)})},
            Layers=[large["LayerVersionArn"]])
        self.assertIn("262144000", error["Error"]["Message"])
        self.assertIn("262144001", error["Error"]["Message"])


class Restart(unittest.TestCase):
    def test_layers_survive_a_kill(self):
        with tempfile.TemporaryDirectory(prefix="kelvin-test-") as state:
            first = harness.Service(state=state).start()
            client = harness.boto3_client("lambda", first.endpoint)
            arns = [client.publish_layer_version(
                LayerName=name, Content={"ZipFile": harness.make_zip(files)})["LayerVersionArn"]
                for name, files in (("runtime", {"bootstrap": (LAYER_RUNTIME.encode(), 0o755)}),
                                    ("text", {"x": (b"kept", 0o644)}))]
            client.create_function(
                FunctionName="kept", Role=harness.ROLE, Handler="h", Runtime="provided.al2023",
                Layers=arns, Code={"ZipFile": harness.make_zip({"code": (b"x", 0o644)})})
            first.kill()
            with harness.Service(state=state) as second:
                client = harness.boto3_client("lambda", second.endpoint)
                answer = client.invoke(FunctionName="kept")["Payload"].read()
                self.assertEqual(json.loads(answer), {"/opt/x": "kept", "writable": False})
                again = client.get_layer_version_by_arn(Arn=arns[1])
                self.assertEqual(again["Version"], 1)


if __name__ == "__main__":
    unittest.main()
