#include "package/cpu_instructions.h"

#include <cstring>

namespace kelvin::package {
namespace {

// What follows an opcode, one character for each, as Intel's opcode maps have it:
//   . nothing              m ModRM             b immediate byte      B ModRM and a byte
//   z 2 or 4 bytes         Z ModRM and those   w 2 bytes             e 3 bytes (ENTER)
//   v 2, 4 or 8 bytes      o an address        j 4 bytes (jumps)     t ModRM, byte for TEST
//   T ModRM, z for TEST    p a prefix          x no instruction      ! handled apart
constexpr std::string_view kOneByte =
    "mmmmbzxxmmmmbzx!"   // 00
    "mmmmbzxxmmmmbzxx"   // 10
    "mmmmbzpxmmmmbzpx"   // 20
    "mmmmbzpxmmmmbzpx"   // 30
    "pppppppppppppppp"   // 40: REX
    "................"   // 50
    "xx!mppppzZbB...."   // 60
    "bbbbbbbbbbbbbbbb"   // 70
    "BZxBmmmmmmmmmmmm"   // 80
    "..........x....."   // 90
    "oooo....bz......"   // A0
    "bbbbbbbbvvvvvvvv"   // B0
    "BBw.!!BZe.w..bx."   // C0
    "mmmmxxx.mmmmmmmm"   // D0
    "bbbbbbbbjjxb...."   // E0
    "p.pp..tT......mm";  // F0
constexpr std::string_view kTwoBytes =
    "mmmmx.....x.xm.B"   // 00
    "mmmmmmmmmmmmmmmm"   // 10
    "mmmmxxxxmmmmmmmm"   // 20
    "........!x!xxxxx"   // 30
    "mmmmmmmmmmmmmmmm"   // 40
    "mmmmmmmmmmmmmmmm"   // 50
    "mmmmmmmmmmmmmmmm"   // 60
    "BBBBmmm.mmxxmmmm"   // 70
    "jjjjjjjjjjjjjjjj"   // 80
    "mmmmmmmmmmmmmmmm"   // 90
    "...mBmxx...mBmmm"   // A0
    "mmmmmmmmmmBmmmmm"   // B0
    "mmBmBBBm........"   // C0
    "mmmmmmmmmmmmmmmm"   // D0
    "mmmmmmmmmmmmmmmm"   // E0
    "mmmmmmmmmmmmmmmm";  // F0
static_assert(kOneByte.size() == 256 && kTwoBytes.size() == 256);

constexpr std::size_t kLongest = 15;

class Decoder {
 public:
  explicit Decoder(std::string_view code) : code_(code.substr(0, kLongest)) {}

  // 0 when the bytes end early or are no instruction.
  std::size_t Length() {
    const char form = Opcode();
    if (form == 'x' || short_) return 0;
    Operands(form);
    return short_ ? 0 : at_;
  }

 private:
  unsigned int Peek(std::size_t ahead = 0) const {
    return at_ + ahead < code_.size() ? static_cast<unsigned char>(code_[at_ + ahead]) : 0;
  }
  unsigned int Next() {
    if (at_ >= code_.size()) short_ = true;
    const unsigned int byte = Peek();
    ++at_;
    return byte;
  }
  void Skip(std::size_t bytes) {
    at_ += bytes;
    if (at_ > code_.size()) short_ = true;
  }

  // Passes prefixes and opcode; gives what follows.
  char Opcode() {
    for (;;) {
      const unsigned int byte = Next();
      if (short_) return 'x';
      switch (byte) {
        case 0x66:
          word_ = true;
          continue;
        case 0x67:
          short_address_ = true;
          continue;
        case 0x0f:
          return Escaped(Next());
        case 0xc5:
          Skip(1);
          return OfMap(1, Next());
        case 0xc4: {
          const unsigned int map = Next() & 0x1f;
          Skip(1);
          return OfMap(map, Next());
        }
        case 0x62: {
          const unsigned int map = Next() & 0x07;
          Skip(2);
          return OfMap(map, Next());
        }
        default:
          if ((byte & 0xf0) == 0x40) {
            wide_ = (byte & 0x08) != 0;
            continue;
          }
          if (kOneByte[byte] != 'p') return kOneByte[byte];
      }
    }
  }

