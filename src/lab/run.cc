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
      .memory_mb = subject.memory_mb.value_or(configuration.memory_mb),
      .tmp_mb = configuration.tmp_mb,
      .timeout_seconds = configuration.timeout_seconds,
      .code_size = configuration.code_size,
      .unpacked_size = subject.unpacked_size,
      .code_sha256 = configuration.code_sha256,
      .payload = subject.payload,
      .abandoned = {}};
}

// Lambda takes a name, a partial or a whole ARN; a version or an alias comes last in each.
bool IsQualified(std::string_view name) {
  const auto colons = std::ranges::count(name, ':');
  if (name.starts_with("arn:")) return colons > 6;
  return colons == 1 || (colons == 3 && name.find(":function:") != std::string_view::npos);
}

constexpr std::string_view kRewarmed = "the environment was warmed again after a resume";

// One run while it goes on.
class Runner {
 public:
  Runner(aws::LambdaClient& client, const Clock& clock, const std::vector<Subject>& subjects,
         const RunOptions& options, const RunHooks& hooks, Record& record)
      : sampler_(client, clock, options.sampler),
        clock_(clock),
        subjects_(subjects),
        options_(options),
        hooks_(hooks),
        record_(record),
        failures_(subjects.size()) {}

  std::expected<void, Error> Open() {
    const bool resumed = !record_.functions.empty();
    if (resumed && record_.functions.size() != subjects_.size()) {
      return Changed(
          fmt::format("{} functions, now {}", record_.functions.size(), subjects_.size()));
    }
    for (std::size_t i = 0; i < subjects_.size(); ++i) {
      auto function = OpenOne(subjects_[i]);
      if (!function) return std::unexpected(std::move(function.error()));
      if (!resumed) {
        record_.functions.push_back(std::move(*function));
        continue;
      }
      const Function& before = record_.functions[i];
      if (before.name != function->name || before.code_sha256 != function->code_sha256 ||
          before.memory_mb != function->memory_mb) {
        return Changed(fmt::format("{} ({} MB, SHA-256 {}), now {} ({} MB, SHA-256 {})",
                                   before.name, before.memory_mb, before.code_sha256,
                                   function->name, function->memory_mb, function->code_sha256));
      }
    }
    return {};
  }

  std::expected<void, Error> Go() {
    const std::vector<Step> plan = MakePlan(record_.functions.size(), options_.plan);
    std::size_t next = FirstStep();
    start_ = clock_.Now();
    if (next > 0 && next < plan.size() && plan[next].kind != SampleKind::kCold) {
      if (auto warmed = WarmAgain(); !warmed) return warmed;
    }
    for (; next < plan.size(); ++next) {
      if (hooks_.stop_requested()) {
        record_.state = "interrupted";
        return {};
      }
      const Function& function = record_.functions[plan[next].function];
      if (!function.abandoned.empty() || IsOverBudget(plan[next])) continue;
      ShowProgress(plan, next, function);
      if (auto done = Carry(plan[next], next); !done) return done;
      if (auto saved = hooks_.save(record_); !saved) return saved;
    }
    record_.state = "finished";
    return VerifyAll();
  }

  std::expected<void, Error> Restore() { return sampler_.Restore(); }

 private:
  static std::unexpected<Error> Changed(std::string_view what) {
    return std::unexpected(Error{
        ErrorCode::kInvalidArgument,
        fmt::format("expected the functions of the run that is to be resumed, got others: {}; "
                    "start a new run instead",
                    what)});
  }

  std::expected<Function, Error> OpenOne(const Subject& subject) {
    if (options_.plan.cold > 0 && IsQualified(subject.name)) {
      return std::unexpected(Error{
          ErrorCode::kInvalidArgument,
          fmt::format("expected a function without a version or alias, got {}: a cold start is "
                      "forced by a change of the configuration, which a published version does not "
                      "allow; leave the last part off, or measure warm invokes only with --cold 0",
                      subject.name)});
    }
    auto configuration = sampler_.Open(subject.name);
    if (!configuration) return std::unexpected(std::move(configuration.error()));
    return Describe(subject, *configuration);
  }

