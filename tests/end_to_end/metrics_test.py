"""/metrics, as Prometheus reads it; rollouts look at the same counts."""
import json
import re
import unittest
import urllib.request

import harness

SAMPLE = re.compile(r'^([a-z_]+)(\{[^}]*\}) (\S+)$')


class Metrics(harness.ServiceTest):
    def scrape(self):
        with urllib.request.urlopen(self.endpoint + "/metrics", timeout=30) as answer:
            self.assertEqual(answer.headers["Content-Type"],
                             "text/plain; version=0.0.4; charset=utf-8")
            text = answer.read().decode()
        samples = {}
        for line in text.splitlines():
            if line.startswith(("# HELP ", "# TYPE ")):
                continue
            name, labels, value = SAMPLE.match(line).groups()
            samples[name + labels] = float(value)
        return samples

    def test_counts_what_happened(self):
        self.create("counted", harness.runtime_zip("""
while True:
  i, e = next_event()
  if e == b'"fail"':
    post("invocation/" + i + "/error", b'{"errorType":"Oops","errorMessage":"no"}')
  else:
    respond(i, e)
"""))
        for payload in (b'1', b'2', b'"fail"'):
            self.invoke("counted", payload, LogType="Tail")
        self.lambda_client.put_function_concurrency(FunctionName="counted",
                                                    ReservedConcurrentExecutions=0)
        once = harness.boto3_client("lambda", self.endpoint, retries={"max_attempts": 0})
        with self.assertRaises(once.exceptions.TooManyRequestsException):
            once.invoke(FunctionName="counted")
        samples = self.scrape()
        of = '{function="counted",version="$LATEST"}'
        self.assertEqual(samples["kelvin_invocations_total" + of], 3)
        self.assertEqual(samples["kelvin_errors_total" + of], 1)
        self.assertEqual(samples["kelvin_throttles_total" + of], 1)
        self.assertEqual(samples["kelvin_cold_starts_total" + of], 1)
        self.assertEqual(samples["kelvin_environments" + of], 1)
        self.assertEqual(samples["kelvin_concurrent_executions" + of], 0)
        self.assertEqual(samples["kelvin_invoke_duration_seconds_count" + of], 3)
        self.assertEqual(samples["kelvin_init_duration_seconds_count" + of], 1)
        self.assertEqual(
            samples['kelvin_invoke_duration_seconds_bucket{function="counted",version="$LATEST",le="+Inf"}'], 3)

        with urllib.request.urlopen(
                self.endpoint + "/kelvin/metrics/counted?version=%24LATEST&since=0", timeout=30) as answer:
            figures = json.load(answer)
        self.assertEqual((figures["invocations"], figures["errors"]), (3, 1))

    def test_counts_events_that_wait(self):
        # It fails, and waits a minute for its second attempt.
        self.create("failing", harness.runtime_zip("""
while True:
  i, e = next_event()
  post("invocation/" + i + "/error", b'{"errorType":"Oops","errorMessage":"no"}')
"""))
        self.invoke("failing", InvocationType="Event")
        self.assertEqual(self.scrape()['kelvin_async_queue_depth{function="failing"}'], 1)


if __name__ == "__main__":
    unittest.main()
