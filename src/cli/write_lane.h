#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "tables/tables.h"

namespace kelvin::cli {

// Answers small writes on a thread of its own: all that have come while it waited for the disk go
// into its next commit.
class WriteLane {
 public:
  explicit WriteLane(tables::Tables& tables);  // which outlives it
  WriteLane(const WriteLane&) = delete;
  WriteLane& operator=(const WriteLane&) = delete;
  ~WriteLane();  // as Join

  // Called on an event loop, which outlives this object and whose thread goes on meanwhile.
  boost::asio::awaitable<http::Response> Answer(http::Request request);
  // Answers what still waits; none may come after.
  void Join();

 private:
  using Resume = std::move_only_function<void(http::Response)>;
  struct Waiting {
    http::Request request;
    boost::asio::any_io_executor loop;
    Resume resume;
  };
  void Add(Waiting waiting);
  void Run();
  std::vector<Waiting> Take(std::size_t expected);
  static void Finish(std::vector<Waiting> batch, std::vector<http::Response> responses);

  tables::Tables& tables_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Waiting> waiting_;
  std::size_t wanted_ = 1;  // as many must wait before the thread is woken
  bool ending_ = false;
  std::chrono::steady_clock::duration patience_{};  // used on the thread
  std::thread thread_;
};

}  // namespace kelvin::cli
