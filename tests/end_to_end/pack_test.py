"""`kelvin pack` against the tools that read what it writes: zip, skopeo, buildah, podman."""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

import harness

PROGRAM = r'''
#include <stdio.h>
int main(void) { puts("hello from the image"); return 0; }
'''


def run(*command, check=True, **settings):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, **settings)
    if check and done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def kelvin(*arguments, code=0):
    done = run(harness.KELVIN, *arguments, check=False)
    if done.returncode != code:
        raise AssertionError(f"{arguments}: {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
    return done


def this_architecture():
    return "x86_64" if os.uname().machine == "x86_64" else "arm64"


class Pack(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kelvin-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / "in/lib").mkdir(parents=True)
        (self.folder / "program.c").write_text(PROGRAM)
        run("gcc", "-static", "-O2", "-s", "-o", self.folder / "in/bootstrap", self.folder / "program.c")
        (self.folder / "in/lib/data.txt").write_text("data\n" * 1000)
        os.symlink("lib/data.txt", self.folder / "in/link")

    def pack(self, name, *arguments):
        kelvin("pack", "--output", self.folder / name, *arguments)
        return self.folder / name

    def test_zips_depend_on_the_files_alone(self):
        first = self.pack("a.zip", self.folder / "in").read_bytes()
        copy = self.folder / "copy"
        shutil.copytree(self.folder / "in", copy, symlinks=True)
        for path in [copy / "bootstrap", copy / "lib/data.txt"]:
            os.utime(path, (1, 1))
        self.assertEqual(first, self.pack("b.zip", copy).read_bytes())
        with zipfile.ZipFile(self.folder / "a.zip") as archive:
            self.assertIsNone(archive.testzip())
            self.assertEqual(archive.namelist(), ["bootstrap", "lib/data.txt", "link"])
        run("unzip", "-q", self.folder / "a.zip", "-d", self.folder / "out")
        self.assertEqual(os.readlink(self.folder / "out/link"), "lib/data.txt")
        self.assertTrue(os.access(self.folder / "out/bootstrap", os.X_OK))

    def test_a_layer_of_files_below_a_prefix(self):
        layer = self.pack("layer.zip", "--prefix", "share", self.folder / "in/lib/data.txt")
        with zipfile.ZipFile(layer) as archive:
            self.assertEqual(archive.namelist(), ["share/data.txt"])

    def test_no_larger_than_zip(self):
        ours = self.pack("a.zip", self.folder / "in/bootstrap").stat().st_size
        run("zip", "-q", "-X", "-6", self.folder / "theirs.zip", "bootstrap", cwd=self.folder / "in")
        self.assertLessEqual(ours, (self.folder / "theirs.zip").stat().st_size)

    def image(self, *arguments):
        return self.pack("image.tar", "--tag", "kelvin/hello:1", self.folder / "in", *arguments)

    def test_skopeo_reads_images(self):
        image = self.image()
        config = json.loads(run("skopeo", "inspect", "--config", f"oci-archive:{image}").stdout)
        self.assertEqual(config["config"]["Entrypoint"], ["/var/task/bootstrap"])
        self.assertEqual(config["architecture"], "amd64" if os.uname().machine == "x86_64" else "arm64")
        run("skopeo", "--insecure-policy", "copy", f"oci-archive:{image}", f"dir:{self.folder}/dir")
        run("skopeo", "--insecure-policy", "copy", f"docker-archive:{image}", f"dir:{self.folder}/docker")
        manifest = json.loads((self.folder / "dir/manifest.json").read_text())
        layer = manifest["layers"][-1]["digest"].split(":")[1]
        blob = (self.folder / "dir" / layer).read_bytes()
        self.assertEqual(hashlib.sha256(blob).hexdigest(), layer)
        names = run("tar", "tzf", self.folder / "dir" / layer).stdout.split()
        self.assertIn("var/task/bootstrap", names)

    def test_kelvin_reads_what_skopeo_writes(self):
        image = self.image()
        for kind in ("oci-archive", "docker-archive"):
            again = self.folder / f"{kind}.tar"
            run("skopeo", "--insecure-policy", "copy", f"oci-archive:{image}", f"{kind}:{again}:x:1")
            found = json.loads(kelvin("inspect", "--json", again).stdout)["packages"][0]
            self.assertEqual(found["container"], "container image")
            self.assertEqual(found["program"], "var/task/bootstrap")
            self.assertEqual(found["errors"], 0, found["findings"])
            kelvin("pack", "--output", self.folder / "on-top.tar", "--base", again, self.folder / "in")

    def storage(self, tool):
        return [tool, "--root", self.folder / "root", "--runroot", self.folder / "runroot",
                "--storage-driver", "vfs"]

    def skip_unless_mountable(self, ran):
        denied = ("operation not permitted", "permission denied")
        if ran.returncode != 0 and any(word in ran.stderr.lower() for word in denied):
            self.skipTest(f"this host lets nobody mount within a container: {ran.stderr.strip()}")

    def test_buildah_runs_images(self):
        buildah = self.storage("buildah")
        name = run(*buildah, "from", f"oci-archive:{self.image()}").stdout.split()[-1]
        self.addCleanup(run, *buildah, "rm", name, check=False)
        shown = json.loads(run(*buildah, "inspect", name).stdout)
        self.assertEqual(shown["OCIv1"]["config"]["Entrypoint"], ["/var/task/bootstrap"])
        mounted = pathlib.Path(run(*buildah, "mount", name).stdout.strip())
        self.assertEqual((mounted / "var/task/bootstrap").read_bytes(),
                         (self.folder / "in/bootstrap").read_bytes())
        self.assertEqual(os.readlink(mounted / "var/task/link"), "lib/data.txt")
        run(*buildah, "umount", name)
        ran = run(*buildah, "run", "--isolation", "chroot", name, "--", "/var/task/bootstrap",
                  check=False)
        self.skip_unless_mountable(ran)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn("hello from the image", ran.stdout)

    def answer_in(self, archive):
        """What hello answers, run by buildah in the image."""
        sys.path.append(str(harness.SOURCE / "tests/install"))
        import runtime_api

        buildah = self.storage("buildah")
        name = run(*buildah, "from", f"oci-archive:{archive}").stdout.split()[-1]
        self.addCleanup(run, *buildah, "rm", name, check=False)
        # Without a Lambda it only says how to get one.
        self.skip_unless_mountable(run(*buildah, "run", "--isolation", "chroot", name, "--",
                                       "/var/task/bootstrap", check=False))
        command = [*buildah, "run", "--isolation", "chroot", "--network", "host",
                   "--env", "AWS_LAMBDA_RUNTIME_API={api}", name, "--"]
        path, body = runtime_api.invoke("/var/task/bootstrap", b'{"name":"Ada"}', command=command,
                                        environment=os.environ)
        self.assertTrue(path.endswith("/response"), (path, body))
        return json.loads(body)

    def test_a_function_answers_in_its_image(self):
        run("unzip", "-q", harness.PACKAGES / "hello-aot.zip", "-d", self.folder / "function")
        program = self.folder / "function/bootstrap"
        image = self.pack("hello.tar", program)
        self.assertIn("Ada", json.dumps(self.answer_in(image)))
        base = self.pack("base.tar", self.folder / "in/lib/data.txt", "--prefix", "etc",
                         "--arch", this_architecture())
        self.assertIn("Ada", json.dumps(self.answer_in(self.pack("on-top.tar", "--base", base, program))))

    def test_podman_loads_images(self):
        podman = self.storage("podman")
        loaded = run(*podman, "load", "-i", self.image()).stdout
        self.assertIn("kelvin/hello:1", loaded)
        listed = json.loads(run(*podman, "image", "inspect", "kelvin/hello:1").stdout)[0]
        self.assertEqual(listed["Config"]["Entrypoint"], ["/var/task/bootstrap"])

    def test_an_image_on_a_base_keeps_what_is_below(self):
        base = self.pack("base.tar", self.folder / "in/lib/data.txt", "--prefix", "etc",
                         "--arch", this_architecture())
        image = self.image("--base", base)
        found = json.loads(kelvin("inspect", "--json", "--all", image).stdout)["packages"][0]
        names = {file["name"] for file in found["files"]}
        self.assertLessEqual({"var/task/bootstrap", "var/task/etc/data.txt"}, names)
        layers = json.loads(run("skopeo", "inspect", f"oci-archive:{image}").stdout)["Layers"]
        self.assertEqual(len(layers), 2)

    def test_says_what_it_expects(self):
        self.assertIn("nothing", kelvin("pack", "--output", "x.zip", code=2).stderr)
        self.assertIn("none-here", kelvin("pack", "--output", self.folder / "x.zip", "none-here",
                                          code=3).stderr)
        self.assertIn("lower case", kelvin("pack", "--output", self.folder / "x.tar", "--tag", "A:1",
                                           self.folder / "in", code=2).stderr)

    def test_an_image_of_an_aot_function_is_small(self):
        run("unzip", "-q", harness.PACKAGES / "create-item-aot.zip", "-d", self.folder / "function")
        image = self.pack("aot.tar", self.folder / "function/bootstrap")
        self.assertLess(image.stat().st_size, 3 << 20)


class Assess(unittest.TestCase):
    def test_orders_the_packages_of_a_folder(self):
        with tempfile.TemporaryDirectory(prefix="kelvin-test-") as name:
            folder = pathlib.Path(name)
            shutil.copy(harness.PACKAGES / "hello-aot.zip", folder)
            (folder / "api.zip").write_bytes(harness.make_zip({"index.mjs": (b"x", 0o644)}))
            (folder / "notes.txt").write_text("no package")
            done = kelvin("assess", folder)
            self.assertIn("Order of migration", done.stdout)
            self.assertIn("notes.txt", done.stderr)
            order = json.loads(kelvin("assess", "--json", folder).stdout)["migration"]
            self.assertEqual([(one["source"], one["readiness"]) for one in order],
                             [("api.zip", "rewrite"), ("hello-aot.zip", "done")])
            self.assertIn("| api.zip |", kelvin("assess", "--markdown", folder).stdout)
            (folder / "empty").mkdir()
            kelvin("assess", folder / "nothing", code=3)


if __name__ == "__main__":
    unittest.main()
