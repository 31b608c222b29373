#!/usr/bin/python3
"""Writes amazon_roots.inc from the PEM files of Debian's ca-certificates package.

Usage: embed_roots.py > amazon_roots.inc
"""
import base64
import hashlib
import pathlib

FOLDER = pathlib.Path("/usr/share/ca-certificates/mozilla")
ROOTS = [
    ("Amazon Root CA 1", "Amazon_Root_CA_1"),
    ("Amazon Root CA 2", "Amazon_Root_CA_2"),
    ("Amazon Root CA 3", "Amazon_Root_CA_3"),
    ("Amazon Root CA 4", "Amazon_Root_CA_4"),
    ("Starfield Services Root Certificate Authority - G2",
     "Starfield_Services_Root_Certificate_Authority_-_G2"),
]


def der_of(pem):
    lines = pem.strip().splitlines()
    return base64.b64decode("".join(lines[1:-1]))


def main():
    print("// Written by embed_roots.py: the certificates that AWS's endpoints chain up to, as DER.")
    for index, (name, file) in enumerate(ROOTS):
        der = der_of((FOLDER / f"{file}.crt").read_text())
        print(f"\n// {name}, SHA-256 {hashlib.sha256(der).hexdigest()}")
        print(f"constexpr unsigned char kRoot{index}[] = {{")
        for start in range(0, len(der), 16):
            print("    " + " ".join(f"0x{byte:02x}," for byte in der[start:start + 16]))
        print("};")
    print(f"\nconstexpr AmazonRoot kRoots[] = {{")
    for index, (name, _) in enumerate(ROOTS):
        print(f'    {{"{name}", kRoot{index}}},')
    print("};")


if __name__ == "__main__":
    main()
