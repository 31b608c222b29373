#pragma once

#include <set>

#include "service/log_store.h"

namespace kelvin::service {

class LogStream;

// The logs that environments write, and where they are kept. Used from the executor's thread, but
// for the store, which is thread-safe.
class FunctionLogs {
 public:
  explicit FunctionLogs(LogStore& store) : store_(store) {}  // outlives the object
  FunctionLogs(const FunctionLogs&) = delete;
  FunctionLogs& operator=(const FunctionLogs&) = delete;

  LogStore& store() { return store_; }
  // Hands the store what is held back.
  void Flush();

 private:
  friend class LogStream;
  LogStore& store_;
  std::set<LogStream*> live_;
};

}  // namespace kelvin::service
