#pragma once

#include <chrono>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "aws/lambda_client.h"
#include "base/clock.h"
#include "base/error.h"
#include "lab/record.h"

namespace kelvin::lab {

struct SamplerOptions {
  // For a function to become ready after a change of its configuration.
  std::chrono::milliseconds ready_timeout{std::chrono::minutes{2}};
  // Between two looks at its state; doubles from the first to the second.
  std::chrono::milliseconds first_poll{2};
  std::chrono::milliseconds last_poll{1000};
  // For calls that are throttled or do not get through; the wait before each doubles.
  int attempts = 6;
  std::chrono::milliseconds first_retry{100};
};

// Takes single samples over the Lambda API. A cold start is forced by a stamp in the environment
// variable KELVIN_COLD_START, which makes Lambda replace every environment of the function; Restore
// takes it off again. A memory size, where one is given, is set with the stamp and set back by
// Restore.
// Not thread-safe. Client and clock outlive the object.
class Sampler {
 public:
  Sampler(aws::LambdaClient& client, const Clock& clock, SamplerOptions options = {});
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;
  ~Sampler();  // restores what Restore has not

  // Waits until the function can be invoked, and tells how it is configured (without a stamp that a
  // killed run left behind). To be called before any sample of it is taken. Fails with kNotFound,
  // kTimeout, or kInvalidArgument where Lambda cannot make it ready.
  std::expected<aws::FunctionConfiguration, Error> Open(std::string_view function);

  // One invoke; `function` is the name given to Open. A sample that is not what was asked for comes
  // back as rejected, a function's failure as failed: an Error only says that Lambda itself cannot
  // be worked with. Sample::function, kind and step are the caller's to set.
  std::expected<Sample, Error> TakeCold(const std::string& function, std::string_view payload,
                                        std::optional<int> memory_mb = std::nullopt);
  std::expected<Sample, Error> TakeWarm(const std::string& function, std::string_view payload,
                                        std::optional<int> memory_mb = std::nullopt);
  // As TakeWarm, but the invoke may start the environment.
  std::expected<Sample, Error> TakeWarmUp(const std::string& function, std::string_view payload,
                                          std::optional<int> memory_mb = std::nullopt);

  // What somebody else changed of the function since Open, as far as it has been seen; empty while
  // it is as it was. Samples taken after such a change are of another function.
  const std::string& ForeignChange(const std::string& function);
  // What the function's last failed invoke said of itself, without its request id; may be empty.
  const std::string& LastFailure(const std::string& function);
  // Looks again for a foreign change.
  std::expected<void, Error> Verify(const std::string& function);

  // Undoes every change; the first failure is returned, the others are tried all the same.
  std::expected<void, Error> Restore();

 private:
  enum class Start { kMustBeCold, kMayBeCold, kMustBeWarm };
  struct State {
    aws::FunctionConfiguration opened;  // as it was, and is to be again
    int memory_mb = 0;                  // as it is now
    std::string stamp;                  // as it is now; empty without one
    bool stamped = false;
    int invokes = 0;  // in its environment; 0 where unknown
    std::string foreign_change;
    std::string last_failure;
  };

  std::expected<void, Error> Stamp(const std::string& function, State& state,
                                   std::optional<int> memory_mb);
  std::expected<void, Error> SwitchMemory(const std::string& function,
                                          std::optional<int> memory_mb);
  static void Compare(const aws::FunctionConfiguration& now, State& state);
  std::expected<void, Error> RestoreOne(const std::string& function, State& state);
  std::expected<aws::FunctionConfiguration, Error> WaitUntilReady(std::string_view function);
  std::expected<Sample, Error> Take(const std::string& function, std::string_view payload,
                                    Start start);
  template <typename Call>
  auto Retrying(Call call) -> decltype(call());

  aws::LambdaClient& client_;
  const Clock& clock_;
  SamplerOptions options_;
  std::map<std::string, State, std::less<>> states_;
  std::uint64_t stamps_ = 0;
};

}  // namespace kelvin::lab
