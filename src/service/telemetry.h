#pragma once

#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/json/value.hpp>

#include "base/clock.h"
#include "service/extension_request.h"
#include "service/function_config.h"
#include "service/telemetry_sender.h"
#include "service/timers.h"

namespace kelvin::service {

// The telemetry of one environment: its subscriptions, and the records on their way to them, in
// batches. A batch that is refused is sent again a few times, ever later. Memory stays bounded:
// what a subscriber does not take in is dropped, and it is told so before what follows. Used from
// the executor's thread.
class Telemetry {
 public:
  // All of it outlives the object.
  struct Parts {
    boost::asio::any_io_executor executor;
    TelemetrySender& sender;
    Timers& timers;
    const Clock& clock;
  };
  explicit Telemetry(const Parts& parts);
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;
  ~Telemetry();  // what was not sent is lost

  // An init begins: there are no subscriptions yet, and with `kept` what is emitted waits for them.
  enum class Early { kDropped, kKept };
  void Begin(Early early);
  // The init is over, and with it the time to subscribe.
  void Close();
  bool closed() const { return closed_; }
  // Whether emitting does anything.
  bool wanted() const { return !subscribers_.empty() || (!closed_ && early_kept_); }

  // A second one of the same extension takes the place of the first. Each API has its own types of
  // platform records.
  void Subscribe(std::string_view extension, Subscription subscription, TelemetryApi api);
  // `type` is a literal.
  void Emit(TelemetryKind kind, std::string_view type, boost::json::value record);
  // A printed line; with kJson one that is a JSON object goes as that.
  void EmitLine(TelemetryKind kind, std::string_view line, LogFormat format);
  // Sends what there is without waiting for more.
  void Flush();

 private:
  // A record as subscribers get it. Those with a schema of before 2022-12-13 get another form of
  // some; empty when it is the same.
  struct Record {
    TelemetryKind kind;
    std::string_view type;  // for ever
    std::string text;
    std::string old_text = {};
  };
  struct Dropped {
    std::size_t records = 0;
    std::size_t bytes = 0;
    std::string reason = {};
  };
  // On its way to the subscriber, until it is there or dropped.
  struct Batch {
    std::shared_ptr<const std::string> body;
    std::size_t records;
    std::size_t bytes;
    Dropped told;  // what its first record says
    std::size_t refused = 0;
    Timers::Id retry = {};
  };
  struct Subscriber {
    std::string extension;
    Subscription subscription;
    TelemetryApi api;
    std::vector<std::string> records = {};
    std::size_t bytes = 0;
    std::optional<Batch> batch = {};
    Dropped dropped = {};  // and not told yet
    Timers::Id timer = {};
  };

  std::string Text(std::string_view type, boost::json::value record) const;
  // Whether somebody wants the old forms, or may come to.
  bool wants_old_forms() const;
  static bool Wants(const Subscriber& subscriber, const Record& record);
  void Put(Record record);
  void Add(Subscriber& subscriber, std::string text);
  void CancelTimers(Subscriber& subscriber);
  void SendLater(Subscriber& subscriber);
  void Send(Subscriber& subscriber);
  void Attempt(Subscriber& subscriber);
  void Sent(Subscriber& subscriber, const std::expected<void, Error>& sent);

  Parts parts_;
  bool closed_ = true;
  bool early_kept_ = false;
  std::size_t early_bytes_ = 0;
  std::vector<Record> early_;
  std::vector<std::shared_ptr<Subscriber>> subscribers_;
  std::shared_ptr<Telemetry*> self_;
};

}  // namespace kelvin::service
