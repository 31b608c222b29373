"""`kelvin template` as a user runs it: what it writes is read back by parsers that others wrote."""
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import harness

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}


def kelvin(*arguments, code=0, cwd=None):
    done = subprocess.run([harness.KELVIN, *map(str, arguments)], capture_output=True, text=True,
                          timeout=120, cwd=cwd, env=ENVIRONMENT)
    if done.returncode != code:
        raise AssertionError(f"{arguments}: {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
    return done


class Templates(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kelvin-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        config = (harness.SOURCE / "kelvin.toml").read_text()
        config = config.replace('"build/release/packages/', f'"{harness.PACKAGES}/')
        (self.folder / "kelvin.toml").write_text(config.replace('"functions/', f'"{harness.SOURCE}/functions/'))

    def template(self, *arguments):
        return kelvin("template", *arguments, cwd=self.folder).stdout

    def yaml(self, *arguments):
        try:
            import yaml
        except ImportError:
            self.skipTest("python3-yaml is not installed")
        return yaml.safe_load(self.template(*arguments))

    def test_cloudformation_has_roles_with_the_actions_of_the_program_alone(self):
        made = self.yaml("--format", "cloudformation")["Resources"]
        self.assertEqual(made["CreateItemFunction"]["Properties"]["Runtime"], "provided.al2023")
        statements = made["CreateItemRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        self.assertEqual(statements[1]["Action"], ["dynamodb:PutItem"])
        self.assertEqual(statements[1]["Resource"], [{"Fn::GetAtt": ["ItemsTable", "Arn"]}])
        self.assertEqual(len(made["HelloRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]), 1)
        self.assertTrue(made["ItemsTable"]["Properties"]["TimeToLiveSpecification"]["Enabled"])
        self.assertEqual(made["CreateItemLogs"]["Properties"]["RetentionInDays"], 14)
        self.assertEqual(made["CreateItemAlias"]["Properties"]["Name"], "live")

    def test_sam(self):
        made = self.yaml("--format", "sam", "hello", "--memory", "256")
        self.assertIn("Serverless", made["Transform"])
        function = made["Resources"]["HelloFunction"]["Properties"]
        self.assertEqual((function["MemorySize"], function["AutoPublishAlias"]), (256, "live"))

    def test_terraform_is_json(self):
        made = json.loads(self.template("--format", "terraform"))["resource"]
        self.assertEqual(made["aws_lambda_function"]["create_item"]["timeout"], 10)
        policy = json.loads(made["aws_iam_role_policy"]["create_item"]["policy"])
        self.assertEqual(policy["Statement"][1]["Action"], ["dynamodb:PutItem"])

    def test_strategies(self):
        image = self.yaml("--format", "cloudformation", "--strategy", "image", "hello")
        self.assertEqual(image["Resources"]["HelloFunction"]["Properties"]["PackageType"], "Image")
        done = kelvin("template", "--format", "sam", "--strategy", "managed", "hello", cwd=self.folder, code=2)
        self.assertIn("--handler", done.stderr)

    def test_says_what_it_expects(self):
        self.assertIn("helo", kelvin("template", "--format", "sam", "helo", cwd=self.folder, code=2).stderr)


if __name__ == "__main__":
    unittest.main()
