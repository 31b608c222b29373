// The low-level interface is deprecated in favour of one that looks algorithms up at run time,
// which costs a function's start more than all its signatures together.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "aws/sha256.h"

#include <openssl/sha.h>

#include "base/encoding.h"

namespace kelvin::aws {
namespace {

constexpr std::size_t kBlockSize = 64;

unsigned char* Unsigned(char* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}

// The digest of a key block xored with `pad`, then `message`.
Sha256Digest PaddedDigest(const std::array<char, kBlockSize>& key, char pad,
                          std::string_view message) {
  std::array<char, kBlockSize> block;
  for (std::size_t i = 0; i < kBlockSize; ++i) block[i] = static_cast<char>(key[i] ^ pad);
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, block.data(), block.size());
  SHA256_Update(&state, message.data(), message.size());
  Sha256Digest digest;
  SHA256_Final(Unsigned(digest.data()), &state);
  return digest;
}

}  // namespace

Sha256Digest Sha256(std::string_view bytes) {
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, bytes.data(), bytes.size());
  Sha256Digest digest;
  SHA256_Final(Unsigned(digest.data()), &state);
  return digest;
}

std::string Sha256Hex(std::string_view bytes) {
  return HexEncode(BytesOf(Sha256(bytes)));
}

Sha256Digest HmacSha256(std::string_view key, std::string_view message) {
  std::array<char, kBlockSize> block{};
  if (key.size() > kBlockSize) {
    const Sha256Digest shortened = Sha256(key);
    BytesOf(shortened).copy(block.data(), shortened.size());
  } else {
    key.copy(block.data(), key.size());
  }
  return PaddedDigest(block, 0x5c, BytesOf(PaddedDigest(block, 0x36, message)));
}

}  // namespace kelvin::aws
