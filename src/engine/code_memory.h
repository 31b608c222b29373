#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <mutex>

#include "base/error.h"

namespace kelvin::engine {

// Memory for code and data made at run time, in the low 2 GB, where the engine's own program lies
// too: each can call the other directly. Code has two views of the same pages, one to write and
// one to run, so that no page is ever writable and executable at one address. Nothing is given
// back: compiled code stays for the life of the process. Thread-safe.
class CodeMemory {
 public:
  struct Code {
    char* write = nullptr;
    std::uint64_t run = 0;
  };

  // Reserves addresses; memory is used as it is written. Fails with kIo or kResourceExhausted.
  static std::expected<CodeMemory, Error> Reserve();
  CodeMemory(CodeMemory&& other) noexcept;
  CodeMemory& operator=(CodeMemory&&) = delete;
  ~CodeMemory();

  // Fail with kResourceExhausted when the reserve is used up.
  std::expected<Code, Error> AllocateCode(std::size_t size, std::size_t alignment);
  std::expected<char*, Error> AllocateData(std::size_t size, std::size_t alignment);

  bool HoldsCode(std::uint64_t address) const;

 private:
  CodeMemory(char* write, char* run, char* data) : write_(write), run_(run), data_(data) {}

  char* write_;
  char* run_;
  char* data_;
  std::mutex mutex_;
  std::size_t code_used_ = 0;
  std::size_t data_used_ = 0;
};

}  // namespace kelvin::engine
