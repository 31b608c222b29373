#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aws/credentials.h"
#include "aws/sha256.h"
#include "base/clock.h"
#include "http/message.h"

namespace kelvin::aws {

// AWS Signature Version 4 in a request's headers. The steps are functions of their own because a
// server checks a signature by the same steps as a client makes it.

// How the path enters the signature. Every service but S3 resolves "." and ".." and empty
// segments and percent-encodes what is on the wire once more; S3 takes the path as it was sent.
enum class PathRule { kNormalize, kAsSent };

// The payload hash that stands for "this body is not signed".
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

// `path` as on the wire, without the query.
std::string CanonicalPath(std::string_view path, PathRule rule);
// `query` as on the wire, without '?': decoded, encoded again the one way, and sorted.
std::string CanonicalQuery(std::string_view query);
// Trimmed, and inner runs of blanks made one.
std::string CanonicalHeaderValue(std::string_view value);

// What is signed of a request. The views outlive the call they are passed to.
struct CanonicalInput {
  std::string_view method;
  std::string_view target;  // path and query as on the wire
  const http::Headers* headers = nullptr;
  std::span<const std::string> signed_headers;  // lower-case names, sorted
  std::string_view payload_hash;                // hexadecimal, or kUnsignedPayload
  PathRule path_rule = PathRule::kNormalize;
};
std::string CanonicalRequest(const CanonicalInput& input);

// What a signature is bound to.
struct SigningScope {
  std::string_view date;  // "20150830"
  std::string_view region;
  std::string_view service;
};
// "20150830/us-east-1/iam/aws4_request".
std::string ScopeText(const SigningScope& scope);
Sha256Digest SigningKey(std::string_view secret_access_key, const SigningScope& scope);
// `amz_date` as in X-Amz-Date: "20150830T123600Z".
std::string StringToSign(std::string_view amz_date, const SigningScope& scope,
                         std::string_view canonical_request);
// The signature in hexadecimal.
std::string Signature(const Sha256Digest& signing_key, std::string_view string_to_sign);

// The headers of `headers` that a client signs: lower-case, sorted, each once. Those that proxies
// rewrite (Connection, Expect, User-Agent, ...) are left out.
std::vector<std::string> SignableHeaders(const http::Headers& headers);

enum class PayloadSigning { kSigned, kUnsigned };

struct SignerOptions {
  PathRule path_rule = PathRule::kNormalize;
  PayloadSigning payload = PayloadSigning::kSigned;
};

// Signs requests of one service in one region. Not thread-safe: it keeps the day's key.
class Signer {
 public:
  Signer(Credentials credentials, std::string region, std::string service,
         SignerOptions options = {});

  // Sets X-Amz-Date, X-Amz-Security-Token (with temporary keys), X-Amz-Content-Sha256 (of an
  // unsigned payload) and Authorization. `headers` must hold Host as it goes on the wire.
  void Sign(std::string_view method, std::string_view target, std::string_view body,
            Clock::WallTime now, http::Headers& headers);
  // Signs with these from now on.
  void Use(Credentials credentials);

 private:
  Credentials credentials_;
  std::string region_;
  std::string service_;
  SignerOptions options_;
  std::string key_date_;
  Sha256Digest key_{};
};

}  // namespace kelvin::aws
