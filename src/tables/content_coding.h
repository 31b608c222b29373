#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "base/error.h"

namespace kelvin::tables {

// The content codings of HTTP (RFC 9110) that DynamoDB speaks: it sends what is 4 KB or longer as
// the client prefers, and takes requests in gzip.
enum class ContentCoding { kIdentity, kGzip, kDeflate };

// The name in headers; empty for identity.
std::string_view ContentCodingName(ContentCoding coding);

// What a client prefers by its Accept-Encoding header, read as DynamoDB reads it: a quality that is
// no number counts as 1, one out of bounds as the bound, and identity is what is left when neither
// of the others is wanted.
ContentCoding PreferredCoding(std::string_view accept_encoding);

// Any coding but identity.
std::string Encode(std::string_view bytes, ContentCoding coding);

// What is in one or more gzip members. Fails with kCorrupt where they are damaged, cut short or
// followed by something else, with kResourceExhausted beyond `max_bytes`.
std::expected<std::string, Error> Gunzip(std::string_view bytes, std::size_t max_bytes);

}  // namespace kelvin::tables
