#include "engine/code_memory.h"

#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"

namespace kelvin::engine {
namespace {

constexpr std::size_t kReserve = std::size_t{64} << 20;

char* Map(std::size_t size, int protection, int flags, int fd) {
  void* const memory = ::mmap(nullptr, size, protection, flags, fd, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<char*>(memory);
}

std::unexpected<Error> CannotReserve() {
  return std::unexpected(ErrnoError("reserve memory for compiled code", errno));
}

// The offset of a piece after `used`, or nothing when it does not fit.
std::expected<std::size_t, Error> Place(std::size_t used, std::size_t size, std::size_t alignment) {
  const std::size_t start = (used + alignment - 1) / alignment * alignment;
  if (start > kReserve || size > kReserve - start) {
    return std::unexpected(
        Error{ErrorCode::kResourceExhausted,
              fmt::format("expected compiled code to fit into {} MB, {} more bytes were needed",
                          kReserve >> 20, size)});
  }
  return start;
}

}  // namespace

std::expected<CodeMemory, Error> CodeMemory::Reserve() {
  const UniqueFd fd(::memfd_create("kelvin-code", MFD_CLOEXEC));
  if (!fd.valid() || ::ftruncate(fd.get(), kReserve) != 0) return CannotReserve();
  CodeMemory memory(Map(kReserve, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get()),
                    Map(kReserve, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_32BIT, fd.get()),
                    Map(kReserve, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_32BIT, -1));
  if (memory.write_ == nullptr || memory.run_ == nullptr || memory.data_ == nullptr) {
    return CannotReserve();
  }
  return memory;
}

CodeMemory::CodeMemory(CodeMemory&& other) noexcept
    : write_(std::exchange(other.write_, nullptr)),
      run_(std::exchange(other.run_, nullptr)),
      data_(std::exchange(other.data_, nullptr)),
      code_used_(other.code_used_),
      data_used_(other.data_used_) {}

CodeMemory::~CodeMemory() {
  for (char* const view : {write_, run_, data_}) {
    if (view != nullptr) ::munmap(view, kReserve);
  }
}

std::expected<CodeMemory::Code, Error> CodeMemory::AllocateCode(std::size_t size,
                                                                std::size_t alignment) {
  const std::lock_guard lock(mutex_);
  const auto start = Place(code_used_, size, alignment);
  if (!start) return std::unexpected(start.error());
  code_used_ = *start + size;
  return Code{write_ + *start, reinterpret_cast<std::uint64_t>(run_ + *start)};
}

std::expected<char*, Error> CodeMemory::AllocateData(std::size_t size, std::size_t alignment) {
  const std::lock_guard lock(mutex_);
  const auto start = Place(data_used_, size, alignment);
  if (!start) return std::unexpected(start.error());
  data_used_ = *start + size;
  return data_ + *start;
}

bool CodeMemory::HoldsCode(std::uint64_t address) const {
  const auto start = reinterpret_cast<std::uint64_t>(run_);
  return address >= start && address - start < kReserve;
}

}  // namespace kelvin::engine
