#include "package/sha256.h"

#include <array>

#include <openssl/evp.h>

#include "base/encoding.h"
#include "package/zip.h"

namespace kelvin::package {

std::string Sha256(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

std::string DigestName(std::string_view bytes) {
  return "sha256:" + HexEncode(Sha256(bytes));
}

std::string CodeSha256(std::string_view zip) {
  return Base64Encode(Sha256(zip));
}

}  // namespace kelvin::package
