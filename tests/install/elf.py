"""As much of an ELF reader as it takes to say what a program needs to run."""
import struct

ET_DYN = 3
PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
DT_NEEDED, DT_FLAGS_1 = 1, 0x6FFFFFFB
DF_1_PIE = 0x08000000
SHT_SYMTAB = 2
NT_GNU_BUILD_ID = b".note.gnu.build-id"


class Elf:
    """A 64-bit little-endian ELF file."""

    def __init__(self, content):
        if content[:6] != b"\x7fELF\x02\x01":
            raise ValueError("expected a 64-bit little-endian ELF file")
        header = struct.unpack_from("<HHIQQQIHHHHHH", content, 16)
        self.kind, self.machine = header[0], header[1]
        program_at, section_at = header[4], header[5]
        program_size, program_count = header[8], header[9]
        section_size, section_count, names_index = header[10], header[11], header[12]
        self.segments = []  # (type, offset, size in the file)
        for i in range(program_count):
            kind, _, offset, _, _, size = struct.unpack_from(
                "<IIQQQQ", content, program_at + i * program_size)
            self.segments.append((kind, offset, size))
        sections = [struct.unpack_from("<IIQQQQ", content, section_at + i * section_size)
                    for i in range(section_count)]
        self.section_types = {section[1] for section in sections}
        names_at = sections[names_index][4]
        self.section_names = {self._text(content, names_at + section[0]) for section in sections}
        self.dynamic = self._dynamic(content)

    @staticmethod
    def _text(content, start):
        return content[start:content.index(b"\0", start)]

    def _dynamic(self, content):
        entries = []
        for kind, offset, size in self.segments:
            if kind == PT_DYNAMIC:
                entries = [struct.unpack_from("<qQ", content, at)
                           for at in range(offset, offset + size, 16)]
        return entries

    def has_segment(self, kind):
        return any(segment[0] == kind for segment in self.segments)

    def dynamic_values(self, tag):
        return [value for key, value in self.dynamic if key == tag]