  // Goes on after the last sample of a resumed record; one that was rejected is taken again.
  std::size_t FirstStep() {
    for (const Sample& sample : record_.samples) {
      if (sample.outcome == Outcome::kFailed) ++failures_[sample.function];
    }
    for (std::size_t i = record_.samples.size(); i > 0; --i) {
      const Sample& last = record_.samples[i - 1];
      if (last.reason == kRewarmed) continue;
      return last.step + (last.outcome == Outcome::kRejected ? 0 : 1);
    }
    return 0;
  }

  // The environments of the interrupted run are gone: new ones get as many invokes as the first
  // ones had before they counted.
  std::expected<void, Error> WarmAgain() {
    for (int round = 0; round < std::max(1, options_.plan.warm_up); ++round) {
      for (std::size_t i = 0; i < record_.functions.size(); ++i) {
        if (!record_.functions[i].abandoned.empty()) continue;
        auto sample = Take(SampleKind::kWarmUp, i);
        if (!sample) return std::unexpected(std::move(sample.error()));
        sample->function = i;
        sample->kind = SampleKind::kWarmUp;
        sample->outcome = Outcome::kRejected;
        sample->reason = kRewarmed;
        record_.samples.push_back(std::move(*sample));
      }
    }
    return {};
  }

  // Rounds are whole, and the first of each kind is always taken, whatever the budget.
  bool IsOverBudget(const Step& step) {
    if (!options_.budget || step.kind == SampleKind::kWarmUp) return false;
    const bool in_turn =
        step.kind == SampleKind::kWarm && options_.plan.warm_order == WarmOrder::kInTurn;
    if (step.round == 0) {
      if (in_turn) ++warm_blocks_;
      ended_.reset();
      return false;
    }
    if (ended_ == step.kind) return true;
    if (!in_turn && step.round == round_) return false;
    if (clock_.Now() - start_ < Allowed(step.kind, in_turn)) return false;
    ended_ = step.kind;
    return true;
  }

  // Cold samples get half of the budget where there are warm ones to take too; functions that are
  // measured in turn get equal parts of the rest.
  std::chrono::nanoseconds Allowed(SampleKind kind, bool in_turn) const {
    const std::chrono::nanoseconds budget = *options_.budget;
    if (options_.plan.cold == 0 || options_.plan.warm == 0) return budget;
    if (kind == SampleKind::kCold) return budget / 2;
    if (!in_turn) return budget;
    return budget / 2 + budget / 2 * warm_blocks_ / static_cast<int>(subjects_.size());
  }

  void ShowProgress(const std::vector<Step>& plan, std::size_t step, const Function& function) {
    const std::size_t cold =
        static_cast<std::size_t>(options_.plan.cold) * record_.functions.size();
    const std::size_t cold_left = step < cold ? cold - step : 0;
    std::optional<double> budget_left;
    if (options_.budget) {
      budget_left = std::max(
          0.0, std::chrono::duration<double>(*options_.budget - (clock_.Now() - start_)).count());
    }
    hooks_.on_progress(Progress{.done = step,
                                .planned = plan.size(),
                                .kind = plan[step].kind,
                                .function = function.name,
                                .cold_left = cold_left,
                                .warm_left = plan.size() - step - cold_left,
                                .warm_guess_ms = warm_guess_ms_,
                                .budget_left_seconds = budget_left});
  }

  // Takes the sample of one step, again while it is rejected.
  std::expected<void, Error> Carry(const Step& step, std::size_t index) {
    round_ = step.round;
    Function& function = record_.functions[step.function];
    for (int rejected = 0; rejected < options_.max_rejections; ++rejected) {
      auto sample = Take(step.kind, step.function);
      if (!sample) return std::unexpected(std::move(sample.error()));
      sample->function = step.function;
      sample->kind = step.kind;
      sample->step = index;
      NoteForeignChange(step.function);
      if (!function.abandoned.empty() && sample->outcome == Outcome::kOk) {
        sample->outcome = Outcome::kRejected;
        sample->reason = "taken after somebody else had changed the function";
      }
      record_.samples.push_back(std::move(*sample));
      const Sample& taken = record_.samples.back();
      if (taken.init_ms) warm_guess_ms_ = std::max(0.0, taken.client_ms - *taken.init_ms);
      if (taken.outcome == Outcome::kFailed) CountFailure(step.function, taken.reason);
      if (taken.outcome != Outcome::kRejected || !function.abandoned.empty()) return {};
    }
    function.abandoned =
        fmt::format("{} {} samples in a row had to be rejected: {}{}", options_.max_rejections,
                    SampleKindName(step.kind), record_.samples.back().reason,
                    step.kind == SampleKind::kCold
                        ? "; provisioned concurrency and SnapStart keep a function from starting "
                          "cold, and a log level above INFO keeps its REPORT lines back"
                        : "");
    return {};
  }

