"""Whose keys Kelvin signs with, for everything that a profile, an environment, a container or an
instance can say; boto3, which reads the same files, is asked as well and must say the same."""
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

import harness

# What botocore resolves for each profile named, its calls to STS and SSO sent to our server.
BOTO3 = '''
import json, os, sys
import botocore.config, botocore.session

make = botocore.session.Session.create_client
def create_client(self, service, *arguments, **more):
    if service in ("sts", "sso"):
        more["endpoint_url"] = os.environ["FAKE"]
    return make(self, service, *arguments, **more)
botocore.session.Session.create_client = create_client

found = {}
for profile in sys.argv[1:]:
    try:
        session = botocore.session.Session(profile=profile or None)
        keys = session.get_credentials().get_frozen_credentials()
        found[profile] = [keys.access_key, keys.token or ""]
    except Exception as error:
        found[profile] = f"{type(error).__name__}: {error}"
print(json.dumps(found))
'''


class FakeAws(http.server.BaseHTTPRequestHandler):
    """STS, SSO and the metadata services give keys whose names say what they were asked with; every
    other call is Lambda's, and notes who made it."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        signed = re.search("Credential=([^/]*)/[^/]*/([^/]*)/", self.headers.get("Authorization") or "")
        signer, self.region = signed.groups() if signed else ("", "")
        path = self.path.split("?")[0]
        query = urllib.parse.parse_qs(self.path.partition("?")[2])
        form = urllib.parse.parse_qs(body) if body.startswith("Action=") or "&Action=" in body else {}
        self.server.asked.append(form.get("Action", [path])[0])
        if "Action" in form:
            self.sts(form, signer)
        elif path == "/federation/credentials":
            self.sso(query)
        elif path == "/container":
            self.keys(f"container-{self.headers.get('Authorization')}")
        elif path == "/latest/api/token":
            self.reply(200, "session-token")
        elif path.endswith("/security-credentials/"):
            self.reply(200, "instance-role")
        elif path.endswith("/security-credentials/instance-role"):
            self.keys(f"instance-{self.headers.get('X-aws-ec2-metadata-token')}")
        else:
            self.server.callers.append([signer, self.headers.get("X-Amz-Security-Token") or "", self.region])
            self.reply(200, "{}")

    do_GET = do_POST = do_PUT = answer

    def sts(self, form, signer):
        if "refused" in form["RoleArn"][0]:
            self.reply(403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User is not authorized to "
                            "perform: sts:AssumeRole</Message></Error></ErrorResponse>")
            return
        known = ("ExternalId", "DurationSeconds", "WebIdentityToken")
        parts = [form["RoleArn"][0].rpartition("/")[2], signer or "nobody"]
        parts += [f"{name}-{form[name][0]}" for name in known if name in form]
        action = form["Action"][0]
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        self.reply(200, f"<{action}Response xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><{action}Result>"
                        "<AssumedRoleUser><Arn>a</Arn><AssumedRoleId>i</AssumedRoleId></AssumedRoleUser>"
                        f"<Credentials><AccessKeyId>{'.'.join(parts)}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                        f"<SessionToken>role-token</SessionToken><Expiration>{end}</Expiration></Credentials>"
                        f"</{action}Result></{action}Response>", "text/xml")

    def sso(self, query):
        key = ".".join(["sso", self.headers.get("x-amz-sso_bearer_token"), query["account_id"][0], query["role_name"][0]])
        self.reply(200, json.dumps({"roleCredentials": {
            "accessKeyId": key, "secretAccessKey": "s", "sessionToken": "sso-token",
            "expiration": int(time.time() + 3600) * 1000}}))

    def keys(self, key):
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        self.reply(200, json.dumps({"Code": "Success", "AccessKeyId": key.replace(" ", "_"), "SecretAccessKey": "s",
                                    "Token": "metadata-token", "Expiration": end, "LastUpdated": end}))

    def reply(self, status, body, kind="application/json"):
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        # Shorter than AWS's, so that nothing here lasts.
        self.send_header("X-aws-ec2-metadata-token-ttl-seconds", "60")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


CONFIG = """
[default]
region = eu-central-1

[profile keys]
aws_access_key_id = config-key
aws_secret_access_key = s

[profile both]
AWS_ACCESS_KEY_ID: from-config
aws_secret_access_key = s
credential_process = printf '{"Version":1,"AccessKeyId":"never","SecretAccessKey":"s"}'

[profile process]
credential_process = PROCESS with-an-argument "and another"
aws_access_key_id = later
aws_secret_access_key = s

