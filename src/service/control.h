#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/clock.h"
#include "base/ids.h"
#include "base/log.h"
#include "service/api_error.h"
#include "service/function_registry.h"
#include "service/function_request.h"
#include "service/function_store.h"
#include "service/layer.h"
#include "service/managed_runtimes.h"
#include "service/operation.h"
#include "service/scheduler.h"

namespace kelvin::service {

// What the calls about functions work with; all of it outlives them. Used from the executor's
// thread; the store is used on the workers, of which there is one.
struct ControlParts {
  FunctionRegistry& registry;
  const LayerRegistry& layers;
  FunctionStore& store;
  boost::asio::thread_pool& workers;
  Scheduler& scheduler;
  const Clock& clock;
  Random& random;
  Log& log;
  const Place& place;
  const ManagedRuntimes& runtimes;
  Machine host;
  std::string url;  // of the service, without a '/' at its end
};

// Each part of the API adds its calls, which refer to the parts.
using ControlCall = boost::asio::awaitable<http::Response> (*)(ControlParts& parts, ApiCall call);
void AddControlCall(Operations& operations, ControlParts& parts, std::string_view name,
                    ControlCall call);

// What a caller is told when there is no such function, version or alias: AWS's calls differ in it.
using NotThere = ApiError (*)(const Place& place, const FunctionName& named);
// "Function not found: ARN".
ApiError NoFunction(const Place& place, const FunctionName& named);
// "Cannot find alias arn: ARN" where the qualifier can be nothing else, or as NoFunction.
ApiError NoAliasOrVersion(const Place& place, const FunctionName& named);

// A route's FunctionName and Qualifier, whether there is such a thing or not.
std::expected<FunctionName, ApiError> NameOf(const Place& place, const Route& route);
// What they name. Fails as AWS does when there is no such thing.
std::expected<Target, ApiError> TargetOf(const FunctionRegistry& registry, const Place& place,
                                         const Route& route, NotThere not_there = NoFunction);
std::expected<Target, ApiError> TargetOf(const ControlParts& parts, const Route& route,
                                         NotThere not_there = NoFunction);
// A function as a whole; `route` may not name a version or an alias.
std::expected<Target, ApiError> FunctionOf(const ControlParts& parts, const Route& route,
                                           NotThere not_there = NoFunction);

// Where the scheduler finds a function.
FunctionFolders FoldersOf(const FunctionStore& store, const FunctionConfig& config);
// Lets the scheduler see what a function has become; `before` is null for a new one.
void Schedule(Scheduler& scheduler, const FunctionStore& store, const FunctionRecord* before,
              const FunctionRecord& after);

// Puts the record on the disk, and then lets everybody see it. The caller holds the change.
boost::asio::awaitable<std::expected<FunctionRegistry::Record, ApiError>> Commit(
    ControlParts& parts, const FunctionRecord& record);

// Changes a copy of a function's record and commits it, unless the edit fails; waits for other
// changes of the function before. `name` is a function's bare name.
using Edit = std::function<std::expected<void, ApiError>(FunctionRecord&)>;
boost::asio::awaitable<std::expected<FunctionRegistry::Record, ApiError>> EditFunction(
    ControlParts& parts, const std::string& name, const Edit& edit);

// The answer of a call that only edits: 204, or the edit's error.
boost::asio::awaitable<http::Response> EditWithoutAnswer(ControlParts& parts,
                                                         const std::string& name, const Edit& edit);

// 412, unless `given` is empty or the same as `current`.
std::expected<void, ApiError> CheckRevision(std::string_view given, std::string_view current);
// 404 "The resource you requested does not exist."
ApiError NoSuchResource();
http::Response NoContent();

}  // namespace kelvin::service
