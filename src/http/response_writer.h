#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "http/message.h"

namespace kelvin::http {

// The reason phrase of an HTTP status, such as "Not Found"; "Unknown" for one nobody uses.
std::string_view ReasonPhrase(int status);

enum class AfterAnswer { kKeepOpen, kClose };
// Whether the body follows with a length that is known, or in chunks.
enum class BodyForm { kWhole, kChunked };

// Appends the head of an answer to `out`: Date, Content-Length and, where the connection closes,
// Connection join the response's own headers. A line break within a header's value becomes a
// space: no value can forge another header.
void AppendResponseHead(const Response& response, AfterAnswer after, std::time_t now,
                        std::string& out, BodyForm form = BodyForm::kWhole);

}  // namespace kelvin::http
