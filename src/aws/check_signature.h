#pragma once

#include <span>
#include <string>
#include <string_view>

#include "aws/sigv4.h"
#include "http/message.h"

namespace kelvin::aws {

// Whether `signature` (hexadecimal) is what the holder of the key makes of the request: the
// server's side of SigV4. Takes a time that does not tell how much of a wrong one was right. Dates
// and scopes are the caller's to judge.
bool IsSignedBy(std::string_view secret_access_key, const SigningScope& scope,
                const http::Request& request, std::span<const std::string> signed_headers,
                std::string_view amz_date, std::string_view signature);

}  // namespace kelvin::aws
