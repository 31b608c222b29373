#!/usr/bin/python3
import pathlib
import tempfile
import unittest

import dependency_directions


class DependencyDirections(unittest.TestCase):
    def breaches_of(self, files):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name in ("src", "include", "functions"):
                (root / name).mkdir()
            for name, text in files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return list(dependency_directions.breaches(root))

    def test_lets_an_include_in_the_right_direction_pass(self):
        self.assertEqual(self.breaches_of({"src/http/a.cc": '#include "base/error.h"\n'}), [])

    def test_finds_an_include_against_the_direction(self):
        found = self.breaches_of({"src/base/a.h": '#include "http/client.h"\n'})
        self.assertEqual(len(found), 1)
        self.assertIn("src/base/a.h", found[0])

    def test_finds_runtime_including_service(self):
        self.assertEqual(
            len(self.breaches_of({"src/runtime/a.cc": '  #  include "service/service.h"\n'})), 1)

    def test_finds_a_public_header_that_needs_a_private_one(self):
        self.assertEqual(
            len(self.breaches_of({"include/kelvin/run.h": '#include "base/error.h"\n'})), 1)

    def test_finds_a_folder_it_does_not_know(self):
        self.assertEqual(len(self.breaches_of({"src/other/a.cc": ""})), 1)

    def test_finds_an_include_in_angle_brackets(self):
        self.assertEqual(len(self.breaches_of({"src/lab/a.cc": "#include <service/x.h>\n"})), 1)


if __name__ == "__main__":
    unittest.main()
