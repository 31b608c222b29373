#include "service/code_keeper.h"

#include <utility>

#include "service/function_rules.h"
#include "service/offload.h"

namespace kelvin::service {
namespace {

// What the operating system says reads "cannot ..." (ErrnoError); the rest is about the zip.
bool IsFromSystem(const Error& error) {
  return error.message.starts_with("cannot ");
}

ApiError CodeError(const Error& error) {
  if (IsFromSystem(error)) return ServiceError(error);
  if (error.code == ErrorCode::kResourceExhausted) {
    return InvalidParameter("Unzipped size must be smaller than 262144000 bytes");
  }
  if (error.code != ErrorCode::kInvalidArgument) return ServiceError(error);
  return InvalidParameter(
      "Could not unzip uploaded file. Please check your file, then try to upload again.");
}

}  // namespace

boost::asio::awaitable<std::expected<StoredCode, ApiError>> KeepCode(
    FunctionStore& store, boost::asio::thread_pool& workers, Log& log, const std::string& of,
    const std::string& zip) {
  auto kept = co_await Offload(workers, [&] { return store.PutCode(zip); });
  if (kept) co_return *kept;
  log.Write(LogLevel::kWarn, "service", "the package of {} is refused: {}", of,
            kept.error().message);
  co_return std::unexpected(CodeError(kept.error()));
}

}  // namespace kelvin::service
