#include "aws/xml.h"

#include <array>
#include <utility>

#include <boost/json.hpp>

#include "aws/service_error.h"

namespace kelvin::aws {
namespace {

constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
    {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}}};

}  // namespace

std::string XmlText(std::string_view xml, std::string_view tag) {
  const std::string open = "<" + std::string(tag) + ">";
  const std::size_t begin = xml.find(open);
  if (begin == std::string_view::npos) return {};
  std::string_view rest = xml.substr(begin + open.size());
  const std::size_t end = rest.find('<');
  if (end == std::string_view::npos) return {};
  rest = rest.substr(0, end);
  std::string text;
  while (!rest.empty()) {
    char next = rest.front();
    std::size_t length = 1;
    for (const auto& [entity, character] : kEntities) {
      if (!rest.starts_with(entity)) continue;
      next = character;
      length = entity.size();
    }
    text += next;
    rest.remove_prefix(length);
  }
  return text;
}

Error ErrorFromXml(std::string_view doing, const http::Response& response) {
  const std::string code = XmlText(response.body, "Code");
  if (code.empty()) return ErrorFromResponse(doing, response);
  http::Response as_json{.status = response.status, .headers = {}, .body = {}};
  as_json.headers.Set("x-amzn-ErrorType", code);
  as_json.body =
      boost::json::serialize(boost::json::object{{"message", XmlText(response.body, "Message")}});
  return ErrorFromResponse(doing, as_json);
}

}  // namespace kelvin::aws