  std::expected<Sample, Error> Take(SampleKind kind, std::size_t index) {
    const Function& function = record_.functions[index];
    const std::optional<int>& memory = subjects_[index].memory_mb;
    switch (kind) {
      case SampleKind::kCold:
        return sampler_.TakeCold(function.name, function.payload, memory);
      case SampleKind::kWarmUp:
        return sampler_.TakeWarmUp(function.name, function.payload, memory);
      case SampleKind::kWarm:
        return sampler_.TakeWarm(function.name, function.payload, memory);
    }
    return std::unexpected(Error{ErrorCode::kInternal, "expected a kind of sample"});
  }

  void NoteForeignChange(std::size_t index) {
    Function& function = record_.functions[index];
    const std::string& change = sampler_.ForeignChange(function.name);
    if (change.empty() || !function.abandoned.empty()) return;
    function.abandoned = fmt::format(
        "somebody else changed {} during the run; the samples that count were taken before that "
        "was seen: measure again while nobody deploys",
        change);
  }

  // A change that no sample showed.
  std::expected<void, Error> VerifyAll() {
    for (std::size_t i = 0; i < record_.functions.size(); ++i) {
      if (!record_.functions[i].abandoned.empty()) continue;
      if (auto verified = sampler_.Verify(record_.functions[i].name); !verified) return verified;
      NoteForeignChange(i);
    }
    return {};
  }

  void CountFailure(std::size_t index, const std::string& reason) {
    const int planned = options_.plan.cold + options_.plan.warm_up + options_.plan.warm;
    if (++failures_[index] <= options_.max_failures * planned) return;
    const std::string& message = sampler_.LastFailure(record_.functions[index].name);
    record_.functions[index].abandoned = fmt::format(
        "more than {:.0f} % of its {} planned invokes failed, the last with {}{}{}",
        options_.max_failures * 100, planned, reason, message.empty() ? "" : ": ", message);
  }

  Sampler sampler_;
  const Clock& clock_;
  const std::vector<Subject>& subjects_;
  const RunOptions& options_;
  const RunHooks& hooks_;
  Record& record_;
  std::vector<int> failures_;
  Clock::TimePoint start_{};
  double warm_guess_ms_ = 0;
  int round_ = 0;  // of the last step
  int warm_blocks_ = 0;
  std::optional<SampleKind> ended_;  // of which no further round is taken
};

}  // namespace

std::expected<void, Error> Run(aws::LambdaClient& client, const Clock& clock,
                               const std::vector<Subject>& subjects, const RunOptions& options,
                               const RunHooks& hooks, Record& record) {
  const std::string now = FormatIso8601(clock.WallNow());
  if (record.started.empty()) {
    record.started = now;
  } else {
    record.resumed.push_back(now);
  }
  record.state = "running";
  record.seed = options.plan.seed;
  record.settings = {options.plan.cold, options.plan.warm_up, options.plan.warm, {}};
  if (options.budget) {
    record.settings.budget_seconds = std::chrono::duration<double>(*options.budget).count();
  }
  Runner runner(client, clock, subjects, options, hooks, record);
  auto result = runner.Open();
  if (result) result = runner.Go();
  const auto restored = runner.Restore();
  if (result && !restored) result = std::unexpected(restored.error());
  record.finished = FormatIso8601(clock.WallNow());
  record.conditions.load_end = ReadLoad();
  if (!result) record.state = "failed";
  const auto saved = hooks.save(record);
  if (result && !saved) return saved;
  return result;
}

}  // namespace kelvin::lab
