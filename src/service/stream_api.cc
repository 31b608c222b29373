#include "service/stream_api.h"

#include <utility>

#include <boost/json.hpp>

#include "aws/event_stream.h"
#include "base/encoding.h"

namespace kelvin::service {

using boost::asio::awaitable;

namespace {

// AWS's SDKs take messages of up to 16 MB; smaller ones let the first byte out sooner.
constexpr std::size_t kMostInOneChunk = 128 * 1024;

void AppendChunks(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    aws::AppendEvent({.headers = {{":event-type", "PayloadChunk"},
                                  {":content-type", "application/octet-stream"},
                                  {":message-type", "event"}},
                      .payload = bytes.substr(0, kMostInOneChunk)},
                     out);
    bytes.remove_prefix(std::min(bytes.size(), kMostInOneChunk));
  }
}

std::string Complete(const InvokeOutcome& outcome) {
  boost::json::object complete;
  if (outcome.kind != InvokeOutcome::Kind::kResponse) {
    boost::system::error_code error;
    const auto body = boost::json::parse(outcome.payload, error);
    const boost::json::object* fields = error ? nullptr : body.if_object();
    const auto* type = fields == nullptr ? nullptr : fields->if_contains("errorType");
    complete["ErrorCode"] = type != nullptr && type->is_string() ? type->get_string()
                                                                 : boost::json::string("Unhandled");
    complete["ErrorDetails"] = outcome.payload;
  }
  if (!outcome.log_tail.empty()) complete["LogResult"] = Base64Encode(outcome.log_tail);
  return boost::json::serialize(complete);
}

awaitable<bool> WriteEvents(std::shared_ptr<Invocation> invocation, http::BodySink& sink) {
  const auto pipe = invocation->pipe;
  bool open = true;
  std::string bytes;
  while (open) {
    const auto piece = co_await pipe->Pull();
    if (!piece) break;
    bytes.clear();
    AppendChunks(*piece, bytes);
    open = co_await sink.Write(bytes);
  }
  if (!open) {
    pipe->Abandon();
    co_return false;
  }
  const InvokeOutcome outcome = co_await invocation->outcome.Wait();
  bytes.clear();
  if (!pipe->begun && outcome.kind == InvokeOutcome::Kind::kResponse) {
    AppendChunks(outcome.payload, bytes);
  }
  const std::string complete = Complete(outcome);
  aws::AppendEvent({.headers = {{":event-type", "InvokeComplete"},
                                {":content-type", "application/json"},
                                {":message-type", "event"}},
                    .payload = complete},
                   bytes);
  co_return co_await sink.Write(bytes);
}

}  // namespace

http::BodyWriter EventStreamBody(std::shared_ptr<Invocation> invocation) {
  return [invocation = std::move(invocation)](http::BodySink& sink) {
    return WriteEvents(invocation, sink);
  };
}

}  // namespace kelvin::service
