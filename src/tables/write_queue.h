#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "tables/failure.h"
#include "tables/transaction.h"

namespace kelvin::tables {

// One client's writes, waiting for their turn. `work` may run more than once: whatever it found out
// in an earlier run no longer holds.
struct WriteJob {
  const std::function<Outcome<void>(Transaction& transaction)>* work = nullptr;
  Outcome<void> result = {};
  bool done = false;
};

// Lets writers that come while others are being committed share the next commit, and so its wait
// for the disk: whoever finds nobody at work does the work of all who wait. Thread-safe.
class WriteQueue {
 public:
  // Does the jobs, all of them in one commit, and fills in their results.
  using Commit = std::function<void(std::vector<WriteJob*>& batch)>;
  explicit WriteQueue(Commit commit) : commit_(std::move(commit)) {}

  // Returns when the job is done and on the disk.
  void Run(WriteJob& job);

 private:
  Commit commit_;
  std::mutex mutex_;
  std::condition_variable finished_;
  std::vector<WriteJob*> waiting_;
  bool busy_ = false;
};

}  // namespace kelvin::tables
