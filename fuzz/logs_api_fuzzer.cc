// The first line is a call of CloudWatch Logs, the rest the body of its request.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <boost/json.hpp>

#include "base/fake_clock.h"
#include "base/file.h"
#include "service/log_query.h"
#include "service/logs_api.h"

namespace {

// One folder for all inputs; what grows in it is swept away now and then.
struct World {
  kelvin::FakeClock clock;
  kelvin::TemporaryDirectory folder = kelvin::TemporaryDirectory::Create("/dev/shm").value();
  std::unique_ptr<kelvin::service::LogStore> store =
      kelvin::service::LogStore::Open(folder.path(), clock).value();
  int inputs = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::unique_ptr<World> world;
  if (!world || ++world->inputs > 500) world = std::make_unique<World>();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(text.find('\n'), text.size());
  const auto answer = kelvin::service::AnswerLogsCall(*world->store, {"us-east-1", "123456789012"},
                                                      world->clock, text.substr(0, end),
                                                      text.substr(std::min(end + 1, text.size())));
  if (answer && boost::json::serialize(*answer).empty()) __builtin_trap();
  if (!answer && answer.error().type.empty()) __builtin_trap();
  const auto key = kelvin::service::ParseLogKey(text);
  if (key && kelvin::service::FormatLogKey(*key) != text && key->time_ms >= 0) __builtin_trap();
  return 0;
}
