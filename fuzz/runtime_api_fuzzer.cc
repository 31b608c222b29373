// What a Runtime API may answer, in any split of its bytes: the loop must end by itself.
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "base/fake_clock.h"
#include "http/fake_stream.h"
#include "runtime/loop.h"

namespace {

class Echo final : public kelvin::RawHandler {
 public:
  std::expected<std::string, kelvin::HandlerError> Invoke(std::string_view payload,
                                                          const kelvin::Context& context) override {
    (void)context.RemainingTime();
    return std::string(payload);
  }
};

class NoLog final : public kelvin::LogSink {
 public:
  void Write(std::string_view) override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = data[0] + std::size_t{1};
  kelvin::http::FakeConnector connector;
  kelvin::http::FakeConnector::Script script;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    script.reads.emplace_back(std::string(bytes.substr(at, piece)));
  }
  script.reads.emplace_back(std::string());
  connector.AddConnection(std::move(script));

  const kelvin::FakeClock clock;
  kelvin::runtime::Api api(connector, {"127.0.0.1", 9001});
  kelvin::runtime::TraceVariable trace;
  NoLog sink;
  const kelvin::Logger log({.sink = &sink, .clock = &clock});
  const kelvin::FunctionInfo function;
  std::mutex busy;
  Echo handler;
  kelvin::runtime::Loop loop(
      {.api = api, .clock = clock, .trace = trace, .log = log, .function = function, .busy = busy});
  (void)loop.Serve(handler);
  return 0;
}
