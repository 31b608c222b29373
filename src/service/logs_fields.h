#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "service/string_map.h"

namespace kelvin::service {

// Reads the fields of a call of CloudWatch Logs. What does not keep to AWS's rules is thrown as a
// LogsError, which AnswerLogsCall turns into its result.
class LogsFields {
 public:
  explicit LogsFields(const boost::json::object& body) : body_(body) {}

  bool Has(std::string_view field) const { return Find(field) != nullptr; }
  std::string Text(std::string_view field) const;
  std::optional<std::string> OptionalText(std::string_view field) const;
  std::optional<std::int64_t> OptionalNumber(std::string_view field) const;
  bool Flag(std::string_view field) const;
  std::vector<std::string> Texts(std::string_view field) const;
  StringMap Map(std::string_view field) const;
  // 1 to `most`, which is the default.
  std::size_t Limit(std::size_t most) const;
  const boost::json::array& Array(std::string_view field) const;

  // The name in logGroupName, or the name or ARN in logGroupIdentifier.
  std::string Group() const;
  std::string Stream() const;

 private:
  const boost::json::value* Find(std::string_view field) const;
  const boost::json::object& body_;
};

// "name" of arn:aws:logs:...:log-group:name, with or without ":*" at its end; anything else as it
// is.
std::string LogGroupOfArn(std::string_view text);

}  // namespace kelvin::service
