#include "package/runtime_libraries.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace kelvin::package {
namespace {

// "GLIBC_2.34" -> {2, 34}; of "GLIBC_PRIVATE" nothing.
std::vector<int> NumbersOf(std::string_view version) {
  std::vector<int> numbers;
  version.remove_prefix(std::min(version.rfind('_') + 1, version.size()));
  while (!version.empty()) {
    int number = 0;
    const auto [end, error] =
        std::from_chars(version.data(), version.data() + version.size(), number);
    if (error != std::errc{}) return {};
    numbers.push_back(number);
    version.remove_prefix(static_cast<std::size_t>(end - version.data()));
    if (version.starts_with('.')) version.remove_prefix(1);
  }
  return numbers;
}

}  // namespace

std::optional<RuntimeLibraries> RuntimeLibraries::Of(std::string_view runtime) {
  if (runtime == "provided.al2023") {
    return RuntimeLibraries({"GLIBC_2.34", "GLIBCXX_3.4.29", "CXXABI_1.3.13", "GCC_11.0.0"});
  }
  if (runtime == "provided.al2") {
    return RuntimeLibraries({"GLIBC_2.26", "GLIBCXX_3.4.24", "CXXABI_1.3.11", "GCC_7.0.0"});
  }
  return std::nullopt;
}

bool RuntimeLibraries::Has(std::string_view library) const {
  constexpr std::string_view kLibraries[] = {
      "libc.so.6",       "libm.so.6",         "libdl.so.2",           "libpthread.so.0",
      "librt.so.1",      "libresolv.so.2",    "libutil.so.1",         "libnsl.so.1",
      "libanl.so.1",     "libgcc_s.so.1",     "libstdc++.so.6",       "ld-linux-x86-64.so.2",
      "libnss_dns.so.2", "libnss_files.so.2", "ld-linux-aarch64.so.1"};
  return std::ranges::find(kLibraries, library) != std::end(kLibraries);
}

std::string_view RuntimeLibraries::NewestLike(std::string_view version) const {
  for (const std::string_view newest :
       {newest_.glibcxx, newest_.glibc, newest_.cxxabi, newest_.gcc}) {
    if (version.substr(0, version.rfind('_')) == newest.substr(0, newest.rfind('_'))) return newest;
  }
  return {};
}

bool RuntimeLibraries::HasVersion(std::string_view version) const {
  // The marks of a relocation format, which the loader must understand.
  if (version == "GLIBC_ABI_DT_RELR") return NumbersOf(newest_.glibc) >= std::vector{2, 36};
  const std::string_view newest = NewestLike(version);
  const std::vector<int> wanted = NumbersOf(version);
  return newest.empty() || wanted.empty() || wanted <= NumbersOf(newest);
}

bool RuntimeLibraries::HasLoader(std::string_view path) const {
  return path == "/lib64/ld-linux-x86-64.so.2" || path == "/lib/ld-linux-aarch64.so.1";
}

}  // namespace kelvin::package
