"""The AWS CLI, with only --endpoint-url changed."""
import json
import pathlib
import tempfile
import unittest

import harness


class AwsCli(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = harness.Service().start()
        cls.addClassCleanup(cls.service.stop)

    def aws(self, *arguments, **settings):
        return harness.aws(self.service.endpoint, *arguments, **settings)

    def create_table(self, name):
        self.aws("dynamodb", "create-table", "--table-name", name,
                 "--attribute-definitions", "AttributeName=Id,AttributeType=S",
                 "--key-schema", "AttributeName=Id,KeyType=HASH", "--billing-mode", "PAY_PER_REQUEST")
        self.aws("dynamodb", "wait", "table-exists", "--table-name", name)

    def create_function(self, name, *extra):
        package = harness.PACKAGES / f"{name}-aot.zip"
        self.aws("lambda", "create-function", "--function-name", name, "--runtime", "provided.al2023",
                 "--handler", "bootstrap", "--role", harness.ROLE, "--zip-file", f"fileb://{package}",
                 *extra)
        self.aws("lambda", "wait", "function-active-v2", "--function-name", name)

    def invoke(self, name, payload):
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "out"
            meta = self.aws("lambda", "invoke", "--function-name", name,
                            "--cli-binary-format", "raw-in-base64-out", "--payload", payload, str(out))
            return meta, json.loads(out.read_text())

    def test_a_function_is_created_invoked_and_deleted(self):
        self.create_function("hello")
        meta, answer = self.invoke("hello", (harness.SOURCE / "functions/hello/event.json").read_text())
        self.assertEqual(meta["StatusCode"], 200)
        self.assertNotIn("FunctionError", meta)
        self.assertTrue(answer)
        names = [f["FunctionName"] for f in self.aws("lambda", "list-functions")["Functions"]]
        self.assertEqual(names, ["hello"])
        self.aws("lambda", "delete-function", "--function-name", "hello")
        gone = self.aws("lambda", "get-function", "--function-name", "hello", check=False)
        self.assertNotEqual(gone.returncode, 0)
        self.assertIn("ResourceNotFoundException", gone.stderr)

    def test_create_item_writes_a_record_that_the_cli_reads(self):
        self.create_table("items")
        self.create_function("create-item", "--environment", "Variables={TABLE_NAME=items,TTL_DAYS=7}")
        meta, item_id = self.invoke("create-item", '{"from":"awscli"}')
        self.assertEqual(meta["StatusCode"], 200)
        item = self.aws("dynamodb", "get-item", "--table-name", "items",
                        "--key", json.dumps({"Id": {"S": item_id}}))["Item"]
        self.assertEqual(item["Id"], {"S": item_id})
        self.assertRegex(item["CreatedAt"]["S"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$")
        self.assertGreater(int(item["TTL"]["N"]), 1_700_000_000)
        self.aws("lambda", "delete-function", "--function-name", "create-item")
        self.aws("dynamodb", "delete-table", "--table-name", "items")

    def test_an_item_is_put_and_got(self):
        self.create_table("things")
        item = {"Id": {"S": "1"}, "Count": {"N": "1.50"}, "Tags": {"SS": ["a", "b"]}}
        self.aws("dynamodb", "put-item", "--table-name", "things", "--item", json.dumps(item))
        got = self.aws("dynamodb", "get-item", "--table-name", "things", "--key", '{"Id":{"S":"1"}}')
        self.assertEqual(got["Item"], {**item, "Count": {"N": "1.5"}})
        self.aws("dynamodb", "delete-table", "--table-name", "things")


if __name__ == "__main__":
    unittest.main()
