#include "service/telemetry.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json.hpp>

#include "base/time_format.h"

namespace kelvin::service {

namespace json = boost::json;

namespace {

// Of the init phase, for who subscribes later in it.
constexpr std::size_t kMostEarlyBytes = 256 * 1024;
constexpr std::string_view kFellBehind =
    "Some logs were dropped because the downstream consumer is slower than the logs production "
    "rate";

// Between attempts to send a batch; after the last it is dropped.
constexpr std::chrono::milliseconds kRetryDelays[] = {
    std::chrono::milliseconds{100}, std::chrono::milliseconds{200}, std::chrono::milliseconds{400},
    std::chrono::milliseconds{800}};

template <typename Dropped>
void Count(Dropped& dropped, std::size_t records, std::size_t bytes, std::string_view reason) {
  dropped.records += records;
  dropped.bytes += bytes;
  dropped.reason = reason;
}

// Platform records of one of the APIs only. Those who read the older one break at types that it
// does not have.
constexpr std::string_view kOfTelemetryApi[] = {"platform.initStart", "platform.initRuntimeDone",
                                                "platform.initReport",
                                                "platform.telemetrySubscription"};
constexpr std::string_view kOfLogsApi[] = {"platform.end", "platform.logsSubscription"};

bool Contains(const auto& range, const auto& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

bool WantsOldForms(const Subscription& subscription) {
  return subscription.schema_version < "2022-12-13";
}

// What platform records did not say then.
struct NewField {
  std::string_view type;
  std::string_view name;
};
constexpr NewField kNewFields[] = {
    {"platform.initStart", "functionName"}, {"platform.initStart", "functionVersion"},
    {"platform.initStart", "instanceId"},   {"platform.initStart", "instanceMaxMemory"},
    {"platform.initReport", "status"},      {"platform.initReport", "errorType"},
    {"platform.runtimeDone", "errorType"},
};

// Nothing when it is as the new one.
std::optional<json::object> OldForm(std::string_view type, const json::value& record) {
  if (!record.is_object()) return std::nullopt;
  json::object old = record.get_object();
  for (const NewField& field : kNewFields) {
    if (field.type == type) old.erase(field.name);
  }
  if (old.size() == record.get_object().size()) return std::nullopt;
  return old;
}

std::string Body(const TelemetryDestination& destination, const std::vector<std::string>& records) {
  std::string body;
  const bool http = destination.protocol == TelemetryDestination::Protocol::kHttp;
  for (const std::string& record : records) {
    if (http) body += body.empty() ? '[' : ',';
    body += record;
    if (!http) body += '\n';
  }
  if (http) body += ']';
  return body;
}

}  // namespace

Telemetry::Telemetry(const Parts& parts)
    : parts_(parts), self_(std::make_shared<Telemetry*>(this)) {}

Telemetry::~Telemetry() {
  Begin(Early::kDropped);
}

void Telemetry::Begin(Early early) {
  for (const auto& subscriber : subscribers_) CancelTimers(*subscriber);
  subscribers_.clear();
  early_.clear();
  early_bytes_ = 0;
  early_kept_ = early == Early::kKept;
  closed_ = false;
}

void Telemetry::CancelTimers(Subscriber& subscriber) {
  parts_.timers.Cancel(subscriber.timer);
  if (subscriber.batch) parts_.timers.Cancel(subscriber.batch->retry);
}

void Telemetry::Close() {
  closed_ = true;
  early_ = {};
  early_bytes_ = 0;
}

std::string Telemetry::Text(std::string_view type, json::value record) const {
  return json::serialize(json::object{{"time", FormatIso8601(parts_.clock.WallNow())},
                                      {"type", type},
                                      {"record", std::move(record)}});
}

void Telemetry::Subscribe(std::string_view extension, Subscription subscription, TelemetryApi api) {
  std::erase_if(subscribers_, [&](const auto& it) {
    if (it->extension != extension) return false;
    CancelTimers(*it);
    return true;
  });
  json::array types;
  for (const TelemetryKind kind : subscription.kinds) types.emplace_back(NameOf(kind));
  const auto added = std::make_shared<Subscriber>(Subscriber{
      .extension = std::string(extension), .subscription = std::move(subscription), .api = api});
  subscribers_.push_back(added);
  for (const Record& record : early_) {
    if (!Wants(*added, record)) continue;
    const bool old = WantsOldForms(added->subscription) && !record.old_text.empty();
    Add(*added, old ? record.old_text : record.text);
  }
  Emit(TelemetryKind::kPlatform,
       api == TelemetryApi::kLogs ? "platform.logsSubscription" : "platform.telemetrySubscription",
       json::object{{"name", extension}, {"state", "Subscribed"}, {"types", std::move(types)}});
}

void Telemetry::Emit(TelemetryKind kind, std::string_view type, json::value record) {
  if (!wanted()) return;
  Record made{.kind = kind, .type = type, .text = {}};
  if (wants_old_forms()) {
    if (auto old = OldForm(type, record)) made.old_text = Text(type, std::move(*old));
  }
  made.text = Text(type, std::move(record));
  Put(std::move(made));
}

bool Telemetry::wants_old_forms() const {
  return !closed_ || std::ranges::any_of(subscribers_, [](const auto& it) {
    return WantsOldForms(it->subscription);
  });
}

bool Telemetry::Wants(const Subscriber& subscriber, const Record& record) {
  if (!Contains(subscriber.subscription.kinds, record.kind)) return false;
  if (subscriber.api == TelemetryApi::kTelemetry) return !Contains(kOfLogsApi, record.type);
  const bool too_new = record.type == "platform.runtimeDone" &&
                       subscriber.subscription.schema_version < "2021-03-18";
  return !too_new && !Contains(kOfTelemetryApi, record.type);
}

void Telemetry::Put(Record record) {
  for (const auto& subscriber : subscribers_) {
    if (!Wants(*subscriber, record)) continue;
    const bool old = WantsOldForms(subscriber->subscription) && !record.old_text.empty();
    Add(*subscriber, old ? record.old_text : record.text);
  }
  const std::size_t bytes = record.text.size() + record.old_text.size();
  if (closed_ || !early_kept_ || early_bytes_ + bytes > kMostEarlyBytes) return;
  early_bytes_ += bytes;
  early_.push_back(std::move(record));
}

void Telemetry::EmitLine(TelemetryKind kind, std::string_view line, LogFormat format) {
  if (!wanted()) return;
  boost::system::error_code error;
  Record made{.kind = kind, .type = NameOf(kind), .text = {}};
  if (format == LogFormat::kJson && line.starts_with('{')) {
    json::value parsed = json::parse(line, error);
    if (!error && parsed.is_object()) made.text = Text(NameOf(kind), std::move(parsed));
  }
  const bool is_line = made.text.empty();
  if (is_line) made.text = Text(NameOf(kind), json::string(line));
  if (!is_line && wants_old_forms()) made.old_text = Text(NameOf(kind), json::string(line));
  Put(std::move(made));
}

void Telemetry::Add(Subscriber& subscriber, std::string text) {
  const Subscription& limits = subscriber.subscription;
  const bool full = subscriber.records.size() >= limits.max_items ||
                    subscriber.bytes + text.size() > limits.max_bytes;
  if (full && !subscriber.records.empty()) {
    if (subscriber.batch) {
      Count(subscriber.dropped, 1, text.size(), kFellBehind);
      return;
    }
    Send(subscriber);
  }
  subscriber.bytes += text.size();
  subscriber.records.push_back(std::move(text));
  if (subscriber.batch) return;
  if (subscriber.records.size() >= limits.max_items) return Send(subscriber);
  SendLater(subscriber);
}

void Telemetry::SendLater(Subscriber& subscriber) {
  if (subscriber.timer.number != 0) return;
  subscriber.timer = parts_.timers.After(subscriber.subscription.timeout, [this, to = &subscriber] {
    to->timer = {};
    Send(*to);
  });
}

void Telemetry::Flush() {
  for (const auto& subscriber : subscribers_) {
    const bool waits = subscriber->batch && subscriber->batch->retry.number != 0;
    if (waits) Attempt(*subscriber);
    Send(*subscriber);
  }
}

void Telemetry::Send(Subscriber& subscriber) {
  parts_.timers.Cancel(subscriber.timer);
  if (subscriber.batch) return;
  if (subscriber.records.empty() && subscriber.dropped.records == 0) return;
  std::vector<std::string> records = std::exchange(subscriber.records, {});
  Batch batch{.body = {},
              .records = records.size(),
              .bytes = std::exchange(subscriber.bytes, 0),
              .told = std::exchange(subscriber.dropped, {})};
  if (batch.told.records > 0) {
    records.insert(records.begin(),
                   Text("platform.logsDropped", json::object{{"droppedBytes", batch.told.bytes},
                                                             {"droppedRecords", batch.told.records},
                                                             {"reason", batch.told.reason}}));
  }
  batch.body =
      std::make_shared<const std::string>(Body(subscriber.subscription.destination, records));
  subscriber.batch = std::move(batch);
  Attempt(subscriber);
}

void Telemetry::Attempt(Subscriber& subscriber) {
  parts_.timers.Cancel(subscriber.batch->retry);
  const auto keep =
      *std::ranges::find_if(subscribers_, [&](const auto& it) { return it.get() == &subscriber; });
  boost::asio::co_spawn(
      parts_.executor,
      parts_.sender.Send(subscriber.subscription.destination, subscriber.batch->body),
      [weak = std::weak_ptr(self_), keep](const std::exception_ptr&,
                                          const std::expected<void, Error>& sent) {
        if (const auto self = weak.lock()) (*self)->Sent(*keep, sent);
      });
}

void Telemetry::Sent(Subscriber& subscriber, const std::expected<void, Error>& sent) {
  const bool current =
      std::ranges::any_of(subscribers_, [&](const auto& it) { return it.get() == &subscriber; });
  if (!current) return;
  if (!sent && subscriber.batch->refused < std::size(kRetryDelays)) {
    const auto delay = kRetryDelays[subscriber.batch->refused++];
    subscriber.batch->retry =
        parts_.timers.After(delay, [this, to = &subscriber] { Attempt(*to); });
    return;
  }
  const Batch batch = std::move(*std::exchange(subscriber.batch, std::nullopt));
  if (!sent) {
    Count(subscriber.dropped, batch.told.records + batch.records, batch.told.bytes + batch.bytes,
          "could not send events: " + sent.error().message);
  }
  const Subscription& limits = subscriber.subscription;
  if (subscriber.records.size() >= limits.max_items || subscriber.bytes >= limits.max_bytes) {
    return Send(subscriber);
  }
  // What was dropped is told with what comes next: a listener that is gone is left alone.
  if (!subscriber.records.empty()) SendLater(subscriber);
}

}  // namespace kelvin::service
