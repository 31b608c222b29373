#include "service/telemetry.h"

#include <algorithm>
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

bool Wants(const Subscription& subscription, TelemetryKind kind) {
  return std::ranges::find(subscription.kinds, kind) != subscription.kinds.end();
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
  for (const auto& subscriber : subscribers_) parts_.timers.Cancel(subscriber->timer);
  subscribers_.clear();
  early_.clear();
  early_bytes_ = 0;
  early_kept_ = early == Early::kKept;
  closed_ = false;
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
    parts_.timers.Cancel(it->timer);
    return true;
  });
  json::array types;
  for (const TelemetryKind kind : subscription.kinds) types.emplace_back(NameOf(kind));
  const auto added = std::make_shared<Subscriber>(
      Subscriber{.extension = std::string(extension), .subscription = std::move(subscription)});
  subscribers_.push_back(added);
  for (const Record& record : early_) {
    if (!Wants(added->subscription, record.kind)) continue;
    const bool old = WantsOldForms(added->subscription) && !record.old_text.empty();
    Add(*added, old ? record.old_text : record.text);
  }
  Emit(TelemetryKind::kPlatform,
       api == TelemetryApi::kLogs ? "platform.logsSubscription" : "platform.telemetrySubscription",
       json::object{{"name", extension}, {"state", "Subscribed"}, {"types", std::move(types)}});
}

void Telemetry::Emit(TelemetryKind kind, std::string_view type, json::value record) {
  if (!wanted()) return;
  Record made{.kind = kind, .text = {}};
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

void Telemetry::Put(Record record) {
  for (const auto& subscriber : subscribers_) {
    if (!Wants(subscriber->subscription, record.kind)) continue;
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
  Record made{.kind = kind, .text = {}};
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
    if (subscriber.sending) return Drop(subscriber, 1, text.size(), kFellBehind);
    Send(subscriber);
  }
  subscriber.bytes += text.size();
  subscriber.records.push_back(std::move(text));
  if (subscriber.records.size() >= limits.max_items && !subscriber.sending) {
    return Send(subscriber);
  }
  if (subscriber.timer.number != 0 || subscriber.sending) return;
  subscriber.timer = parts_.timers.After(limits.timeout, [this, to = &subscriber] {
    to->timer = {};
    Send(*to);
  });
}

void Telemetry::Drop(Subscriber& subscriber, std::size_t records, std::size_t bytes,
                     std::string_view reason) {
  subscriber.dropped_records += records;
  subscriber.dropped_bytes += bytes;
  subscriber.drop_reason = reason;
}

void Telemetry::Flush() {
  for (const auto& subscriber : subscribers_) Send(*subscriber);
}

void Telemetry::Send(Subscriber& subscriber) {
  parts_.timers.Cancel(subscriber.timer);
  if (subscriber.sending || subscriber.records.empty()) return;
  subscriber.sending = true;
  const std::size_t count = subscriber.records.size();
  const std::size_t bytes = std::exchange(subscriber.bytes, 0);
  std::string body =
      Body(subscriber.subscription.destination, std::exchange(subscriber.records, {}));
  const auto keep =
      *std::ranges::find_if(subscribers_, [&](const auto& it) { return it.get() == &subscriber; });
  boost::asio::co_spawn(parts_.executor,
                        parts_.sender.Send(subscriber.subscription.destination, std::move(body)),
                        [weak = std::weak_ptr(self_), keep, count, bytes](
                            const std::exception_ptr&, const std::expected<void, Error>& sent) {
                          if (const auto self = weak.lock())
                            (*self)->Sent(*keep, count, bytes, sent);
                        });
}

void Telemetry::Sent(Subscriber& subscriber, std::size_t records, std::size_t bytes,
                     const std::expected<void, Error>& sent) {
  subscriber.sending = false;
  const bool current =
      std::ranges::any_of(subscribers_, [&](const auto& it) { return it.get() == &subscriber; });
  if (!current) return;
  if (!sent) Drop(subscriber, records, bytes, "could not send events: " + sent.error().message);
  if (sent && subscriber.dropped_records > 0) {
    std::string text =
        Text("platform.logsDropped",
             json::object{{"droppedBytes", std::exchange(subscriber.dropped_bytes, 0)},
                          {"droppedRecords", std::exchange(subscriber.dropped_records, 0)},
                          {"reason", std::exchange(subscriber.drop_reason, {})}});
    // It says what is missing before what follows.
    subscriber.bytes += text.size();
    subscriber.records.insert(subscriber.records.begin(), std::move(text));
  }
  const Subscription& limits = subscriber.subscription;
  if (subscriber.records.size() >= limits.max_items || subscriber.bytes >= limits.max_bytes) {
    return Send(subscriber);
  }
  if (subscriber.records.empty() || subscriber.timer.number != 0) return;
  subscriber.timer = parts_.timers.After(limits.timeout, [this, to = &subscriber] {
    to->timer = {};
    Send(*to);
  });
}

}  // namespace kelvin::service
