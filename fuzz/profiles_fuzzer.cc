// ~/.aws/config and credentials, which people and other tools write; and the dates and keys that
// credential processes and metadata services answer with.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "aws/credential_sources.h"
#include "aws/profiles.h"
#include "aws/xml.h"

namespace aws = kelvin::aws;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto kind : {aws::ProfileFile::kConfig, aws::ProfileFile::kCredentials}) {
    const auto content = aws::ParseProfiles(text, kind);
    for (const auto* sections : {&content.profiles, &content.sso_sessions}) {
      for (const auto& [name, settings] : *sections) {
        if (name.empty()) __builtin_trap();
        for (const auto& [key, value] : settings) {
          // One line each, or a key of one profile could become a setting of the next.
          if (key.contains('\n') || value.contains('\n')) __builtin_trap();
        }
      }
    }
  }
  const auto keys = aws::ParseKeys(text, "Token", "a fuzzer");
  if (keys && keys->keys.access_key_id.empty()) __builtin_trap();
  (void)aws::ParseExpiration(text);
  (void)aws::XmlText(text, "Code");
  return 0;
}
