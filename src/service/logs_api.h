#pragma once

#include <expected>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/json/object.hpp>

#include "base/clock.h"
#include "base/log.h"
#include "http/message.h"
#include "service/function_logs.h"
#include "service/function_name.h"

namespace kelvin::service {

// A failure as CloudWatch Logs tells it.
struct LogsError {
  std::string_view type;
  std::string message;
};
using LogsAnswer = std::expected<boost::json::object, LogsError>;

// One call of CloudWatch Logs ("FilterLogEvents") with the body of its request. Blocking;
// thread-safe, as the store is.
LogsAnswer AnswerLogsCall(LogStore& store, const Place& place, const Clock& clock,
                          std::string_view call, std::string_view body);

// The calls of CloudWatch Logs that show, and change, what functions log: JSON 1.1, told apart by
// X-Amz-Target. Used from the executor's thread; the work is done on a thread of its own.
class LogsApi {
 public:
  struct Parts {  // all outlive the object
    FunctionLogs& logs;
    const Clock& clock;
    Log& log;
    const Place& place;
  };
  explicit LogsApi(const Parts& parts) : parts_(parts) {}
  ~LogsApi() { workers_.join(); }

  static bool Accepts(const http::Request& request);
  boost::asio::awaitable<http::Response> Handle(http::Request request);

 private:
  Parts parts_;
  boost::asio::thread_pool workers_{1};
};

}  // namespace kelvin::service
