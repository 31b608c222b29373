#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "http/message.h"

namespace kelvin::http {

// The reason phrase of an HTTP status, such as "Not Found"; "Unknown" for one nobody uses.
std::string_view ReasonPhrase(int status);

enum class AfterAnswer { kKeepOpen, kClose };

// Appends the head of an answer to `out`: Date, Content-Length and, where the connection closes,
// Connection join the response's own headers. A line break within a header's value becomes a
// space: no value can forge another header.
void AppendResponseHead(const Response& response, AfterAnswer after, std::time_t now,
                        std::string& out);

}  // namespace kelvin::http
