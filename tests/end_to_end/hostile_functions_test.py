"""Functions that attack the machine, and clients that attack the service: it stays up, bounded, and
answers others."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import unittest

import harness


def status_kilobytes(pid, key):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{key}:\s+(\d+) kB", text, re.MULTILINE).group(1))


def folder_bytes(folder):
    return sum(p.stat().st_size for p in pathlib.Path(folder).rglob("*") if p.is_file())


def process_running(word):
    """The pid of a live process with this word in its environment and `bootstrap` in its command."""
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes()
            if b"bootstrap" in command and word.encode() in (entry / "environ").read_bytes():
                return int(entry.name)
    return None


class HostileFunctions(harness.ServiceTest):
    def tearDown(self):
        # Whatever the function did, the next one works.
        self.create("after", harness.package("hello"))
        answer = self.invoke("after", b'{"name":"x"}')
        self.assertNotIn("FunctionError", answer)

    def test_kill_9_of_a_sandbox_in_the_middle_of_an_invoke(self):
        self.create("killed", harness.runtime_zip("""
i, e = next_event()
print("begun", flush=True)
time.sleep(1000)
"""), Timeout=60)
        harness.in_background(self, lambda: self.kill_when_begun("killed"))
        answer = self.invoke("killed", LogType="Tail")
        self.assertEqual(answer["FunctionError"], "Unhandled")
        error = json.loads(answer["Payload"])
        self.assertEqual(error["errorType"], "Runtime.ExitError")
        self.assertRegex(error["errorMessage"], "signal: killed")

    def kill_when_begun(self, name):
        def begun():
            logs = self.service.state / "logs"
            return any(b"begun" in p.read_bytes() for p in logs.rglob("*") if p.is_file())

        harness.wait_until(begun, "the function's line is in its log")
        os.kill(process_running(f"AWS_LAMBDA_FUNCTION_NAME={name}"), signal.SIGKILL)

    def test_kill_9_of_a_sandbox_between_invokes(self):
        self.create("between", harness.package("hello"))
        self.assertNotIn("FunctionError", self.invoke("between", b'{"name":"x"}'))
        os.kill(process_running("AWS_LAMBDA_FUNCTION_NAME=between"), signal.SIGKILL)
        harness.wait_until(lambda: not process_running("AWS_LAMBDA_FUNCTION_NAME=between"), "it dies")
        # An invoke that was faster than the news of it is told; the next finds a new process.
        answer = self.invoke("between", b'{"name":"x"}')
        if "FunctionError" in answer:
            self.assertEqual(json.loads(answer["Payload"])["errorType"], "Runtime.ExitError")
        self.assertNotIn("FunctionError", self.invoke("between", b'{"name":"x"}'))

    def test_a_fork_bomb(self):
        if harness.lacks(self.service, "pids cgroup"):
            self.skipTest("this host offers no limit on processes")
        self.create("bomb", harness.runtime_zip("""
i, e = next_event()
children = 0
try:
  while True:
    if os.fork() == 0:
      while True: time.sleep(100)
    children += 1
except OSError:
  pass
respond(i, str(children).encode())
next_event()
"""), Timeout=60, MemorySize=1769)
        answer = self.invoke("bomb")
        self.assertNotIn("FunctionError", answer)
        self.assertLess(int(answer["Payload"]), 1024)
        self.assertGreater(int(answer["Payload"]), 100)
        self.lambda_client.delete_function(FunctionName="bomb")
        harness.wait_until(lambda: not harness.processes_of("AWS_LAMBDA_FUNCTION_NAME=bomb"),
                           "all children end with the function")

    def test_one_that_ignores_sigterm(self):
        self.create("stubborn", harness.runtime_zip("""
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
  i, e = next_event()
  respond(i, b"{}")
"""))
        self.assertNotIn("FunctionError", self.invoke("stubborn"))
        self.lambda_client.delete_function(FunctionName="stubborn")
        harness.wait_until(lambda: not harness.processes_of("AWS_LAMBDA_FUNCTION_NAME=stubborn"),
                           "it is killed")

    def test_a_full_tmp_is_an_error_of_the_file_and_not_of_the_memory(self):
        self.create("filler", harness.runtime_zip("""
import errno
while True:
  i, e = next_event()
  written = 0
  try:
    with open("/tmp/fill", "wb") as file:
      while True:
        written += file.write(b"x" * (1 << 20))
        file.flush()
  except OSError as error:
    respond(i, (errno.errorcode[error.errno] + " " + str(written >> 20)).encode())
"""), Timeout=60, MemorySize=128)
        answer = self.invoke("filler", LogType="Tail")
        if harness.lacks(self.service, "no namespaces"):
            self.skipTest("without a /tmp of its own the function fills the host's")
        self.assertNotIn("FunctionError", answer, answer)
        code, megabytes = answer["Payload"].split()
        self.assertEqual(code, b"ENOSPC")
        self.assertGreaterEqual(int(megabytes), 510)
        used = int(re.search(r"Max Memory Used: (\d+) MB", answer["Log"]).group(1))
        self.assertLess(used, 128, "what is in /tmp is no memory of the function's")

    @unittest.skipIf(os.environ.get("KELVIN_SANITIZE"), "sanitizers take memory of their own")
    def test_a_gigabyte_of_logs_takes_little_memory_and_disk(self):
        self.create("chatty", harness.runtime_zip("""
while True:
  i, e = next_event()
  block = (b"x" * 1023 + b"\\n") * 64
  for _ in range(16384):
    os.write(1, block)
  respond(i, b'"done"')
