#include "package/program_builder.h"

#include <cstdlib>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace kelvin::package {

ProgramBuilder::ProgramBuilder() : folder_(TemporaryDirectory::Create().value()) {}

std::filesystem::path ProgramBuilder::Compile(const std::string& source,
                                              const std::string& flags) const {
  const auto output = folder_.path() / fmt::format("program-{}", ++programs_);
  const auto input = folder_.path() / fmt::format("program-{}.c", programs_);
  EXPECT_TRUE(WriteFileAtomically(input, source));
  const std::string command =
      fmt::format("{} -w -o {} {} {}", KELVIN_TEST_CC, output.native(), input.native(), flags);
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  return output;
}

std::string ProgramBuilder::Bytes(const std::string& source, const std::string& flags) const {
  return ReadFile(Compile(source, flags)).value();
}

}  // namespace kelvin::package
