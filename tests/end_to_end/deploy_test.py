"""`kelvin deploy`, `rollout`, `rollback` and `destroy` as a user runs them; boto3 and the
AWS CLI read back what was made."""
import json
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest

import harness

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}


def kelvin(*arguments, code=0, cwd=None, environment=None):
    done = subprocess.run([harness.KELVIN, *map(str, arguments)], capture_output=True, text=True,
                          timeout=120, cwd=cwd, env={**ENVIRONMENT, **(environment or {})})
    if code is not None and done.returncode != code:
        raise AssertionError(f"{arguments}: {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
    return done


class Deploy(harness.ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not harness.versions_and_metrics(cls.endpoint):
            raise unittest.SkipTest("the local service has no versions, aliases or figures by version")

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kelvin-test-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def kelvin(self, *arguments, code=0):
        return kelvin(*arguments, "--endpoint-url", self.endpoint, code=code, cwd=self.folder)

    def deploy(self, name, *arguments, package="hello-aot", code=0):
        self.addCleanup(lambda: self._delete(name))
        return self.kelvin("deploy", harness.PACKAGES / f"{package}.zip", "--name", name, *arguments, code=code)

    def test_boto3_and_the_aws_cli_read_back_what_was_made(self):
        self.deploy("read-back", "--memory", "256", "--timeout", "7", "--env", "GREETING=1", "--tag", "team=x",
                    "--url", "none")
        made = self.lambda_client.get_function(FunctionName="read-back")
        configuration = made["Configuration"]
        self.assertEqual((configuration["MemorySize"], configuration["Timeout"]), (256, 7))
        self.assertEqual(configuration["Environment"]["Variables"]["GREETING"], "1")
        self.assertEqual(made["Tags"], {"team": "x"})
        alias = harness.aws(self.endpoint, "lambda", "get-alias", "--function-name", "read-back", "--name", "live")
        self.assertEqual(alias["FunctionVersion"], "1")
        url = self.lambda_client.get_function_url_config(FunctionName="read-back", Qualifier="live")
        self.assertEqual(url["AuthType"], "NONE")
        answer = self.invoke("read-back:live", b'{"name":"Ada"}')
        self.assertNotIn("FunctionError", answer)

    def test_a_watched_package_is_deployed_again_whenever_it_changes(self):
        package = self.folder / "echo.zip"

        def replace(content):
            (self.folder / "new").write_bytes(content)
            (self.folder / "new").rename(package)

        def says(text):
            replace(harness.runtime_zip(f"""while True:
  request_id, _ = next_event()
  respond(request_id, '"{text}"')
"""))

        says("one")
        self.addCleanup(lambda: self._delete("echo"))
        watching = subprocess.Popen(
            [harness.KELVIN, "deploy", package, "--no-check", "--watch", "--endpoint-url", self.endpoint],
            cwd=self.folder, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.addCleanup(watching.stdout.close)
        self.addCleanup(watching.wait)
        self.addCleanup(watching.kill)

        def read_until(part):
            for line in watching.stdout:
                if part in line:
                    return line
            self.fail(f"it ended without saying {part}")

        read_until("Watching")
        self.assertEqual(self.invoke("echo")["Payload"], b'"one"')
        says("two")
        read_until("alias live")
        self.assertEqual(self.invoke("echo:live")["Payload"], b'"two"')
        replace(b"no zip")
        self.assertIn("echo.zip", read_until("kelvin: "))
        says("three")
        read_until("alias live")
        self.assertEqual(self.invoke("echo:live")["Payload"], b'"three"')
        watching.send_signal(signal.SIGINT)
        self.assertEqual(watching.wait(timeout=60), 0)

    def test_the_tables_of_the_configuration_are_made_here(self):
        (self.folder / "kelvin.toml").write_text(f"""
[[table]]
name = "stays"
hash_key = {{ name = "Id", type = "S" }}
range_key = {{ name = "At", type = "N" }}

[[function]]
name = "keeper"
packages.aot = "{harness.PACKAGES}/hello-aot.zip"
""")
        tables = harness.boto3_client("dynamodb", self.endpoint)
        self.addCleanup(lambda: self._delete("keeper"))
        self.assertIn("+ table: stays", self.kelvin("deploy", "--dry-run").stdout)
        self.assertEqual(tables.list_tables()["TableNames"], [])
        self.kelvin("deploy")
        self.addCleanup(lambda: tables.delete_table(TableName="stays"))
        made = tables.describe_table(TableName="stays")["Table"]
        self.assertEqual([key["AttributeName"] for key in made["KeySchema"]], ["Id", "At"])
        living = tables.describe_time_to_live(TableName="stays")["TimeToLiveDescription"]
        self.assertEqual(living["AttributeName"], "ExpiresAt")
        self.assertEqual(self.kelvin("deploy").stdout, "keeper: no change\n")

    def test_a_url_is_opened_to_anybody_and_closed_again(self):
        self.deploy("opened", "--url", "none")
        policy = json.loads(self.lambda_client.get_policy(FunctionName="opened", Qualifier="live")["Policy"])
        self.assertEqual(sorted(statement["Action"] for statement in policy["Statement"]),
                         ["lambda:InvokeFunction", "lambda:InvokeFunctionUrl"])
        self.assertIn("no change", self.deploy("opened", "--url", "none").stdout)
        self.deploy("opened", "--url", "iam")
        url = self.lambda_client.get_function_url_config(FunctionName="opened", Qualifier="live")
        self.assertEqual(url["AuthType"], "AWS_IAM")
        with self.assertRaises(self.lambda_client.exceptions.ResourceNotFoundException):
            self.lambda_client.get_policy(FunctionName="opened", Qualifier="live")

    @unittest.skipUnless((harness.PACKAGES / "hello-jit.zip").exists(), "built without the engine")
    def test_a_function_of_mode_jit_gets_the_engine_by_itself(self):
        self.assertIn("published layer", self.deploy("jitted", "--memory", "512", package="hello-jit").stdout)
        self.assertNotIn("published layer", self.deploy("jitted-too", package="hello-jit").stdout)
        self.assertIn("no change", self.deploy("jitted-too", package="hello-jit").stdout)
        versions = self.lambda_client.list_layer_versions(LayerName="kelvin-engine")["LayerVersions"]
        self.assertEqual(len(versions), 1)
        for name in ("jitted", "jitted-too"):
            layers = self.lambda_client.get_function_configuration(FunctionName=name)["Layers"]
            self.assertEqual([layer["Arn"] for layer in layers], [versions[0]["LayerVersionArn"]])
        self.assertNotIn("FunctionError", self.invoke("jitted:live", b'{"name":"Ada"}'))
        # The same function compiled ahead does without.
        self.deploy("jitted", "--memory", "512", package="hello-aot")
        self.assertFalse(self.lambda_client.get_function_configuration(FunctionName="jitted").get("Layers"))

    def test_layers_are_published_once_and_attached_in_order(self):
        for name in ("first", "second"):
            (self.folder / f"{name}.zip").write_bytes(harness.make_zip({f"{name}.txt": (name.encode(), 0o644)}))
        layers = ("--layer", self.folder / "second.zip", "--layer", self.folder / "first.zip")
        self.deploy("layered", *layers)
        self.assertIn("no change", self.deploy("layered", *layers).stdout)
        attached = self.lambda_client.get_function_configuration(FunctionName="layered")["Layers"]
        self.assertEqual([layer["Arn"].split(":layer:")[1] for layer in attached], ["second:1", "first:1"])
        self.assertIn("no change", self.deploy("layered").stdout)  # those that are there stay
        wrong = self.deploy("layered", "--layer", self.folder / "none.zip", code=2)
        self.assertIn("none.zip", wrong.stderr)

    def test_nothing_changes_the_second_time_and_others_variables_stay(self):
        self.deploy("again", "--env", "GREETING=1")
        self.assertIn("no change", self.deploy("again", "--env", "GREETING=1").stdout)
        self.lambda_client.update_function_configuration(
            FunctionName="again", Environment={"Variables": {"GREETING": "1", "THEIRS": "2"}})
        self.lambda_client.get_waiter("function_updated_v2").wait(FunctionName="again", WaiterConfig={"Delay": 1})
        before = self.lambda_client.get_function(FunctionName="again")["Configuration"]["RevisionId"]
        shown = self.deploy("again", "--env", "GREETING=3", "--dry-run").stdout
        self.assertIn("~ environment GREETING: 1 -> 3", shown)
        after = self.lambda_client.get_function(FunctionName="again")["Configuration"]
        self.assertEqual(before, after["RevisionId"])
        self.deploy("again", "--env", "GREETING=3")
        variables = self.lambda_client.get_function(FunctionName="again")["Configuration"]["Environment"]["Variables"]
        self.assertEqual(variables, {"GREETING": "3", "THEIRS": "2"})

    def test_refuses_what_would_not_start(self):
        (self.folder / "bad.zip").write_bytes(harness.make_zip({"publish/bootstrap": (b"#!/bin/sh\n", 0o755)}))
        done = self.kelvin("deploy", self.folder / "bad.zip", code=1)
        self.assertIn("KV1001", done.stderr)

    def test_says_where_nobody_listens(self):
        done = kelvin("deploy", harness.PACKAGES / "hello-aot.zip", "--endpoint-url", "http://127.0.0.1:1", code=3)
        self.assertIn("nothing was changed", done.stderr)
        self.assertIn("kelvin serve", done.stderr)

    def test_rollback_and_destroy(self):
        self.deploy("back")
        self.deploy("back", package="transform-aot")
        self.assertIn("version 1", self.kelvin("rollback", "back").stdout)
        alias = self.lambda_client.get_alias(FunctionName="back", Name="live")
        self.assertEqual(alias["FunctionVersion"], "1")
        self.assertIn("would delete", self.kelvin("destroy", "back").stdout)
        self.kelvin("destroy", "back", "--yes")
        with self.assertRaises(self.lambda_client.exceptions.ResourceNotFoundException):
            self.lambda_client.get_function(FunctionName="back")
        self.kelvin("destroy", "back", "--yes")

    def two_versions(self, name, bad):
        good = harness.make_zip({"bootstrap": (harness.PYTHON_RUNTIME.encode() +
            b"while True:\n  i, e = next_event()\n  respond(i, b'{}')\n", 0o755)})
        failing = harness.make_zip({"bootstrap": (harness.PYTHON_RUNTIME.encode() +
            b"while True:\n  i, e = next_event()\n"
            b"  post('invocation/' + i + '/error', b'{\"errorType\":\"Bad\",\"errorMessage\":\"x\"}')\n", 0o755)})
        (self.folder / "good.zip").write_bytes(good)
        (self.folder / "other.zip").write_bytes(failing if bad else good + b"")
        self.addCleanup(lambda: self._delete(name))
        self.kelvin("deploy", self.folder / "good.zip", "--name", name, "--no-check")
        memory = [] if bad else ["--memory", "256"]
        self.kelvin("deploy", self.folder / "other.zip", "--name", name, "--no-check", "--no-alias-move", *memory)

    def invoke_for_ever(self, name):
        client = harness.boto3_client("lambda", self.endpoint)
        stop = threading.Event()

        def work():
            while not stop.is_set():
                client.invoke(FunctionName=f"{name}:live", Payload=b"{}")["Payload"].read()

        thread = threading.Thread(target=work)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(stop.set)

    def test_a_rollout_goes_back_when_the_new_version_fails(self):
        self.two_versions("rolls-back", bad=True)
        self.invoke_for_ever("rolls-back")
        done = self.kelvin("rollout", "rolls-back", "--steps", "50,100", "--every", "1s", "--min-invocations", "3",
                           "--abort-if", "errors > 1%", code=1)
        self.assertIn("errors > 1%", done.stderr)
        alias = self.lambda_client.get_alias(FunctionName="rolls-back", Name="live")
        self.assertEqual(alias["FunctionVersion"], "1")
        self.assertFalse(alias.get("RoutingConfig", {}).get("AdditionalVersionWeights"))

    def test_a_rollout_goes_through_and_survives_an_interruption(self):
        self.two_versions("rolls", bad=False)
        self.invoke_for_ever("rolls")
        process = subprocess.Popen(
            [harness.KELVIN, "rollout", "rolls", "--steps", "20,60,100", "--every", "1h",
             "--endpoint-url", self.endpoint], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(process.stdout.close)
        harness.wait_until(lambda: self.lambda_client.get_alias(FunctionName="rolls", Name="live")
                           .get("RoutingConfig", {}).get("AdditionalVersionWeights"), "the first step")
        process.send_signal(signal.SIGKILL)
        process.wait()
        done = self.kelvin("rollout", "rolls", "--steps", "20,60,100", "--every", "500ms", "--abort-if", "errors > 1%")
        self.assertIn("going on", done.stdout)
        alias = self.lambda_client.get_alias(FunctionName="rolls", Name="live")
        self.assertEqual(alias["FunctionVersion"], "2")
        self.assertIn("version 1", self.kelvin("rollback", "rolls").stdout)

    def test_a_rollout_of_an_alias_that_is_not_there(self):
        self.deploy("no-alias")
        done = self.kelvin("rollout", "no-alias", "--alias", "none", code=3)
        self.assertIn("expected an alias none", done.stderr)
        self.assertIn("no-such", self.kelvin("rollback", "no-such", code=3).stderr)


if __name__ == "__main__":
    unittest.main()
