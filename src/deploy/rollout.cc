#include "deploy/rollout.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "deploy/deployment.h"

namespace kelvin::deploy {
namespace {

namespace json = boost::json;

std::unexpected<Error> Invalid(std::string message) {
  return std::unexpected(Error{ErrorCode::kInvalidArgument, std::move(message)});
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// A number in front of a unit; the unit is left in `text`.
std::optional<double> TakeNumber(std::string_view& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || !std::isfinite(number) || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

double ErrorShare(const VersionFigures& figures) {
  return figures.invocations == 0 ? 0
                                  : 100.0 * static_cast<double>(figures.errors) /
                                        static_cast<double>(figures.invocations);
}

double ValueOf(AbortRule::Figure figure, const VersionFigures& figures) {
  switch (figure) {
    case AbortRule::Figure::kErrors:
      return ErrorShare(figures);
    case AbortRule::Figure::kMean:
      return figures.mean_ms;
    case AbortRule::Figure::kP50:
      return figures.p50_ms;
    case AbortRule::Figure::kP99:
      return figures.p99_ms;
  }
  return 0;
}

// Holds the alias from step to step.
class Walker {
 public:
  Walker(Lambda& lambda, Metrics& metrics, const Clock& clock, const RolloutOptions& options,
         const std::function<void(std::string_view)>& told, const std::function<bool()>& stop)
      : lambda_(lambda),
        metrics_(metrics),
        clock_(clock),
        options_(options),
        told_(told),
        stop_(stop) {}

  std::expected<RolloutOutcome, Error> Run() {
    if (auto begun = Begin(); !begun) return std::unexpected(std::move(begun.error()));
    if (alias_.version == outcome_.to) {
      told_(fmt::format("alias {} is at version {} already", options_.alias, outcome_.to));
      return outcome_;
    }
    for (const int percent : options_.steps) {
      if (percent < begun_at_) continue;
      if (auto taken = Take(percent); !taken) return std::unexpected(std::move(taken.error()));
      if (!outcome_.aborted_by.empty() || percent == 100) break;
    }
    return std::move(outcome_);
  }

 private:
  using Result = std::expected<void, Error>;

  Result Begin() {
    auto alias = lambda_.Alias(options_.function, options_.alias);
    if (!alias) return std::unexpected(std::move(alias.error()));
    if (!*alias) {
      return std::unexpected(Error{
          ErrorCode::kNotFound,
          fmt::format("expected an alias {} of {}, there is none; make it with 'kelvin deploy "
                      "--alias {}', or name another",
                      options_.alias, options_.function, options_.alias)});
    }
    alias_ = std::move(**alias);
    outcome_.from = alias_.version;
    outcome_.to = options_.to;
    if (!alias_.weights.empty()) {
      const auto& [version, weight] = *alias_.weights.begin();
      if (!options_.to.empty() && options_.to != version) {
        return std::unexpected(Error{
            ErrorCode::kAlreadyExists,
            fmt::format("a rollout of {} to version {} is under way; end it with 'kelvin rollback' "
                        "before one to version {}",
                        options_.function, version, options_.to)});
      }
      outcome_.to = version;
      reached_ = begun_at_ = static_cast<int>(std::lround(weight * 100));
      told_(fmt::format("going on with the rollout from version {} to {} at {}%", outcome_.from,
                        outcome_.to, reached_));
      return {};
    }
    const auto versions = lambda_.Versions(options_.function);
    if (!versions) return std::unexpected(versions.error());
    if (outcome_.to.empty() && !versions->empty()) outcome_.to = versions->back();
    if (std::ranges::find(*versions, outcome_.to) == versions->end()) {
      return std::unexpected(Error{
          ErrorCode::kNotFound,
          fmt::format("expected a published version of {}, got \"{}\"; publish one with 'kelvin "
                      "deploy --no-alias-move'",
                      options_.function, outcome_.to)});
    }
    return {};
  }

  Result Take(int percent) {
    if (percent == 100) return Finish();
    if (auto moved = Move(percent); !moved) return moved;
    const auto since = clock_.WallNow();
    told_(fmt::format("{}% at version {}; watching for {:.0f} s", percent, outcome_.to,
                      std::chrono::duration<double>(options_.every).count()));
    RolloutStep step{.percent = percent, .old_version = {}, .new_version = {}};
    do {
      if (auto watched = Watch(step, since); !watched) return watched;
      if (!outcome_.aborted_by.empty()) return Back();
    } while (step.new_version.invocations < options_.min_invocations);
    outcome_.steps.push_back(step);
    told_(
        fmt::format("{}%: {} invokes of version {}, {} errors, p99 {:.1f} ms (version {}: {} "
                    "invokes, {} errors, p99 {:.1f} ms)",
                    percent, step.new_version.invocations, outcome_.to, step.new_version.errors,
                    step.new_version.p99_ms, outcome_.from, step.old_version.invocations,
                    step.old_version.errors, step.old_version.p99_ms));
    return {};
  }

  // Looks several times in a step, so that what goes wrong is seen before its end.
  Result Watch(RolloutStep& step, Clock::WallTime since) {
    constexpr int kLooks = 5;
    for (int look = 0; look < kLooks; ++look) {
      if (!Sleep(options_.every / kLooks)) {
        return std::unexpected(
            Error{ErrorCode::kTimeout,
                  fmt::format("interrupted at {}%; the same command goes on from here, 'kelvin "
                              "rollback {}' goes back to version {}",
                              step.percent, options_.function, outcome_.from)});
      }
      auto before = metrics_.Since(options_.function, options_.alias, outcome_.from, since);
      if (!before) return Stopped(std::move(before.error()));
      auto after = metrics_.Since(options_.function, options_.alias, outcome_.to, since);
      if (!after) return Stopped(std::move(after.error()));
      step.old_version = *before;
      step.new_version = *after;
      if (auto broken = BrokenRule(options_.rules, *before, *after)) {
        outcome_.aborted_by = fmt::format("at {}%: {}", step.percent, *broken);
        outcome_.steps.push_back(step);
        return {};
      }
    }
    return {};
  }

  // In short pieces, so that an interruption is heard; false when there was one.
  bool Sleep(std::chrono::nanoseconds rest) {
    constexpr std::chrono::nanoseconds kPiece = std::chrono::milliseconds(200);
    while (rest.count() > 0 && !stop_()) {
      const auto piece = std::min(rest, kPiece);
      clock_.SleepFor(piece);
      rest -= piece;
    }
    return !stop_();
  }

  // Says where it stands when it cannot go on.
  Result Stopped(Error error) {
    error.message += fmt::format(
        "; {}% of the invokes go to version {}: run the same command again to go on, or 'kelvin "
        "rollback {}' to go back to version {}",
        reached_, outcome_.to, options_.function, outcome_.from);
    return std::unexpected(std::move(error));
  }

  Result Update(json::object body, int percent) {
    if (!alias_.revision.empty()) body["RevisionId"] = alias_.revision;
    auto updated = lambda_.UpdateAlias(options_.function, options_.alias, body);
    if (updated) {
      alias_ = std::move(*updated);
      reached_ = percent;
      return {};
    }
    Error error = std::move(updated.error());
    if (error.remote_type == "PreconditionFailedException") {
      error.code = ErrorCode::kAlreadyExists;
      error.message += fmt::format(
          "; somebody else has moved alias {} meanwhile, and it stays where they put it",
          options_.alias);
      return std::unexpected(std::move(error));
    }
    return Stopped(std::move(error));
  }

  Result Move(int percent) {
    if (percent == reached_) return {};
    return Update(
        {{"FunctionVersion", outcome_.from},
         {"RoutingConfig", {{"AdditionalVersionWeights", {{outcome_.to, percent / 100.0}}}}}},
        percent);
  }

  Result Finish() {
    auto done = Update({{"FunctionVersion", outcome_.to},
                        {"Description", DescribePrevious(outcome_.from)},
                        {"RoutingConfig", {{"AdditionalVersionWeights", json::object()}}}},
                       100);
    if (!done) return done;
    told_(fmt::format("100%: alias {} is at version {}", options_.alias, outcome_.to));
    return {};
  }

  Result Back() {
    auto done = Update({{"FunctionVersion", outcome_.from},
                        {"RoutingConfig", {{"AdditionalVersionWeights", json::object()}}}},
                       0);
    if (!done) {
      done.error().message += fmt::format("; a rule is broken, {}", outcome_.aborted_by);
      return done;
    }
    told_(fmt::format("rolled back to version {}: {}", outcome_.from, outcome_.aborted_by));
    return {};
  }

  Lambda& lambda_;
  Metrics& metrics_;
  const Clock& clock_;
  const RolloutOptions& options_;
  const std::function<void(std::string_view)>& told_;
  const std::function<bool()>& stop_;
  RemoteAlias alias_;
  RolloutOutcome outcome_;
  int begun_at_ = 0;  // percent, of a rollout that was interrupted
  int reached_ = 0;   // percent of the invokes that go to the new version
};

}  // namespace

std::expected<AbortRule, Error> ParseAbortRule(std::string_view text) {
  const auto wrong = [text] {
    return Invalid(fmt::format(
        "expected a rule such as 'errors > 1%', 'p99 > 1.2x' or 'mean > 50ms', got '{}'", text));
  };
  AbortRule rule{.text = std::string(text)};
  const std::size_t greater = text.find('>');
  if (greater == std::string_view::npos) return wrong();
  const std::string_view figure = Trimmed(text.substr(0, greater));
  std::string_view limit = Trimmed(text.substr(greater + 1));
  if (figure == "errors") {
    rule.figure = AbortRule::Figure::kErrors;
  } else if (figure == "mean") {
    rule.figure = AbortRule::Figure::kMean;
  } else if (figure == "p50") {
    rule.figure = AbortRule::Figure::kP50;
  } else if (figure == "p99") {
    rule.figure = AbortRule::Figure::kP99;
  } else {
    return wrong();
  }
  const auto number = TakeNumber(limit);
  if (!number) return wrong();
  rule.limit = *number;
  const bool errors = rule.figure == AbortRule::Figure::kErrors;
  if (limit == "%" && errors) {
    rule.unit = AbortRule::Unit::kPercent;
  } else if (limit == "x") {
    rule.unit = AbortRule::Unit::kRatio;
  } else if (limit == "ms" && !errors) {
    rule.unit = AbortRule::Unit::kMilliseconds;
  } else {
    return wrong();
  }
  return rule;
}

std::expected<std::vector<int>, Error> ParseSteps(std::string_view text) {
  std::vector<int> steps;
  std::string_view rest = text;
  bool rises = true;
  while (!rest.empty()) {
    int percent = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), percent);
    const int before = steps.empty() ? 0 : steps.back();
    if (error != std::errc{} || percent <= before || percent > 100) rises = false;
    if (!rises) break;
    steps.push_back(percent);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (!rest.empty() && rest.front() != ',') rises = false;
    if (!rest.empty()) rest.remove_prefix(1);
  }
  if (!rises || steps.empty() || steps.back() != 100) {
    return Invalid(
        fmt::format("expected percentages that rise to 100, such as 10,25,50,100, got '{}'", text));
  }
  return steps;
}

std::expected<std::chrono::milliseconds, Error> ParseDuration(std::string_view text) {
  std::string_view unit = text;
  const auto number = TakeNumber(unit);
  double factor = 0;
  if (unit == "ms") factor = 1;
  if (unit == "s") factor = 1000;
  if (unit == "m") factor = 60'000;
  if (unit == "h") factor = 3'600'000;
  if (!number || factor == 0 || *number * factor < 1 || *number * factor > 86'400'000) {
    return Invalid(fmt::format("expected a time such as 30s or 5m, got '{}'", text));
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(*number * factor));
}

std::optional<std::string> BrokenRule(const std::vector<AbortRule>& rules,
                                      const VersionFigures& old_version,
                                      const VersionFigures& new_version) {
  if (new_version.invocations == 0) return std::nullopt;
  for (const AbortRule& rule : rules) {
    const double now = ValueOf(rule.figure, new_version);
    if (rule.unit != AbortRule::Unit::kRatio) {
      if (now <= rule.limit) continue;
      return fmt::format("'{}' broken: {:.2f}{} over {} invokes", rule.text, now,
                         rule.unit == AbortRule::Unit::kPercent ? "%" : " ms",
                         new_version.invocations);
    }
    const double before = ValueOf(rule.figure, old_version);
    if (old_version.invocations == 0 || now <= before * rule.limit) continue;
    return fmt::format("'{}' broken: {:.2f} against {:.2f} over {} invokes", rule.text, now, before,
                       new_version.invocations);
  }
  return std::nullopt;
}

std::expected<RolloutOutcome, Error> Rollout(Lambda& lambda, Metrics& metrics, const Clock& clock,
                                             const RolloutOptions& options,
                                             const std::function<void(std::string_view)>& told,
                                             const std::function<bool()>& stop) {
  return Walker(lambda, metrics, clock, options, told, stop).Run();
}

}  // namespace kelvin::deploy
