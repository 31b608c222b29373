// What one PutItem and one GetItem cost within the process: in memory, in microseconds, beside an
// item of a batch of 25; in a file, as ratios to one fsync of the same disk, measured turn by turn
// in the same run.
//
// Usage: tables_bench [FOLDER], where FOLDER is on the disk to measure (default: here).
#include <chrono>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/log.h"
#include "measure.h"
#include "sync_floor.h"
#include "tables/tables.h"

namespace kelvin::bench {
namespace {

constexpr int kBatch = 25;  // what BatchWriteItem takes at most

template <typename Work>
Microseconds Time(Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return Since(start);
}

// Tables with one table, and the requests that are measured.
class Subject {
 public:
  explicit Subject(const tables::TablesOptions& options) {
    auto opened = tables::Tables::Open({clock_, random_, log_}, options);
    if (!opened) Die(opened.error().message);
    tables_ = std::move(*opened);
    Send("CreateTable", R"({"TableName":"bench","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{"AttributeName":"Id","AttributeType":"S"}],
        "KeySchema":[{"AttributeName":"Id","KeyType":"HASH"}]})");
  }

  Microseconds Put(int number) {
    const auto request =
        Request("PutItem", fmt::format(R"({{"TableName":"bench","Item":{}}})", Item(number)));
    return Time([&] { Handle(request); });
  }
  Microseconds Get(int number) {
    const auto request =
        Request("GetItem", fmt::format(R"({{"TableName":"bench","Key":{}}})", Key(number)));
    return Time([&] { Handle(request); });
  }
  // For each item, of kBatch from `number` on.
  Microseconds BatchPut(int number) {
    std::string puts;
    for (int i = number; i < number + kBatch; ++i) {
      puts += fmt::format(R"({}{{"PutRequest":{{"Item":{}}}}})", puts.empty() ? "" : ",", Item(i));
    }
    const auto request =
        Request("BatchWriteItem", fmt::format(R"({{"RequestItems":{{"bench":[{}]}}}})", puts));
    return Time([&] { Handle(request); }) / kBatch;
  }
  Microseconds BatchGet(int number) {
    std::string keys;
    for (int i = number; i < number + kBatch; ++i) keys += (keys.empty() ? "" : ",") + Key(i);
    const auto request = Request(
        "BatchGetItem", fmt::format(R"({{"RequestItems":{{"bench":{{"Keys":[{}]}}}}}})", keys));
    return Time([&] { Handle(request); }) / kBatch;
  }

 private:
  static std::string Key(int number) {
    return fmt::format(R"({{"Id":{{"S":"item-{}"}}}})", number);
  }
  static std::string Item(int number) {
    return fmt::format(R"({{"Id":{{"S":"item-{}"}},"CreatedAt":{{"S":"2026-08-22T10:15:30.123Z"}},)"
                       R"("Price":{{"N":"12.50"}},"Note":{{"S":"some text to keep"}}}})",
                       number);
  }
  static http::Request Request(std::string_view operation, std::string body) {
    return {"POST",
            "/",
            {{"X-Amz-Target", fmt::format("DynamoDB_20120810.{}", operation)},
             {"Content-Type", "application/x-amz-json-1.0"},
             {"Authorization", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c"},
             {"X-Amz-Date", "20260101T000000Z"}},
            std::move(body)};
  }
  void Send(std::string_view operation, std::string body) {
    Handle(Request(operation, std::move(body)));
  }
  void Handle(const http::Request& request) {
    const auto response = tables_->Handle(request);
    if (response.status != 200) Die(response.body);
  }

  SystemClock clock_;
  SystemRandom random_;
  Log log_{clock_, LogLevel::kWarn, StderrSink()};
  std::unique_ptr<tables::Tables> tables_;
};

void MeasureMemory() {
  constexpr int kItems = 20'000;
  Subject subject({.storage = tables::Storage::kEphemeral, .folder = {}});
  std::vector<Microseconds> puts;
  std::vector<Microseconds> gets;
  for (int i = 0; i < kItems; ++i) puts.push_back(subject.Put(i));
  for (int i = 0; i < kItems; ++i) gets.push_back(subject.Get(i * 7919 % kItems));
  fmt::print("in memory   PutItem {:8.1f} us   GetItem {:8.1f} us\n", Median(puts), Median(gets));
  std::vector<Microseconds> batch_puts;
  std::vector<Microseconds> batch_gets;
  for (int i = 0; i < kItems; i += kBatch) batch_puts.push_back(subject.BatchPut(i));
  for (int i = 0; i < kItems; i += kBatch) {
    batch_gets.push_back(subject.BatchGet(i * 7919LL % (kItems - kBatch)));
  }
  fmt::print("an item of  BatchWriteItem {:.1f} us   BatchGetItem {:.1f} us\n", Median(batch_puts),
             Median(batch_gets));
}

void MeasureFile(const std::filesystem::path& parent) {
  constexpr int kItems = 500;
  auto folder = TemporaryDirectory::Create(parent);
  if (!folder) Die(folder.error().message);
  Subject subject({.storage = tables::Storage::kDurable, .folder = folder->path() / "tables"});
  SyncFloor floor(folder->path(), ::fsync);
  std::vector<Microseconds> syncs;
  std::vector<Microseconds> puts;
  std::vector<Microseconds> gets;
  for (int i = 0; i < kItems; ++i) {
    syncs.push_back(floor.Sync());
    puts.push_back(subject.Put(i));
    gets.push_back(subject.Get(i));
  }
  fmt::print("in a file   PutItem {:8.1f} us   GetItem {:8.1f} us   one fsync {:8.1f} us\n",
             Median(puts), Median(gets), Median(syncs));
  fmt::print("PutItem / fsync {:.2f} (aim 1.2)   GetItem / fsync {:.3f}\n",
             Median(puts) / Median(syncs), Median(gets) / Median(syncs));
}

}  // namespace
}  // namespace kelvin::bench

int main(int argc, char** argv) {
  kelvin::bench::MeasureMemory();
  kelvin::bench::MeasureFile(argc > 1 ? argv[1] : ".");
}