"""), Timeout=300, MemorySize=1769)
        pid = self.service.process.pid
        before = status_kilobytes(pid, "VmRSS")
        kept = folder_bytes(self.service.state / "logs")
        answer = self.invoke("chatty", LogType="Tail")
        self.assertEqual(answer["Payload"], b'"done"', answer)
        self.assertLess(status_kilobytes(pid, "VmHWM") - before, 64 * 1024)
        self.assertLess(folder_bytes(self.service.state / "logs") - kept, 64 << 20)

    def test_one_that_opens_every_descriptor(self):
        self.create("opener", harness.runtime_zip("""
while True:
  i, e = next_event()
  opened = []
  try:
    while True: opened.append(os.open("/dev/null", os.O_RDONLY))
  except OSError: pass
  respond(i, str(len(opened)).encode())
  for fd in opened: os.close(fd)
"""))
        answer = self.invoke("opener")
        self.assertNotIn("FunctionError", answer)
        self.assertLess(int(answer["Payload"]), 1024)
        self.assertGreater(int(answer["Payload"]), 900)

    def test_one_that_connects_to_the_hosts_services(self):
        """The network is the host's, as documented; sockets that are no network are not."""
        with socket.socket(socket.AF_UNIX) as listener:
            name = f"\0kelvin-test-{os.getpid()}"
            listener.bind(name)
            listener.listen()
            self.create("caller", harness.runtime_zip(f"""
import socket
while True:
  i, e = next_event()
  try:
    socket.socket(socket.AF_UNIX).connect({name!r})
    respond(i, b'"connected"')
  except OSError as error:
    respond(i, ('"' + error.strerror + '"').encode())
"""))
            answer = self.invoke("caller")
        if harness.lacks(self.service, "abstract Unix sockets"):
            self.skipTest("this kernel cannot scope sockets; the service says so at its start")
        self.assertEqual(answer["Payload"], b'"Operation not permitted"')

    def test_one_that_looks_for_secrets(self):
        """Neither the host's files nor its processes nor another sandbox are in sight."""
        if harness.lacks(self.service, "no namespaces"):
            self.skipTest("this host allows no namespaces")
        self.create("other", harness.runtime_zip("""
while True:
  i, e = next_event()
  open("/tmp/secret", "w").write("mine")
  respond(i, b"{}")
"""))
        self.invoke("other")
        own = harness.runtime_zip("""
import json
while True:
  i, e = next_event()
  seen = [p for p in json.loads(e) if os.path.exists(p)]
  try:
    open("/etc/shadow").read()
    seen.append("/etc/shadow, read")
  except OSError: pass
  seen += ["/tmp/" + name for name in os.listdir("/tmp")]
  seen += [name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
  respond(i, json.dumps(seen).encode())
""")
        self.create("curious", own)
        paths = ["/root", "/home", "/run", "/var/log", "/var/lib", "/sys", str(self.service.state),
                 str(pathlib.Path(__file__).resolve())]
        self.assertEqual(json.loads(self.invoke("curious", json.dumps(paths).encode())["Payload"]), [])


class HostileClients(harness.ServiceTest):
    def address(self):
        host, port = self.endpoint.removeprefix("http://").split(":")
        return host, int(port)

    def assert_answers(self):
        connection = http.client.HTTPConnection(*self.address(), timeout=30)
        connection.request("GET", "/2015-03-31/functions")
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()

    def test_many_half_open_clients_keep_nobody_from_service(self):
        clients = []
        for _ in range(300):
            client = socket.create_connection(self.address())
            client.sendall(b"POST /2015-03-31/functions HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            clients.append(client)
        self.assert_answers()
        for client in clients:
            client.close()
        self.assert_answers()

    def test_a_client_that_never_ends_its_head_is_told_and_hung_up_on(self):
        client = socket.create_connection(self.address())
        client.settimeout(120)
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        answer = b""
        with contextlib.suppress(ConnectionError):
            while piece := client.recv(4096):
                answer += piece
        self.assertIn(b"HTTP/1.1 408 ", answer)
        client.close()
        self.assert_answers()

    def test_a_head_without_end_is_refused(self):
        client = socket.create_connection(self.address())
        client.settimeout(60)
        with contextlib.suppress(ConnectionError):
            client.sendall(b"GET / HTTP/1.1\r\n" + b"X-Filler: " + b"x" * (1 << 20))
        self.assertIn(b"HTTP/1.1 431 ", client.recv(4096))
        client.close()
        self.assert_answers()

    def test_malformed_requests_are_refused_one_by_one(self):
        for text in (b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                     b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                     b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
                     b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
                     b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello",
                     b"GET / HTTP/1.1\r\nNo colon here\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00"):
            with self.subTest(text):
                client = socket.create_connection(self.address())
                client.settimeout(60)
                client.sendall(text)
                client.shutdown(socket.SHUT_WR)
                answer = b""
                with contextlib.suppress(ConnectionError):
                    while piece := client.recv(4096):
                        answer += piece
                self.assertNotIn(b"HTTP/1.1 2", answer)
                client.close()
        self.assert_answers()

    def test_a_client_that_does_not_read_its_answer_keeps_nobody_from_service(self):
        self.create("large", harness.runtime_zip("""
while True:
  i, e = next_event()
  respond(i, b'"' + b"x" * (5 << 20) + b'"')
"""))
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(self.address())
        client.sendall(b"POST /2015-03-31/functions/large/invocations HTTP/1.1\r\n"
                       b"Host: localhost\r\nContent-Length: 2\r\n\r\n{}")
        client.recv(1)
        self.assertEqual(len(self.invoke("large")["Payload"]), (5 << 20) + 2)
        client.close()


if __name__ == "__main__":
    unittest.main()
