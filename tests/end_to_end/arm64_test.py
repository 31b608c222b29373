"""Packages for 64-bit ARM on the way to production: inspect, pack, template, deploy, and the local
service, which runs them where an emulator is registered."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import harness

PACKAGES = pathlib.Path(os.environ["KELVIN_PACKAGES_ARM64"])
HELLO = PACKAGES / "hello-aot-arm64.zip"


def run(*command, code=0, **settings):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120,
                          **settings)
    if done.returncode != code:
        raise AssertionError(f"{command}: {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
    return done


class Arm64(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kelvin-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        shutil.unpack_archive(HELLO, self.folder / "in")
        self.program = self.folder / "in/bootstrap"
        self.program.chmod(0o755)
        (self.folder / "kelvin.toml").write_text(
            '[[function]]\nname = "hello"\npackages.aot = "none.zip"\n'
            f'packages_arm64.aot = "{HELLO}"\n')

    def kelvin(self, *arguments, code=0, environment=None):
        return run(harness.KELVIN, *arguments, code=code, cwd=self.folder,
                   env={**os.environ, **harness.AWS_ENVIRONMENT, **(environment or {})})

    def test_inspect_tells_the_architecture(self):
        found = json.loads(self.kelvin("inspect", "--json", HELLO).stdout)["packages"][0]
        self.assertEqual(found["architecture"], "arm64")
        self.assertEqual(found["errors"], 0, found["findings"])
        wrong = json.loads(self.kelvin("inspect", "--json", "--arch", "x86_64", HELLO).stdout)
        self.assertIn("KV1005", [one["rule"] for one in wrong["packages"][0]["findings"]])

    def test_pack_makes_images_for_it(self):
        image = self.folder / "hello.tar"
        self.kelvin("pack", "--output", image, "--tag", "hello:1", self.program)
        config = json.loads(run("skopeo", "inspect", "--config", f"oci-archive:{image}").stdout)
        self.assertEqual((config["os"], config["architecture"]), ("linux", "arm64"))
        self.kelvin("pack", "--output", self.folder / "on-top.tar", "--base", image, "--prefix", "more",
                    "--arch", "arm64", self.folder / "kelvin.toml")
        refused = self.kelvin("pack", "--output", self.folder / "x.tar", "--base", image,
                              "--arch", "x86_64", self.folder / "kelvin.toml", code=2).stderr
        self.assertIn("arm64", refused)

    def test_buildah_and_podman_take_the_image(self):
        image = self.folder / "hello.tar"
        self.kelvin("pack", "--output", image, "--tag", "kelvin/hello:arm64", self.program)
        def tool(name):
            return [name, "--root", self.folder / name, "--runroot", self.folder / f"{name}-run",
                    "--storage-driver", "vfs"]

        run(*tool("podman"), "load", "-i", image)
        shown = run(*tool("podman"), "image", "inspect", "kelvin/hello:arm64").stdout
        self.assertEqual(json.loads(shown)[0]["Architecture"], "arm64")
        pulled = run(*tool("buildah"), "pull", f"oci-archive:{image}").stdout.split()[-1]
        shown = run(*tool("buildah"), "inspect", "--type", "image", pulled).stdout
        self.assertEqual(json.loads(shown)["OCIv1"]["architecture"], "arm64")

    def test_pack_refuses_a_program_for_another_machine(self):
        out = self.folder / "x.zip"
        said = self.kelvin("pack", "--output", out, "--arch", "x86_64", self.program, code=2).stderr
        self.assertIn("expected bootstrap to be a program for x86_64 (--arch), got one for arm64", said)
        self.assertFalse(out.exists())
        self.kelvin("pack", "--output", out, "--arch", "arm64", self.program)
        self.assertEqual(out.read_bytes(), HELLO.read_bytes())

    def test_template_says_arm64(self):
        for words in (("--arch", "arm64", "hello"), (str(HELLO), "--name", "hello")):
            made = self.kelvin("template", "--format", "sam", *words).stdout
            self.assertRegex(made, r"Architectures:\s+- arm64")

    def test_the_service_runs_it_where_it_can(self):
        with harness.Service() as service:
            to = {"AWS_ENDPOINT_URL": service.endpoint}
            client = harness.boto3_client("lambda", service.endpoint)
            create = {"FunctionName": "plain", "Runtime": "provided.al2023", "Role": harness.ROLE,
                      "Handler": "bootstrap", "Architectures": ["arm64"],
                      "Code": {"ZipFile": HELLO.read_bytes()}}
            try:
                client.create_function(**create)
            except client.exceptions.InvalidParameterValueException as error:
                self.assertIn("runs on x86_64 and cannot run arm64", str(error))
                self.assertIn("qemu-user-static", str(error))
                refused = self.kelvin("deploy", "--arch", "arm64", "hello", code=2, environment=to)
                self.assertIn("cannot run arm64", refused.stderr)
                self.kelvin("compare", HELLO, "--cold", "1", "--warm", "1", code=2)
                return
            client.get_waiter("function_active_v2").wait(FunctionName="plain", WaiterConfig={"Delay": 1})
            answer = client.invoke(FunctionName="plain", Payload=b'{"name":"Ada"}')
            self.assertIn(b"Ada", answer["Payload"].read())
            self.kelvin("deploy", "--arch", "arm64", "hello", environment=to)
            got = client.get_function_configuration(FunctionName="hello")
            self.assertEqual(got["Architectures"], ["arm64"])


if __name__ == "__main__":
    unittest.main()
