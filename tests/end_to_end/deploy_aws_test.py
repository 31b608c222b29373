"""`kelvin deploy`, `rollout` and `destroy` against an AWS of the test's own: what the local service does not
have (roles, logs, S3, CloudWatch), and what a network and other people do in between."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest
import zipfile

import fake_aws
import harness

HELLO = harness.PACKAGES / "hello-aot.zip"


class DeployToAws(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kelvin-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.server = fake_aws.Server()
        self.aws = self.server.aws
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)

    def environment(self):
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
                "AWS_SECRET_ACCESS_KEY": fake_aws.SECRET, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": self.server.url}

    def kelvin(self, *arguments, code=0):
        done = subprocess.run([harness.KELVIN, *map(str, arguments)], capture_output=True, text=True, timeout=300,
                              cwd=self.folder, env=self.environment())
        if code is not None:
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def deploy(self, *arguments, package=HELLO, code=0):
        return self.kelvin("deploy", package, "--name", "f", *arguments, code=code)

    def live(self):
        return self.aws.functions["f"]["aliases"]["live"]["FunctionVersion"]

    def test_role_logs_url_and_their_permissions(self):
        shown = self.deploy("--url", "none", "--allow", "dynamodb:Query", "--table", "items", "--dry-run").stdout
        for line in ("+ role: kelvin-f", "+ log group: /aws/lambda/f, kept for 14 days", "+ function URL: NONE"):
            self.assertIn(line, shown)
        self.assertEqual((self.aws.functions, self.aws.roles), ({}, {}))
        done = self.deploy("--url", "none", "--allow", "dynamodb:Query", "--table", "items").stdout
        self.assertIn("https://x.lambda-url.us-east-1.on.aws/", done)
        policy = json.loads(self.aws.roles["kelvin-f"])
        actions = [action for statement in policy["Statement"] for action in statement["Action"]]
        self.assertEqual(sorted(actions), ["dynamodb:Query", "logs:CreateLogStream", "logs:PutLogEvents"])
        self.assertEqual(self.aws.log_groups, {"/aws/lambda/f": 14})
        statements = self.aws.functions["f"]["policy"]
        self.assertEqual(statements["kelvin-url"]["FunctionUrlAuthType"], "NONE")
        self.assertTrue(statements["kelvin-url-invoke"]["InvokedViaFunctionUrl"])
        self.assertIn("no change", self.deploy("--url", "none", "--allow", "dynamodb:Query", "--table", "items").stdout)
        closed = self.deploy("--url", "iam", "--allow", "dynamodb:Query", "--table", "items").stdout
        self.assertIn("~ function URL: NONE -> AWS_IAM", closed)
        self.assertIn("callers sign their requests and need lambda:InvokeFunctionUrl", closed)
        self.assertEqual(self.aws.functions["f"]["policy"], {})
        self.kelvin("destroy", "f", "--yes")
        self.assertEqual((self.aws.functions, self.aws.roles), ({}, {}))

    def large(self, megabytes):
        package = self.folder / f"large-{megabytes}.zip"
        shutil.copy(HELLO, package)
        with zipfile.ZipFile(package, "a") as archive:
            data = zipfile.ZipInfo("data")
            data.external_attr = 0o100644 << 16
            archive.writestr(data, os.urandom(megabytes << 20))
        return package

    def test_a_large_package_goes_by_way_of_a_bucket_of_its_own(self):
        package = self.large(50)
        done = self.deploy(package=package).stdout
        bucket = f"kelvin-deploy-{fake_aws.ACCOUNT}-us-east-1"
        self.assertIn(f"created bucket {bucket}", done)
        self.assertEqual(list(self.aws.buckets[bucket].values()), [package.read_bytes()])
        self.assertIn("no change", self.deploy(package=package).stdout)
        self.aws.buckets["mine"] = {}
        self.deploy("--bucket", "mine", package=self.large(51))
        self.assertEqual(len(self.aws.buckets["mine"]), 1)

    def test_a_larger_one_goes_in_parts_and_goes_on_with_those_that_arrived(self):
        package = self.large(96)
        self.aws.buckets["mine"] = {}
        # GetFunction, DescribeLogGroups, CreateRole, PutRolePolicy, two of the log group, GetObject, the list of
        # uploads, the beginning of one, its parts (none) - and then the third part.
        self.aws.hang_up_at, self.aws.down, self.aws.lost_before = 13, True, True
        stopped = self.deploy("--bucket", "mine", package=package, code=3)
        self.assertRegex(stopped.stderr, "uploaded 2 of 7 parts of s3://mine/.*run the same command again to go on")
        self.aws.hang_up_at = 0
        before = len(self.aws.calls)
        self.deploy("--bucket", "mine", package=package)
        self.assertEqual(self.aws.calls[before:].count("s3:PutObject"), 5 + 1)  # and the end
        self.assertEqual(list(self.aws.buckets["mine"].values()), [package.read_bytes()])
        self.assertEqual(self.live(), "1")

    def test_the_network_is_lost_at_each_step(self):
        layer = self.folder / "extras.zip"
        layer.write_bytes(harness.make_zip({"extra": (b"x", 0o644)}))
        arguments = ("--url", "none", "--layer", layer, "--tag", "team=x", "--memory", "256")
        for before in (True, False):
            step = 1
            while True:
                self.aws.__init__()
                self.aws.hang_up_at, self.aws.down, self.aws.lost_before = step, True, before
                with self.subTest(step=step, before=before):
                    stopped = self.deploy(*arguments, code=None)
                    if stopped.returncode == 0:  # nothing was left to lose
                        break
                    self.assertEqual(stopped.returncode, 3, stopped.stderr)
                    self.assertRegex(stopped.stderr, "nothing was changed|done so far: .*run the same command again")
                    self.aws.hang_up_at = 0
                    self.deploy(*arguments)
                    self.assertEqual(self.live(), "1")
                    self.assertEqual(len(self.aws.layers["extras"]), 1)
                    self.assertEqual(len(self.aws.functions["f"]["policy"]), 2)
                    self.assertIn("no change", self.deploy(*arguments).stdout)
                step += 4 if before else 5  # the unit tests lose every one

    def test_a_missing_permission_is_named(self):
        for action, status, kind in (("iam:CreateRole", 403, "AccessDenied"),
                                     ("logs:PutRetentionPolicy", 400, "AccessDeniedException"),
                                     ("lambda:CreateFunction", 403, "AccessDeniedException"),
                                     ("lambda:PublishVersion", 403, "AccessDeniedException")):
            with self.subTest(action=action):
                self.aws.refuse = {action: (status, kind)}
                done = self.deploy(code=3)
                self.assertIn(f"allow {action} for this user or role", done.stderr)
                self.assertRegex(done.stderr, "nothing was changed|done so far")
        self.aws.refuse = {}
        self.deploy()
        self.assertEqual(self.live(), "1")

    def test_expired_and_wrong_credentials(self):
        self.aws.refuse = {"lambda:GetFunction": (403, "ExpiredTokenException")}
        self.assertIn("the credentials have expired", self.deploy(code=3).stderr)
        self.aws.refuse = {"lambda:GetFunction": (403, "UnrecognizedClientException")}
        self.assertIn("the credentials are not accepted", self.deploy(code=3).stderr)

    def test_somebody_else_changes_the_function_between_look_and_change(self):
        self.deploy()

        class Meddler(dict):
            """Changes the function when its alias is looked at, after its configuration was."""
            def get(this, action, *_):
                return None

            def __contains__(this, action):
                if action == "lambda:GetAlias":
                    self.aws.functions["f"]["latest"]["RevisionId"] = "theirs"
                return False

        self.aws.refuse = Meddler()
        done = self.deploy("--memory", "512", code=3)
        self.assertIn("somebody else has changed it", done.stderr)
        self.assertEqual(self.live(), "1")
        self.assertEqual(self.aws.functions["f"]["latest"]["MemorySize"], 128)
        self.aws.refuse = {}
        self.deploy("--memory", "512")
        self.assertEqual(self.live(), "2")

    def figures(self, errors):
        good = {"invocations": [100.0], "errors": [0.0], "mean": [5.0], "p50": [4.0], "p99": [20.0]}
        self.aws.metrics = {"1": good, "2": {**good, "errors": [errors]}}

    def test_a_rollout_watches_cloudwatch(self):
        self.deploy()
        self.deploy("--memory", "256", "--no-alias-move")
        self.figures(errors=3.0)
        rule = ("--steps", "10,100", "--every", "500ms", "--abort-if", "errors > 1%")
        done = self.kelvin("rollout", "f", *rule, code=1)
        self.assertIn("'errors > 1%' broken: 3.00% over 100 invokes", done.stderr)
        self.assertEqual(self.live(), "1")
        self.assertFalse(self.aws.functions["f"]["aliases"]["live"]["RoutingConfig"]["AdditionalVersionWeights"])
        self.figures(errors=1.0)
        self.assertIn("100 invokes of version 2, 1 errors, p99 20.0 ms", self.kelvin("rollout", "f", *rule).stdout)
        self.assertEqual(self.live(), "2")
        self.assertIn("version 1", self.kelvin("rollback", "f").stdout)

    def test_a_rollout_that_may_not_look(self):
        self.deploy()
        self.deploy("--memory", "256", "--no-alias-move")
        self.aws.refuse = {"cloudwatch:GetMetricData": (403, "AccessDenied")}
        done = self.kelvin("rollout", "f", "--steps", "10,100", "--every", "500ms", "--abort-if", "errors > 1%", code=3)
        self.assertIn("allow cloudwatch:GetMetricData", done.stderr)
        self.assertIn("10% of the invokes go to version 2", done.stderr)
        self.assertIn("kelvin rollback f", done.stderr)
        self.assertIn("version 1", self.kelvin("rollback", "f").stdout)

    def test_a_destroy_that_is_interrupted_goes_on(self):
        self.deploy("--url", "none")
        self.aws.refuse = {"iam:DeleteRole": (403, "AccessDenied")}
        done = self.kelvin("destroy", "f", "--yes", code=3)
        self.assertIn("deleted function f", done.stdout)
        self.assertIn("allow iam:DeleteRole", done.stderr)
        self.aws.refuse = {}
        self.kelvin("destroy", "f", "--yes")
        self.assertEqual((self.aws.functions, self.aws.roles), ({}, {}))


if __name__ == "__main__":
    unittest.main()
