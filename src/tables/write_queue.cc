#include "tables/write_queue.h"

#include <utility>

namespace kelvin::tables {

void WriteQueue::Run(WriteJob& job) {
  std::unique_lock lock(mutex_);
  waiting_.push_back(&job);
  while (!job.done) {
    if (busy_) {
      finished_.wait(lock);
      continue;
    }
    busy_ = true;
    std::vector<WriteJob*> batch = std::exchange(waiting_, {});
    lock.unlock();
    commit_(batch);
    lock.lock();
    busy_ = false;
    for (WriteJob* done : batch) done->done = true;
    finished_.notify_all();
  }
}

}  // namespace kelvin::tables
