"""`kelvin tables`: clients of AWS, import and export, signatures, and what survives a kill."""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import unittest

import harness

KEYS = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST"}


def kelvin(*arguments, **options):
    return subprocess.run([harness.KELVIN, *arguments], capture_output=True, text=True, timeout=120,
                          **options)


class TablesCommand(unittest.TestCase):
    def test_awscli_works_with_tables_alone(self):
        with harness.Service(command=("tables",)) as service:
            def dynamodb(*arguments):
                return harness.aws(service.endpoint, "dynamodb", *arguments)

            dynamodb("create-table", "--table-name", "music", "--billing-mode", "PAY_PER_REQUEST",
                     "--attribute-definitions", "AttributeName=id,AttributeType=S",
                     "--key-schema", "AttributeName=id,KeyType=HASH")
            dynamodb("put-item", "--table-name", "music", "--item",
                     '{"id":{"S":"1"},"n":{"N":"1.50"}}')
            item = dynamodb("get-item", "--table-name", "music", "--key", '{"id":{"S":"1"}}')["Item"]
            self.assertEqual(item, {"id": {"S": "1"}, "n": {"N": "1.5"}})
            dynamodb("transact-write-items", "--transact-items", json.dumps(
                [{"Update": {"TableName": "music", "Key": {"id": {"S": "1"}},
                             "UpdateExpression": "ADD n :n",
                             "ExpressionAttributeValues": {":n": {"N": "1"}}}}]))
            scan = dynamodb("scan", "--table-name", "music", "--select", "COUNT")
            self.assertEqual(scan["Count"], 1)
            self.assertEqual(dynamodb("list-tables")["TableNames"], ["music"])
            self.assertGreater(dynamodb("describe-limits")["TableMaxReadCapacityUnits"], 0)

    def test_items_are_exported_and_imported(self):
        with tempfile.TemporaryDirectory(prefix="kelvin-test-") as folder:
            lines = pathlib.Path(folder, "items.jsonl")
            lines.write_text("".join(
                json.dumps({"Item": {"id": {"S": str(i)}, "v": {"N": str(i)}}}) + "\n"
                for i in range(70)))
            done = kelvin("tables", "import", "music", str(lines), "--key", "id:S",
                          "--state-dir", folder)
            self.assertEqual((done.returncode, done.stderr), (0, "70 items imported into music\n"))
            exported = kelvin("tables", "export", "music", "--state-dir", folder)
            self.assertEqual(exported.returncode, 0, exported.stderr)
            self.assertEqual(sorted(map(json.loads, exported.stdout.splitlines()), key=str),
                             sorted(map(json.loads, lines.read_text().splitlines()), key=str))
            # The files are in use: the way is through the endpoint.
            with harness.Service(command=("tables",), state=folder) as service:
                held = kelvin("tables", "export", "music", "--state-dir", folder)
                self.assertEqual(held.returncode, 3)
                self.assertIn("--endpoint-url", held.stderr)
                through = kelvin("tables", "export", "music", "--endpoint-url", service.endpoint,
                                 env={"PATH": os.environ["PATH"]})
                self.assertEqual(len(through.stdout.splitlines()), 70, through.stderr)
                twice = kelvin("tables", "import", "copy", "-", "--key", "id:S,v:N",
                               "--endpoint-url", service.endpoint, input=through.stdout)
                self.assertEqual(twice.returncode, 0, twice.stderr)

    def test_what_is_wrong_with_an_import_is_said(self):
        with tempfile.TemporaryDirectory(prefix="kelvin-test-") as folder:
            missing = kelvin("tables", "import", "music", "-", "--state-dir", folder, input="")
            self.assertEqual(missing.returncode, 3)
            self.assertIn("make the table first, or with --key", missing.stderr)
            broken = kelvin("tables", "import", "music", "-", "--state-dir", folder, "--key", "id:S",
                            input='{"id":{"S":"1"}}\nnonsense\n')
            self.assertEqual(broken.returncode, 2)
            self.assertIn("line 2: expected an item", broken.stderr)
            key = kelvin("tables", "import", "music", "-", "--state-dir", folder, "--key", "id",
                         input="")
            self.assertEqual(key.returncode, 2)
            self.assertIn("expected --key as NAME:TYPE", key.stderr)

    def test_signatures_are_checked_where_they_are_demanded(self):
        import botocore.exceptions

        with harness.Service(command=("tables", "--require-signature", "--ephemeral")) as service:
            ours = harness.boto3_client("dynamodb", service.endpoint)
            ours.create_table(TableName="music", **KEYS)
            import boto3
            other = boto3.session.Session().client(
                "dynamodb", endpoint_url=service.endpoint, region_name="us-east-1",
                aws_access_key_id=harness.AWS_ENVIRONMENT["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key="wrong")
            with self.assertRaises(botocore.exceptions.ClientError) as refused:
                other.list_tables()
            self.assertEqual(refused.exception.response["Error"]["Code"], "InvalidSignatureException")


class Survival(unittest.TestCase):
    """Several clients write while the process is killed: what was answered is there."""

    def check(self, *arguments):
        with tempfile.TemporaryDirectory(prefix="kelvin-test-") as folder:
            service = harness.Service(command=("tables", *arguments), state=folder).start()
            client = harness.boto3_client("dynamodb", service.endpoint, max_pool_connections=8)
            client.create_table(TableName="music", GlobalSecondaryIndexes=[{
                "IndexName": "by-v", "Projection": {"ProjectionType": "ALL"},
                "KeySchema": [{"AttributeName": "v", "KeyType": "HASH"}]}], **{
                    **KEYS, "AttributeDefinitions": KEYS["AttributeDefinitions"] + [
                        {"AttributeName": "v", "AttributeType": "N"}]})
            acknowledged = [[] for _ in range(6)]
            enough = threading.Event()

            def write(number):
                try:
                    for i in range(100000):
                        key = f"{number}-{i}"
                        client.put_item(TableName="music", Item={"id": {"S": key}, "v": {"N": "1"}})
                        acknowledged[number].append(key)
                        if i == 20:
                            enough.set()
                except Exception:  # the process is gone
                    enough.set()

            writers = [threading.Thread(target=write, args=(number,)) for number in range(6)]
            for writer in writers:
                writer.start()
            enough.wait()
            service.process.send_signal(signal.SIGKILL)
            service.process.wait()
            for writer in writers:
                writer.join()
            expected = {key for keys in acknowledged for key in keys}
            self.assertGreater(len(expected), 20)
            with harness.Service(command=("tables", *arguments), state=folder) as again:
                client = harness.boto3_client("dynamodb", again.endpoint)
                found = set()
                for page in client.get_paginator("scan").paginate(TableName="music"):
                    found |= {item["id"]["S"] for item in page["Items"]}
                indexed = set()
                for page in client.get_paginator("query").paginate(
                        TableName="music", IndexName="by-v", KeyConditionExpression="v = :v",
                        ExpressionAttributeValues={":v": {"N": "1"}}):
                    indexed |= {item["id"]["S"] for item in page["Items"]}
                self.assertEqual(expected - found, set())
                self.assertEqual(found, indexed)
                count = client.describe_table(TableName="music")["Table"]["ItemCount"]
                self.assertEqual(count, len(found))

    def test_acknowledged_writes_survive_a_kill(self):
        self.check()

    def test_they_do_when_the_disk_is_synced_in_the_background(self):
        self.check("--fsync", "background")


if __name__ == "__main__":
    unittest.main()
