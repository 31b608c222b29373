#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kelvin::http {

// Header fields in the order they came; names compare without regard to case.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;

  Headers() = default;
  Headers(std::initializer_list<Field> fields) : fields_(fields) {}

  // The first field of that name, or empty.
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const;
  void Add(std::string_view name, std::string_view value);
  // Replaces every field of that name.
  void Set(std::string_view name, std::string_view value);
  void clear() { fields_.clear(); }
  bool empty() const { return fields_.empty(); }
  std::size_t size() const { return fields_.size(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<Field> fields_;
};

bool EqualsIgnoringCase(std::string_view a, std::string_view b);

// `target` is the path with its query, percent-encoded as on the wire.
struct Request {
  std::string method;
  std::string target;
  Headers headers;
  std::string body;
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
};

// host:port, as in AWS_LAMBDA_RUNTIME_API and in a Host header.
struct Endpoint {
  std::string host;
  int port = 0;
};

}  // namespace kelvin::http
