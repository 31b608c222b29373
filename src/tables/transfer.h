#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/error.h"

namespace kelvin::tables {

// Asks an endpoint, here or anywhere: gives the answer's JSON, or the error that it answered.
using Ask = std::function<std::expected<boost::json::object, Error>(std::string_view operation,
                                                                    const std::string& body)>;

// Writes every item of the table as a line of DynamoDB JSON, {"Item":{"name":{"S":"..."}}}, the
// form in which DynamoDB exports to S3. Returns how many there were. `write` fails as it likes.
using WriteLine = std::function<std::expected<void, Error>(std::string_view line)>;
std::expected<std::size_t, Error> ExportItems(const Ask& ask, std::string_view table,
                                              const WriteLine& write);

// Puts the items of such lines, or of lines that are the item itself. `read` gives the next line,
// nothing at the end. Of several items with one key the last stays. Returns how many lines there
// were. A line that is wrong is named by its number; those before it are there.
using ReadLine = std::function<std::optional<std::string>()>;
std::expected<std::size_t, Error> ImportItems(const Ask& ask, std::string_view table,
                                              const ReadLine& read);

}  // namespace kelvin::tables
