"""`kelvin serve` as an ordinary user, who has user namespaces and nothing else."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import harness

NOBODY = 65534


def user_namespaces_allowed():
    if os.geteuid() != 0:
        return subprocess.run(["unshare", "--user", "true"], capture_output=True).returncode == 0
    return subprocess.run(["unshare", "--user", "true"], capture_output=True, user=NOBODY,
                          group=NOBODY, extra_groups=[]).returncode == 0


@unittest.skipUnless(shutil.which("unshare") and user_namespaces_allowed(),
                     "this host does not let an ordinary user make user namespaces")
class Unprivileged(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="kelvin-test-")
        self.addCleanup(self.folder.cleanup)
        state = pathlib.Path(self.folder.name) / "state"
        state.mkdir()
        user = {}
        if os.geteuid() == 0:
            # The command where that user may execute it, whoever owns the build folder.
            command = shutil.copy(harness.KELVIN, pathlib.Path(self.folder.name) / "kelvin")
            for path in (self.folder.name, state):
                os.chown(path, NOBODY, NOBODY)
            user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        else:
            command = harness.KELVIN
        self.service = harness.Service(state=state, program=command, user=user)
        self.service.start()
        self.addCleanup(self.service.stop)
        self.client = harness.boto3_client("lambda", self.service.endpoint)

    def invoke(self, name, code, payload=b"{}"):
        self.client.create_function(FunctionName=name, Role=harness.ROLE, Handler="bootstrap",
                                    Runtime="provided.al2023", Code={"ZipFile": code}, Timeout=30)
        answer = self.client.invoke(FunctionName=name, Payload=payload)
        return answer.get("FunctionError"), answer["Payload"].read()

    def test_a_function_runs_apart_from_the_host_as_the_user_that_lambda_has(self):
        self.assertEqual(self.invoke("hello", harness.package("hello"), b'{"name":"Ada"}')[0], None)
        failed, seen = self.invoke("looks", harness.runtime_zip("""
import json
i, e = next_event()
seen = {"uid": os.getuid(), "gid": os.getgid(), "task": os.getcwd(), "pids": 0}
seen["files"] = [p for p in json.loads(e) if os.path.exists(p)]
seen["pids"] = len([name for name in os.listdir("/proc") if name.isdigit()])
try:
  open("/var/task/x", "w")
  seen["task writable"] = True
except OSError: pass
open("/tmp/x", "w").write("x")
respond(i, json.dumps(seen).encode())
"""), json.dumps(["/root", "/home", "/run/lock", str(self.service.state)]).encode())
        self.assertIsNone(failed, seen)
        self.assertEqual(json.loads(seen),
                         {"uid": 993, "gid": 990, "task": "/var/task", "pids": 1, "files": []})

    def test_what_is_weaker_is_said(self):
        self.assertTrue(harness.lacks(self.service, "memory cgroup") or
                        pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists(),
                        self.service.output())

    def test_nothing_is_left_after_kill_9(self):
        failed, _ = self.invoke("stays", harness.runtime_zip("""
if os.fork() == 0:
  os.setsid()
  while True: time.sleep(100)
while True:
  i, e = next_event()
  respond(i, b"{}")
"""))
        self.assertIsNone(failed)
        self.service.kill()
        harness.wait_until(lambda: not harness.processes_of("AWS_LAMBDA_FUNCTION_NAME=stays"),
                           "daemons end with the service")


if __name__ == "__main__":
    unittest.main()
