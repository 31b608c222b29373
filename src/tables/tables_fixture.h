#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fake_clock.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/log.h"
#include "tables/tables.h"

namespace kelvin::tables {

class CountingRandom final : public Random {
 public:
  std::uint64_t Next() override { return next_++ * 0x9e3779b97f4a7c15ULL; }

 private:
  std::atomic<std::uint64_t> next_{1};
};

// Tables in memory or in a folder, with what they need.
class TestTables {
 public:
  TestTables()
      : TestTables(TablesOptions{
            .storage = Storage::kEphemeral, .folder = {}, .background = Background::kNo}) {}
  explicit TestTables(const std::filesystem::path& folder)
      : TestTables(TablesOptions{
            .storage = Storage::kDurable, .folder = folder, .background = Background::kNo}) {}

  http::Response Send(std::string_view operation, std::string body) {
    return tables_->Handle(Request(operation, std::move(body)));
  }
  static http::Request Request(std::string_view operation, std::string body) {
    return {"POST",
            "/",
            {{"X-Amz-Target", "DynamoDB_20120810." + std::string(operation)},
             {"Content-Type", "application/x-amz-json-1.0"},
             {"Authorization", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c"},
             {"X-Amz-Date", "20260101T000000Z"}},
            std::move(body)};
  }
  // The answer's JSON, once its status is 200.
  boost::json::object Call(std::string_view operation, std::string body) {
    const auto response = Send(operation, std::move(body));
    EXPECT_EQ(response.status, 200) << operation << ": " << response.body;
    return boost::json::parse(response.body).as_object();
  }
  std::string CallText(std::string_view operation, std::string body) {
    return boost::json::serialize(Call(operation, std::move(body)));
  }
  // "Type: message" of a refused request.
  std::string Refusal(std::string_view operation, std::string body) {
    const auto response = Send(operation, std::move(body));
    EXPECT_EQ(response.status, 400) << operation << ": " << response.body;
    const auto json = boost::json::parse(response.body).as_object();
    std::string type(json.at("__type").as_string());
    const auto* message = json.if_contains("message");
    if (message == nullptr) message = json.if_contains("Message");
    return type.substr(type.find('#') + 1) +
           (message != nullptr ? ": " + std::string(message->as_string()) : "");
  }

  explicit TestTables(const TablesOptions& options) { Open(options); }

  void MakeHashTable(std::string_view type = "S") { Make("hash", type, ""); }
  void MakeRangeTable(std::string_view sort_type = "S") { Make("range", "S", sort_type); }

  Tables& tables() { return *tables_; }
  const FakeClock& clock() const { return clock_; }
  std::string log;

 private:
  void Open(const TablesOptions& options) {
    auto opened = Tables::Open({clock_, random_, log_}, options);
    if (!opened) throw std::runtime_error(opened.error().message);
    tables_ = std::move(*opened);
  }
  void Make(std::string_view name, std::string_view type, std::string_view sort_type) {
    using boost::json::array;
    using boost::json::object;
    array definitions{object{{"AttributeName", "k"}, {"AttributeType", type}}};
    array schema{object{{"AttributeName", "k"}, {"KeyType", "HASH"}}};
    if (!sort_type.empty()) {
      definitions.push_back(object{{"AttributeName", "s"}, {"AttributeType", sort_type}});
      schema.push_back(object{{"AttributeName", "s"}, {"KeyType", "RANGE"}});
    }
    Call("CreateTable", boost::json::serialize(object{{"TableName", name},
                                                      {"AttributeDefinitions", definitions},
                                                      {"KeySchema", schema},
                                                      {"BillingMode", "PAY_PER_REQUEST"}}));
  }

  FakeClock clock_;
  CountingRandom random_;
  Log log_{clock_, LogLevel::kInfo, [this](std::string_view line) { log += line; }};
  std::unique_ptr<Tables> tables_;
};

}  // namespace kelvin::tables
