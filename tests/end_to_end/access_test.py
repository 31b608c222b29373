"""Who may drive the service: web pages may not, and with credentials only who signs."""
import http.client
import pathlib
import tempfile
import unittest
import urllib.parse

import boto3
import botocore.config
import botocore.exceptions
import harness


def request(endpoint, headers, path="/2015-03-31/functions", method="GET"):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(endpoint).netloc)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("x-amzn-ErrorType"), answer.read()
    finally:
        connection.close()


class WithoutCredentials(harness.ServiceTest):
    def test_web_pages_are_refused(self):
        self.assertEqual(request(self.endpoint, {})[0], 200)
        self.assertEqual(request(self.endpoint, {"Host": "rebound.example"})[0], 403)
        self.assertEqual(request(self.endpoint, {"Origin": "https://page.example"})[0], 403)
        self.assertEqual(request(self.endpoint, {"Origin": "http://localhost:3000"})[0], 200)


class WithCredentials(unittest.TestCase):
    def client(self, endpoint, key_id, secret):
        return boto3.client(
            "lambda", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=key_id,
            aws_secret_access_key=secret, config=botocore.config.Config(retries={"max_attempts": 0}))

    def code_of(self, client):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            client.list_functions()
        return caught.exception.response["Error"]["Code"]

    def test_only_who_signs_is_answered(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "credentials"
            file.write_text("# who may\nKEY secret\n")
            with harness.Service(arguments=["--credentials", str(file)]) as service:
                endpoint = service.endpoint
                good = self.client(endpoint, "KEY", "secret")
                self.assertEqual(good.list_functions()["Functions"], [])
                good.create_function(
                    FunctionName="f", Role=harness.ROLE, Handler="h",
                    Runtime="provided.al2023",
                    Code={"ZipFile": harness.script_zip("#!/bin/sh\n")}, Tags={"a b": "c/d"})
                self.assertEqual(good.get_function(FunctionName="f")["Tags"], {"a b": "c/d"})
                self.assertEqual(self.code_of(self.client(endpoint, "KEY", "wrong")),
                                 "InvalidSignatureException")
                self.assertEqual(request(endpoint, {}, "/metrics")[0], 403)
                self.assertEqual(request(endpoint, {"X-Amz-Target": "Logs_20140328.DescribeLogGroups"},
                                         "/", "POST")[0], 403)
                logs = boto3.client("logs", endpoint_url=endpoint, region_name="us-east-1",
                                    aws_access_key_id="KEY", aws_secret_access_key="secret")
                self.assertEqual(logs.describe_log_groups()["logGroups"], [])
                self.assertEqual(self.code_of(self.client(endpoint, "OTHER", "secret")),
                                 "UnrecognizedClientException")
                for secret, code in (("secret", None), ("wrong", "InvalidSignatureException")):
                    tables = boto3.client(
                        "dynamodb", endpoint_url=endpoint, region_name="us-east-1",
                        aws_access_key_id="KEY", aws_secret_access_key=secret)
                    if code is None:
                        self.assertEqual(tables.list_tables()["TableNames"], [])
                        continue
                    with self.assertRaises(botocore.exceptions.ClientError) as caught:
                        tables.list_tables()
                    self.assertEqual(caught.exception.response["Error"]["Code"], code)
                    self.assertEqual(
                        caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 400)
                status, kind, _ = request(endpoint, {})
                self.assertEqual((status, kind), (403, "MissingAuthenticationTokenException"))

    def test_a_network_address_wants_credentials(self):
        import subprocess

        done = subprocess.run([harness.KELVIN, "serve", "--host", "0.0.0.0", "--port", "0"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--credentials", done.stderr)


if __name__ == "__main__":
    unittest.main()
