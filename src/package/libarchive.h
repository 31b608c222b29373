#pragma once

#include <memory>
#include <string>

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

namespace kelvin::package {

struct FreeArchive {
  void operator()(archive* object) const { archive_free(object); }
};
struct FreeEntry {
  void operator()(archive_entry* object) const { archive_entry_free(object); }
};
using ArchivePtr = std::unique_ptr<archive, FreeArchive>;
using EntryPtr = std::unique_ptr<archive_entry, FreeEntry>;

inline std::string ArchiveMessage(archive* object) {
  const char* text = archive_error_string(object);
  return text != nullptr ? text : "unknown error";
}

// While it lives, libarchive on this thread takes names as UTF-8 whatever the process's locale is;
// in the "C" locale it would turn other letters into question marks.
class Utf8Names {
 public:
  Utf8Names() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (locale_ != nullptr) before_ = ::uselocale(locale_);
  }
  ~Utf8Names() {
    if (locale_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(locale_);
  }
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;

 private:
  locale_t locale_ = nullptr;
  locale_t before_ = nullptr;
};

}  // namespace kelvin::package
