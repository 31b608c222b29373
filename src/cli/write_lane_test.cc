#include "cli/write_lane.h"

#include <array>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "base/fake_clock.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/log.h"

namespace kelvin::cli {
namespace {

namespace asio = boost::asio;

http::Request Request(std::string_view operation, std::string body) {
  return {"POST",
          "/",
          {{"X-Amz-Target", "DynamoDB_20120810." + std::string(operation)},
           {"Content-Type", "application/x-amz-json-1.0"},
           {"Authorization", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c"},
           {"X-Amz-Date", "20260101T000000Z"}},
          std::move(body)};
}

http::Request Put(int key) {
  return Request("PutItem", "{\"TableName\":\"tab\",\"Item\":{\"k\":{\"N\":\"" +
                                std::to_string(key) +
                                "\"}},\"ConditionExpression\":\"attribute_not_exists(k)\"}");
}

class WriteLanes : public ::testing::Test {
 protected:
  WriteLanes() : folder_(std::move(*TemporaryDirectory::Create())) {
    tables_ = *tables::Tables::Open(
        {clock_, random_, log_}, {.folder = folder_.path(), .background = tables::Background::kNo});
    tables_->Handle(Request("CreateTable", R"({"TableName":"tab","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"N"}],
        "KeySchema":[{"AttributeName":"k","KeyType":"HASH"}]})"));
  }

  // One client's requests, one after another.
  asio::awaitable<void> Ask(WriteLane& lane, std::vector<int> keys) {
    for (const int key : keys) {
      const http::Response response = co_await lane.Answer(Put(key));
      statuses_.push_back(response.status);
    }
  }

  TemporaryDirectory folder_;
  FakeClock clock_;
  SystemRandom random_;
  Log log_{clock_, LogLevel::kWarn, [](std::string_view) {}};
  std::unique_ptr<tables::Tables> tables_;
  std::vector<int> statuses_;
};

TEST_F(WriteLanes, AnswerEveryClient) {
  asio::io_context loop;
  WriteLane lane(*tables_);
  for (int client = 0; client < 5; ++client) {
    asio::co_spawn(loop, Ask(lane, {3 * client, 3 * client + 1, 3 * client + 2}), asio::detached);
  }
  auto guard = asio::make_work_guard(loop);
  while (statuses_.size() < 15) loop.run_one();
  EXPECT_EQ(statuses_, std::vector<int>(15, 200));
  EXPECT_EQ(tables_->Handle(Put(7)).status, 400);
}

TEST_F(WriteLanes, AnswerEachClientOnItsOwnLoop) {
  std::array<asio::io_context, 2> loops;
  WriteLane lane(*tables_);
  std::array<std::vector<std::thread::id>, 2> ran;
  const auto ask = [&](std::size_t loop, int first) -> asio::awaitable<void> {
    const auto stays = asio::make_work_guard(loops[loop]);
    for (int i = 0; i < 20; ++i) {
      const http::Response response = co_await lane.Answer(Put(first + i));
      EXPECT_EQ(response.status, 200);
      ran[loop].push_back(std::this_thread::get_id());
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t loop = 0; loop < loops.size(); ++loop) {
    for (int client = 0; client < 2; ++client) {
      const int first = 100 * static_cast<int>(2 * loop) + 100 * client;
      asio::co_spawn(loops[loop], ask(loop, first), asio::detached);
    }
  }
  for (auto& loop : loops) threads.emplace_back([&loop] { loop.run(); });
  std::vector<std::thread::id> expected;
  for (const auto& thread : threads) expected.push_back(thread.get_id());
  for (auto& thread : threads) thread.join();
  for (std::size_t loop = 0; loop < loops.size(); ++loop) {
    EXPECT_EQ(ran[loop], std::vector(40, expected[loop]));
  }
}

TEST_F(WriteLanes, AnswerWhatWaitsWhenTheyEnd) {
  asio::io_context loop;
  auto guard = asio::make_work_guard(loop);
  WriteLane lane(*tables_);
  for (int client = 0; client < 3; ++client) {
    asio::co_spawn(loop, Ask(lane, {client}), asio::detached);
  }
  loop.poll();
  lane.Join();
  while (statuses_.size() < 3) loop.run_one();
  EXPECT_EQ(statuses_, std::vector<int>(3, 200));
}

}  // namespace
}  // namespace kelvin::cli
