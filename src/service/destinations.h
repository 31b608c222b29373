#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "service/environment.h"
#include "service/function_name.h"
#include "service/function_store.h"

namespace kelvin::service {

// How an asynchronous invoke ended.
struct EventEnd {
  std::string_view condition;  // "Success", "RetriesExhausted", "EventAgeExceeded"...
  std::optional<InvokeOutcome> outcome = {};  // of the last attempt; nothing if there was none
  std::string version = {};                   // that the last attempt ran
};

// What AWS sends to a destination: who was invoked, with what, and what came of it.
std::string DestinationRecord(const StoredEvent& event, const EventEnd& end, const Place& place,
                              Clock::WallTime now);

// What a dead-letter target gets beside the event, as one line: for targets that are files here.
std::string DeadLetterRecord(const StoredEvent& event, const EventEnd& end, Clock::WallTime now);

// The file, below the logs, that stands for a target which is no function: a queue, a topic, a bus.
std::filesystem::path DestinationFile(const std::filesystem::path& logs, std::string_view arn);

}  // namespace kelvin::service
