#pragma once

#include <filesystem>
#include <string>

#include "base/file.h"

namespace kelvin::package {

// Compiles small C programs for tests with the compiler of the build.
class ProgramBuilder {
 public:
  ProgramBuilder();
  // Fails the test, with the compiler's words, when it does not compile.
  std::filesystem::path Compile(const std::string& source, const std::string& flags) const;
  std::string Bytes(const std::string& source, const std::string& flags) const;
  const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  TemporaryDirectory folder_;
  mutable int programs_ = 0;
};

}  // namespace kelvin::package
