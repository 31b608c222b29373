#include "engine/activity.h"

#include <fmt/format.h>

namespace kelvin::engine {
namespace {

double Milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

std::string ToJson(const Activity& activity) {
  return fmt::format(
      R"({{"mode":"{}","loadMs":{:.3f},"tier0Functions":{},"tier0Ms":{:.3f},"aheadFunctions":{},)"
      R"("aheadMs":{:.3f},"tier1Functions":{},"tier1Ms":{:.3f},"imageHits":{},"imageMisses":{}}})",
      activity.has_image ? "r2r" : "jit", Milliseconds(activity.load), activity.quick_functions,
      Milliseconds(activity.quick), activity.ahead_functions, Milliseconds(activity.ahead),
      activity.optimized_functions, Milliseconds(activity.optimized), activity.image_hits,
      activity.image_misses);
}

}  // namespace kelvin::engine
