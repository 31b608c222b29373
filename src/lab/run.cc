#include "lab/run.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/time_format.h"

namespace kelvin::lab {
namespace {

std::string TagOr(const std::map<std::string, std::string>& tags, const std::string& key) {
  const auto tag = tags.find(key);
  return tag == tags.end() ? std::string() : tag->second;
}

Function Describe(const Subject& subject, const aws::FunctionConfiguration& configuration) {
  return Function{
      .name = subject.name,
      .group = subject.group.empty() ? TagOr(configuration.tags, "kelvin:function") : subject.group,
      .mode = subject.mode.empty() ? TagOr(configuration.tags, "kelvin:mode") : subject.mode,
      .arn = configuration.arn,
      .runtime = configuration.runtime,
      .architecture = configuration.architecture,
      .memory_mb = configuration.memory_mb,
      .timeout_seconds = configuration.timeout_seconds,
      .code_size = configuration.code_size,
      .code_sha256 = configuration.code_sha256,
      .payload = subject.payload,
      .abandoned = {}};
}

// One run while it goes on.
class Runner {
 public:
  Runner(aws::LambdaClient& client, const Clock& clock, const RunOptions& options,
         const RunHooks& hooks, Record& record)
      : sampler_(client, clock, options.sampler),
        options_(options),
        hooks_(hooks),
        record_(record) {}

  std::expected<void, Error> Open(const std::vector<Subject>& subjects) {
    for (const Subject& subject : subjects) {
      auto configuration = sampler_.Open(subject.name);
      if (!configuration) return std::unexpected(std::move(configuration.error()));
      record_.functions.push_back(Describe(subject, *configuration));
    }
    failures_.resize(subjects.size());
    return {};
  }

  std::expected<void, Error> Go() {
    const std::vector<Step> plan = MakePlan(record_.functions.size(), options_.plan);
    for (std::size_t i = 0; i < plan.size(); ++i) {
      if (hooks_.stop_requested()) {
        record_.state = "interrupted";
        return {};
      }
      const Function& function = record_.functions[plan[i].function];
      if (!function.abandoned.empty()) continue;
      ShowProgress(plan, i, function);
      if (auto done = Carry(plan[i]); !done) return done;
      if (auto saved = hooks_.save(record_); !saved) return saved;
    }
    record_.state = "finished";
    return {};
  }

  std::expected<void, Error> Restore() { return sampler_.Restore(); }

 private:
  void ShowProgress(const std::vector<Step>& plan, std::size_t step, const Function& function) {
    const std::size_t cold =
        static_cast<std::size_t>(options_.plan.cold) * record_.functions.size();
    const std::size_t cold_left = step < cold ? cold - step : 0;
    hooks_.on_progress(Progress{.done = step,
                                .planned = plan.size(),
                                .kind = plan[step].kind,
                                .function = function.name,
                                .cold_left = cold_left,
                                .warm_left = plan.size() - step - cold_left,
                                .warm_guess_ms = warm_guess_ms_});
  }

  // Takes the sample of one step, again while it is rejected.
  std::expected<void, Error> Carry(const Step& step) {
    Function& function = record_.functions[step.function];
    for (int rejected = 0; rejected < options_.max_rejections; ++rejected) {
      auto sample = Take(step.kind, function);
      if (!sample) return std::unexpected(std::move(sample.error()));
      sample->function = step.function;
      sample->kind = step.kind;
      record_.samples.push_back(std::move(*sample));
      const Sample& taken = record_.samples.back();
      if (taken.init_ms) warm_guess_ms_ = std::max(0.0, taken.client_ms - *taken.init_ms);
      if (taken.outcome == Outcome::kFailed) CountFailure(step.function, taken.reason);
      if (taken.outcome != Outcome::kRejected) return {};
    }
    function.abandoned =
        fmt::format("{} {} samples in a row had to be rejected: {}", options_.max_rejections,
                    SampleKindName(step.kind), record_.samples.back().reason);
    return {};
  }

  std::expected<Sample, Error> Take(SampleKind kind, const Function& function) {
    switch (kind) {
      case SampleKind::kCold:
        return sampler_.TakeCold(function.name, function.payload);
      case SampleKind::kWarmUp:
        return sampler_.TakeWarmUp(function.name, function.payload);
      case SampleKind::kWarm:
        return sampler_.TakeWarm(function.name, function.payload);
    }
    return std::unexpected(Error{ErrorCode::kInternal, "expected a kind of sample"});
  }

  void CountFailure(std::size_t index, const std::string& reason) {
    const int planned = options_.plan.cold + options_.plan.warm_up + options_.plan.warm;
    if (++failures_[index] <= options_.max_failures * planned) return;
    record_.functions[index].abandoned =
        fmt::format("more than {:.0f} % of its {} planned invokes failed, the last with {}",
                    options_.max_failures * 100, planned, reason);
  }

  Sampler sampler_;
  const RunOptions& options_;
  const RunHooks& hooks_;
  Record& record_;
  std::vector<int> failures_;
  double warm_guess_ms_ = 0;
};

}  // namespace

std::expected<void, Error> Run(aws::LambdaClient& client, const Clock& clock,
                               const std::vector<Subject>& subjects, const RunOptions& options,
                               const RunHooks& hooks, Record& record) {
  record.started = FormatIso8601(clock.WallNow());
  record.seed = options.plan.seed;
  record.settings = {options.plan.cold, options.plan.warm_up, options.plan.warm};
  Runner runner(client, clock, options, hooks, record);
  auto result = runner.Open(subjects);
  if (result) result = runner.Go();
  const auto restored = runner.Restore();
  if (result && !restored) result = std::unexpected(restored.error());
  record.finished = FormatIso8601(clock.WallNow());
  if (!result) record.state = "failed";
  const auto saved = hooks.save(record);
  if (result && !saved) return saved;
  return result;
}

}  // namespace kelvin::lab
