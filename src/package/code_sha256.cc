#include <array>

#include <openssl/evp.h>

#include "base/encoding.h"
#include "package/zip.h"

namespace kelvin::package {

std::string CodeSha256(std::string_view zip) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(zip.data(), zip.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return Base64Encode({reinterpret_cast<const char*>(digest.data()), size});
}

}  // namespace kelvin::package
