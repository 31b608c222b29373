#include "package/bootstrap.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "package/elf_machine.h"

namespace kelvin::package {
namespace {

#if defined(__x86_64__)
constexpr Elf64_Half kThisMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kThisMachine = EM_AARCH64;
#else
#error "Lambda runs on x86_64 and arm64 only"
#endif

std::unexpected<Error> Refused(std::string message) {
  return std::unexpected(Error{ErrorCode::kInvalidArgument, std::move(message)});
}

std::expected<void, Error> CheckScript(std::string_view head) {
  const std::string_view line = head.substr(0, head.find('\n'));
  if (line.ends_with('\r')) {
    return Refused(
        "expected bootstrap's first line to end with a line feed, got a carriage return as Windows "
        "writes it; save the script with Unix line ends");
  }
  return {};
}

std::expected<void, Error> CheckElf(std::string_view head) {
  Elf64_Ehdr header;
  if (head.size() < sizeof header) {
    return Refused("expected bootstrap to be a whole ELF program, it ends within its header");
  }
  std::memcpy(&header, head.data(), sizeof header);
  if (header.e_machine != kThisMachine || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB) {
    return Refused(
        fmt::format("expected bootstrap to be a program for this machine ({}), got one for {}; "
                    "build the function for {}, or run it on a machine of its own kind",
                    ElfMachineName(kThisMachine), ElfMachineName(header.e_machine),
                    ElfMachineName(kThisMachine)));
  }
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN) {
    return Refused(
        "expected bootstrap to be an ELF program, got an object file or a core dump; link it");
  }
  return {};
}

}  // namespace

std::expected<void, Error> CheckBootstrap(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "bootstrap";
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) {
      return std::unexpected(ErrnoError(fmt::format("look at {}", path.native()), errno));
    }
    return std::unexpected(
        Error{ErrorCode::kNotFound,
              "expected a file named \"bootstrap\" at the top of the package, there is none; put "
              "the program there under this name"});
  }
  if (!S_ISREG(info.st_mode)) {
    return Refused("expected \"bootstrap\" to be a file, got something else, such as a folder");
  }
  if ((info.st_mode & 0111) == 0) {
    return std::unexpected(
        Error{ErrorCode::kPermissionDenied,
              fmt::format("expected \"bootstrap\" to be executable, got mode {:04o}; run chmod 755 "
                          "on it before packing, and pack with a tool that keeps modes",
                          info.st_mode & 07777)});
  }
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    return std::unexpected(ErrnoError(fmt::format("open {}", path.native()), errno));
  }
  std::array<char, 256> buffer{};  // as much as the kernel looks at
  const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
  if (got < 0) return std::unexpected(ErrnoError(fmt::format("read {}", path.native()), errno));
  const std::string_view head(buffer.data(), static_cast<std::size_t>(got));
  if (head.starts_with("#!")) return CheckScript(head);
  if (head.starts_with(ELFMAG)) return CheckElf(head);
  return Refused(
      "expected \"bootstrap\" to be an ELF program or a script that begins with \"#!\", got "
      "neither");
}

}  // namespace kelvin::package
