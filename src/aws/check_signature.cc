#include "aws/check_signature.h"

#include <openssl/crypto.h>

namespace kelvin::aws {

bool IsSignedBy(std::string_view secret_access_key, const SigningScope& scope,
                const http::Request& request, std::span<const std::string> signed_headers,
                std::string_view amz_date, std::string_view signature) {
  const std::string payload_hash = Sha256Hex(request.body);
  const std::string canonical = CanonicalRequest({.method = request.method,
                                                  .target = request.target,
                                                  .headers = &request.headers,
                                                  .signed_headers = signed_headers,
                                                  .payload_hash = payload_hash});
  const std::string expected =
      Signature(SigningKey(secret_access_key, scope), StringToSign(amz_date, scope, canonical));
  return signature.size() == expected.size() &&
         CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) == 0;
}

}  // namespace kelvin::aws
