#include "cli/write_lane.h"

#include <algorithm>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace kelvin::cli {
namespace {

namespace asio = boost::asio;

// How long the thread ever waits for the clients of the last commit to come back.
constexpr std::chrono::microseconds kMostPatience{500};

}  // namespace

WriteLane::WriteLane(tables::Tables& tables) : tables_(tables), thread_([this] { Run(); }) {}

WriteLane::~WriteLane() {
  Join();
}

void WriteLane::Join() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

asio::awaitable<http::Response> WriteLane::Answer(http::Request request) {
  auto loop = co_await asio::this_coro::executor;
  http::Response response =
      co_await asio::async_initiate<const asio::use_awaitable_t<>, void(http::Response)>(
          [this, &loop, &request](auto handler) {
            Add({std::move(request), loop,
                 [handler = std::move(handler)](http::Response answer) mutable {
                   std::move(handler)(std::move(answer));
                 }});
          },
          asio::use_awaitable);
  co_return response;
}

void WriteLane::Add(Waiting waiting) {
  bool enough = false;
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(waiting));
    enough = waiting_.size() >= wanted_;
  }
  if (enough) changed_.notify_one();
}

// Those who were answered together mostly come back together: a moment's patience puts them into
// one commit again, where the first of them alone would make the others wait for two.
std::vector<WriteLane::Waiting> WriteLane::Take(std::size_t expected) {
  std::unique_lock lock(mutex_);
  wanted_ = 1;
  changed_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
  if (waiting_.size() < expected && !ending_) {
    wanted_ = expected;
    changed_.wait_for(lock, patience_, [&] { return ending_ || waiting_.size() >= expected; });
  }
  return std::exchange(waiting_, {});
}

void WriteLane::Run() {
  std::size_t expected = 1;
  std::vector<http::Request> requests;
  while (true) {
    std::vector<Waiting> batch = Take(expected);
    if (batch.empty()) return;
    expected = batch.size();
    requests.clear();
    for (Waiting& waiting : batch) requests.push_back(std::move(waiting.request));
    const auto begin = std::chrono::steady_clock::now();
    std::vector<http::Response> responses = tables_.HandleTogether(requests);
    patience_ = std::min<std::chrono::steady_clock::duration>(
        (std::chrono::steady_clock::now() - begin) / 2, kMostPatience);
    Finish(std::move(batch), std::move(responses));
  }
}

// Each loop is woken once.
void WriteLane::Finish(std::vector<Waiting> batch, std::vector<http::Response> responses) {
  while (!batch.empty()) {
    const asio::any_io_executor loop = batch.front().loop;
    std::vector<std::pair<Resume, http::Response>> answers;
    std::vector<Waiting> others;
    std::vector<http::Response> for_others;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (batch[i].loop == loop) {
        answers.emplace_back(std::move(batch[i].resume), std::move(responses[i]));
      } else {
        others.push_back(std::move(batch[i]));
        for_others.push_back(std::move(responses[i]));
      }
    }
    asio::post(loop, [answers = std::move(answers)]() mutable {
      for (auto& [resume, response] : answers) resume(std::move(response));
    });
    batch = std::move(others);
    responses = std::move(for_others);
  }
}

}  // namespace kelvin::cli
