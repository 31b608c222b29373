"""The AWS SDK for JavaScript, with its document client, against `kelvin tables` and `kelvin serve`."""
import unittest

import harness
import node_clients


class Tables(unittest.TestCase):
    def test_the_document_client_finds_the_tables_as_it_expects_them(self):
        node_clients.install()
        with harness.Service(command=("tables",)) as service:
            self.assertEqual(node_clients.run("tables.mjs", service.endpoint), "ok\n")

    def test_the_same_in_memory_with_signatures(self):
        node_clients.install()
        with harness.Service(command=("tables", "--require-signature", "--ephemeral")) as service:
            self.assertEqual(node_clients.run("tables.mjs", service.endpoint), "ok\n")


if __name__ == "__main__":
    unittest.main()