[profile "with space"]
aws_access_key_id = spaced
aws_secret_access_key = s = with = equals

[profile role]
role_arn = arn:aws:iam::1:role/dev
source_profile = base
external_id = a b+c
duration_seconds = 1800
region = eu-west-1
s3 =
  max_concurrent_requests = 20

[profile role-of-role]
role_arn = arn:aws:iam::1:role/ops
source_profile = role

[profile self]
role_arn = arn:aws:iam::1:role/self
source_profile = self

[profile role-of-process]
role_arn = arn:aws:iam::1:role/p
source_profile = process

[profile role-of-sso]
role_arn = arn:aws:iam::1:role/s
source_profile = sso

[profile role-of-container]
role_arn = arn:aws:iam::1:role/c
credential_source = EcsContainer

[profile role-of-environment]
role_arn = arn:aws:iam::1:role/e
credential_source = Environment

[profile web]
role_arn = arn:aws:iam::1:role/web
web_identity_token_file = TOKEN

[sso-session corp]
sso_start_url = https://corp.example
sso_region = eu-north-1

[profile sso]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = Developers

[profile sso-old]
sso_start_url = https://old.example
sso_region = us-east-1
sso_account_id = 444455556666
sso_role_name = Auditors

[profile sso-expired]
sso_start_url = https://expired.example
sso_region = us-east-1
sso_account_id = 1
sso_role_name = R

[profile circle]
role_arn = arn:aws:iam::1:role/a
source_profile = circle-too

[profile circle-too]
role_arn = arn:aws:iam::1:role/b
source_profile = circle

[profile refused]
role_arn = arn:aws:iam::1:role/refused
source_profile = base

[profile region-only]
region = sa-east-1
"""

CREDENTIALS = """
[default]
aws_access_key_id = default-key
aws_secret_access_key = s

[base]
aws_access_key_id = base-key
aws_secret_access_key = s
aws_session_token = base-token

[both]
aws_access_key_id = from-credentials
aws_secret_access_key = s

