#!/usr/bin/python3
"""An aot bootstrap runs on any Linux of its architecture: it needs no other file.

Usage: bootstrap_elf_test.py ZIP...
"""
import io
import sys
import unittest
import zipfile

import elf


class Bootstrap(unittest.TestCase):
    packages = []

    def each(self):
        for package in self.packages:
            with self.subTest(package=package):
                with zipfile.ZipFile(package) as archive:
                    yield archive, elf.Elf(archive.read("bootstrap"))

    def test_is_position_independent(self):
        for _, program in self.each():
            self.assertEqual(program.kind, elf.ET_DYN)
            self.assertTrue(program.dynamic_values(elf.DT_FLAGS_1)[0] & elf.DF_1_PIE)

    def test_needs_no_interpreter_and_no_library(self):
        for _, program in self.each():
            self.assertFalse(program.has_segment(elf.PT_INTERP))
            self.assertEqual(program.dynamic_values(elf.DT_NEEDED), [])

    def test_is_stripped_and_says_nothing_of_its_build(self):
        for _, program in self.each():
            self.assertNotIn(elf.SHT_SYMTAB, program.section_types)
            self.assertNotIn(elf.NT_GNU_BUILD_ID, program.section_names)
            self.assertFalse([name for name in program.section_names if name.startswith(b".debug")])

    def test_is_the_only_file_and_executable(self):
        for archive, _ in self.each():
            self.assertEqual(archive.namelist(), ["bootstrap"])
            self.assertEqual(archive.infolist()[0].external_attr >> 16 & 0o111, 0o111)


class Reader(unittest.TestCase):
    def test_finds_the_needs_of_a_dynamic_program(self):
        with open(sys.executable, "rb") as file:
            program = elf.Elf(file.read())
        self.assertTrue(program.has_segment(elf.PT_INTERP))
        self.assertTrue(program.dynamic_values(elf.DT_NEEDED))

    def test_refuses_what_is_no_elf(self):
        with self.assertRaises(ValueError):
            elf.Elf(io.BytesIO(b"#!/bin/sh\n" * 9).read())


if __name__ == "__main__":
    Bootstrap.packages = sys.argv[1:]
    if not Bootstrap.packages:
        sys.exit(__doc__)
    unittest.main(argv=sys.argv[:1])