  char Escaped(unsigned int byte) {
    if (byte == 0x38 || byte == 0x3a) {
      Skip(1);
      return byte == 0x38 ? 'm' : 'B';
    }
    return kTwoBytes[byte];
  }

  // The maps of VEX and EVEX; 5 and 6 are half precision.
  static char OfMap(unsigned int map, unsigned int opcode) {
    switch (map) {
      case 1:
        return kTwoBytes[opcode] == 'j' || kTwoBytes[opcode] == 'x' ? 'm' : kTwoBytes[opcode];
      case 2:
      case 5:
      case 6:
        return 'm';
      case 3:
        return 'B';
      default:
        return 'x';
    }
  }

  std::size_t ImmediateSize() const { return word_ && !wide_ ? 2 : 4; }

  void Operands(char form) {
    switch (form) {
      case 'm':
        return ModRm();
      case 'b':
        return Skip(1);
      case 'B':
        ModRm();
        return Skip(1);
      case 'z':
        return Skip(ImmediateSize());
      case 'Z':
        ModRm();
        return Skip(ImmediateSize());
      case 'w':
        return Skip(2);
      case 'e':
        return Skip(3);
      case 'v':
        return Skip(wide_ ? 8 : ImmediateSize());
      case 'o':
        return Skip(short_address_ ? 4 : 8);
      case 'j':
        return Skip(4);
      case 't':
      case 'T': {
        const bool test = (Peek() & 0x38) <= 0x08;
        ModRm();
        if (test) Skip(form == 't' ? 1 : ImmediateSize());
        return;
      }
      default:
        return;
    }
  }

  void ModRm() {
    const unsigned int byte = Next();
    const unsigned int mod = byte >> 6;
    const unsigned int rm = byte & 7;
    if (mod == 3) return;
    unsigned int base = rm;
    if (rm == 4) base = Next() & 7;
    if (mod == 1) {
      Skip(1);
    } else if (mod == 2 || base == 5) {
      Skip(4);
    }
  }

  std::string_view code_;
  std::size_t at_ = 0;
  bool word_ = false;           // 0x66: 16-bit operands
  bool wide_ = false;           // REX.W: 64-bit operands
  bool short_address_ = false;  // 0x67
  bool short_ = false;          // the bytes ended
};

// The fixed bits of an EVEX prefix, which data seldom has by chance.
bool IsEvex(std::string_view code) {
  if (code.size() < 6 || static_cast<unsigned char>(code[0]) != 0x62) return false;
  const auto p0 = static_cast<unsigned char>(code[1]);
  const auto p1 = static_cast<unsigned char>(code[2]);
  const unsigned int map = p0 & 7;
  return (p0 & 0x08) == 0 && (p1 & 0x04) != 0 && map != 0 && map != 4 && map != 7;
}

}  // namespace

std::size_t X86InstructionLength(std::string_view code) {
  return Decoder(code).Length();
}

CpuScan ScanX86(std::string_view code) {
  CpuScan scan;
  std::size_t at = 0;
  while (at < code.size()) {
    const std::string_view rest = code.substr(at);
    const std::size_t length = X86InstructionLength(rest);
    if (IsEvex(rest) && length != 0) {
      if (scan.beyond++ == 0) scan.first_offset = at;
    } else if (rest.starts_with("\x0f\xa2")) {
      scan.asks_the_cpu = true;
    }
    at += length != 0 ? length : 1;
  }
  return scan;
}

CpuScan ScanArm64(std::string_view code) {
  CpuScan scan;
  for (std::size_t at = 0; at + 4 <= code.size(); at += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, code.data() + at, sizeof word);
    constexpr std::uint32_t kSve = 0b0010;  // bits 25 to 28 of every SVE encoding
    if (((word >> 25) & 0xf) == kSve && word != 0 && scan.beyond++ == 0) scan.first_offset = at;
  }
  return scan;
}

}  // namespace kelvin::package