[self]
aws_access_key_id = self-key
aws_secret_access_key = s
"""


class Credentials(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="kelvin-test-"))
        self.addCleanup(shutil.rmtree, self.home)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeAws)
        self.server.callers = []
        self.server.asked = []
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        self.addCleanup(lambda: (self.server.shutdown(), thread.join(), self.server.server_close()))
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        process = self.home / "process"
        process.write_text("#!/bin/sh\nprintf '{\"Version\":1,\"AccessKeyId\":\"process-%s-%s\","
                           "\"SecretAccessKey\":\"s\",\"SessionToken\":\"process-token\"}' \"$1\" \"${2##* }\"\n")
        process.chmod(0o755)
        (self.home / "token").write_text("ey.web.token")
        (self.home / ".aws/sso/cache").mkdir(parents=True)
        (self.home / ".aws/config").write_text(
            CONFIG.replace("PROCESS", str(process)).replace("TOKEN", str(self.home / "token")))
        (self.home / ".aws/credentials").write_text(CREDENTIALS)
        for name, token, end in (("corp", "corp-tok", "2099-01-01T00:00:00Z"),
                                 ("https://old.example", "old-tok", "2099-01-01T00:00:00UTC"),
                                 ("https://expired.example", "tok", "2020-01-01T00:00:00Z")):
            import hashlib
            path = self.home / ".aws/sso/cache" / (hashlib.sha1(name.encode()).hexdigest() + ".json")
            path.write_text(json.dumps({"accessToken": token, "expiresAt": end, "startUrl": name,
                                        "region": "us-east-1"}))

    def environment(self, **more):
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_ENDPOINT_URL_STS": self.url, "AWS_ENDPOINT_URL_SSO": self.url, "FAKE": self.url, **more}

    def kelvin(self, profile="", **more):
        """Who signed, with which token and for which region; or the message of the failure."""
        self.server.callers.clear()
        # An address that is not taken for a local service's, which needs no credentials.
        arguments = ["invoke", "f", "--endpoint-url", f"http://[::ffff:127.0.0.1]:{self.port}"]
        if profile:
            arguments += ["--profile", profile]
        done = subprocess.run([harness.KELVIN, *arguments], capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL, env=self.environment(**more))
        if done.returncode == 0:
            return self.server.callers[-1]
        self.assertEqual(self.server.callers, [], done.stderr)
        return done.stderr

    def boto3(self, *profiles, **more):
        done = subprocess.run([sys.executable, "-c", BOTO3, *profiles], capture_output=True, text=True, timeout=120,
                              env=self.environment(AWS_DEFAULT_REGION="us-east-1", **more))
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_every_profile_as_boto3_sees_it(self):
        expected = {
            "default": "default-key", "keys": "config-key", "both": "from-credentials",
            "process": "process-with-an-argument-another", "with space": "spaced",
            "role": "dev.base-key.ExternalId-a b+c.DurationSeconds-1800",
            "role-of-role": "ops.dev.base-key.ExternalId-a b+c.DurationSeconds-1800",
            "self": "self.self-key", "role-of-process": "p.process-with-an-argument-another",
            "role-of-sso": "s.sso.corp-tok.111122223333.Developers",
            "web": "web.nobody.WebIdentityToken-ey.web.token",
            "sso": "sso.corp-tok.111122223333.Developers", "sso-old": "sso.old-tok.444455556666.Auditors"}
        others = self.boto3(*expected)
        for profile, key in expected.items():
            with self.subTest(profile=profile):
                ours = self.kelvin(profile, AWS_REGION="us-east-1")
                self.assertEqual(ours[0], key)
                # Debian's botocore fails on a role whose source is an sso_session.
                if profile != "role-of-sso" or isinstance(others[profile], list):
                    self.assertEqual(ours[:2], others[profile])

    def test_the_region_of_the_profile(self):
        self.assertEqual(self.kelvin("role")[2], "eu-west-1")
        self.assertEqual(self.kelvin()[2], "eu-central-1")
        self.assertEqual(self.kelvin(AWS_REGION="ap-south-1")[2], "ap-south-1")
        self.assertEqual(self.kelvin("role", AWS_REGION="ap-south-1")[2], "ap-south-1")
        self.assertIn("found none in the environment or in profile keys", self.kelvin("keys"))

    def test_the_order_as_boto3_has_it(self):
        env = {"AWS_ACCESS_KEY_ID": "env-key", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "env-token"}
        container = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{self.port}/container",
                     "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Basic abc"}
        web = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(self.home / "token"), "AWS_ROLE_ARN": "arn:aws:iam::1:role/pod"}
        instance = {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.url}
        cases = [("", {**env, **web, **container}, "env-key"),
                 ("", {**web, **container, "AWS_PROFILE": "keys"}, "pod.nobody.WebIdentityToken-ey.web.token"),
                 ("", {"AWS_PROFILE": "role"}, "dev.base-key.ExternalId-a b+c.DurationSeconds-1800"),
                 ("", container, "default-key"),
                 ("", {**container, "AWS_PROFILE": "region-only"}, "container-Basic_abc"),
                 ("", {**instance, "AWS_PROFILE": "region-only"}, "instance-session-token"),
                 ("keys", {**env, **web}, "config-key"),
                 ("role-of-environment", env, "e.env-key"),
                 ("role-of-container", container, "c.container-Basic_abc")]
        for profile, more, key in cases:
            with self.subTest(profile=profile, more=list(more)):
                self.assertEqual(self.boto3(profile, **more)[profile][0], key)
                self.assertEqual(self.kelvin(profile, AWS_REGION="us-east-1", **more)[0], key)

    def why(self, profile, **more):
        message = self.kelvin(profile, AWS_REGION="us-east-1", **more)
        self.assertIsInstance(message, str)
        return message

    def test_each_failure_says_how_to_mend_it(self):
        self.assertIn("aws sso login --profile sso-expired", self.why("sso-expired"))
        self.assertIn("circle -> circle-too -> circle", self.why("circle"))
        self.assertIn("allow sts:AssumeRole", self.why("refused"))
        self.assertIn("expected profile none", self.why("none"))
        nothing = self.why("region-only")
        for place in ("environment", "profile", "container", "instance", "aws configure"):
            if place != "environment":  # a profile was named
                self.assertIn(place, nothing)
        os.chmod(self.home / "process", 0o644)
        self.assertIn("credential_process of profile process", self.why("process"))
        self.assertIn("exit status 126", self.why("process"))
        nobody = self.why("role", AWS_ENDPOINT_URL_STS="http://127.0.0.1:9")
        self.assertIn("STS AssumeRole failed", nobody)

    def test_a_local_endpoint_needs_no_credentials_and_asks_nobody(self):
        done = subprocess.run([harness.KELVIN, "invoke", "f", "--endpoint-url", self.url], capture_output=True,
                              text=True, timeout=60, env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.server.callers[-1][0], "kelvin")
        self.assertEqual(len(self.server.asked), 1)


if __name__ == "__main__":
    unittest.main()
