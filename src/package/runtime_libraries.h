#pragma once

#include <optional>
#include <string_view>

namespace kelvin::package {

// What an OS-only runtime of Lambda brings: the shared libraries that programs may count on, and
// the newest symbol versions in them. From Amazon Linux 2 (glibc 2.26, GCC 7.3) and Amazon Linux
// 2023 (glibc 2.34, GCC 11).
class RuntimeLibraries {
 public:
  // "provided.al2023" or "provided.al2".
  static std::optional<RuntimeLibraries> Of(std::string_view runtime);

  bool Has(std::string_view library) const;
  // Whether a library of the runtime has a symbol version such as "GLIBC_2.34". Versions of
  // families that are not known here count as there.
  bool HasVersion(std::string_view version) const;
  // The newest of a version's family, to say what there is: "GLIBC_2.34".
  std::string_view NewestLike(std::string_view version) const;
  bool HasLoader(std::string_view path) const;

 private:
  struct Newest {
    std::string_view glibc;
    std::string_view glibcxx;
    std::string_view cxxabi;
    std::string_view gcc;
  };
  explicit RuntimeLibraries(Newest newest) : newest_(newest) {}
  Newest newest_;
};

}  // namespace kelvin::package
