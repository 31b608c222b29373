// PutItem and GetItem over HTTP, and batches of them: latency of one keep-alive client, throughput
// of eight and the server's CPU time for each request; in memory and on disk; beside them a server
// that does nothing but answer, and dynalite, where it is installed. Then a table of a million
// items: what it takes on disk, a query within it, and the start.
//
// Usage: tables_load_bench [FOLDER [DYNALITE]], where FOLDER is on the disk to measure (default:
// here) and DYNALITE a folder in whose node_modules dynalite is.
#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/log.h"
#include "http_load.h"
#include "measure.h"
#include "server_process.h"
#include "sync_floor.h"
#include "tables/tables.h"

namespace kelvin::bench {
namespace {

constexpr int kClients = 8;
constexpr int kBatch = 25;  // what BatchWriteItem takes at most

std::string Key(int i) {
  return fmt::format(R"({{"Id":{{"S":"item-{}"}}}})", i);
}

std::string Item(int i) {
  return fmt::format(R"({{"Id":{{"S":"item-{}"}},)"
                     R"("CreatedAt":{{"S":"2026-08-22T10:15:30.123Z"}},"Price":{{"N":"12.50"}},)"
                     R"("Note":{{"S":"some text to keep"}}}})",
                     i);
}

std::string RequestFor(std::string_view operation, std::string_view body) {
  return RequestText(
      "POST", "/", body,
      fmt::format("X-Amz-Target: DynamoDB_20120810.{}\r\n"
                  "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Date: 20260101T000000Z\r\n"
                  "Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/"
                  "aws4_request, SignedHeaders=host, Signature=b\r\n",
                  operation));
}

std::string Put(int i) {
  return RequestFor("PutItem", fmt::format(R"({{"TableName":"bench","Item":{}}})", Item(i)));
}

std::string Get(int i) {
  return RequestFor("GetItem", fmt::format(R"({{"TableName":"bench","Key":{}}})", Key(i)));
}

std::string BatchOf(int i, std::string (*one)(int)) {
  std::string all;
  for (int n = i * kBatch; n < (i + 1) * kBatch; ++n) all += (all.empty() ? "" : ",") + one(n);
  return all;
}

std::string BatchWrite(int i) {
  const auto one = [](int n) { return fmt::format(R"({{"PutRequest":{{"Item":{}}}}})", Item(n)); };
  return RequestFor("BatchWriteItem",
                    fmt::format(R"({{"RequestItems":{{"bench":[{}]}}}})", BatchOf(i, one)));
}

std::string BatchGet(int i) {
  return RequestFor("BatchGetItem", fmt::format(R"({{"RequestItems":{{"bench":{{"Keys":[{}]}}}}}})",
                                                BatchOf(i, Key)));
}

struct Operation {
  std::string_view name;
  std::string (*request)(int);
  int items;  // in each request
};

constexpr std::array kOperations = {
    Operation{"PutItem", Put, 1},
    Operation{"GetItem", Get, 1},
    Operation{"BatchWriteItem", BatchWrite, kBatch},
    Operation{"BatchGetItem", BatchGet, kBatch},
};

void CreateTable(int port) {
  HttpLoad(port, 1).RunOnce(RequestFor("CreateTable", R"({"TableName":"bench",
      "ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1},
      "AttributeDefinitions":[{"AttributeName":"Id","AttributeType":"S"}],
      "KeySchema":[{"AttributeName":"Id","KeyType":"HASH"}]})"));
}

struct Figure {
  Microseconds latency = 0;     // of one client
  double per_second = 0;        // with kClients
  Microseconds server_cpu = 0;  // for each request with kClients
};

using Figures = std::array<Figure, kOperations.size()>;

void MeasureRate(const ServerProcess& server, const HttpLoad::RequestOf& request, int operations,
                 Figure& figure) {
  HttpLoad load(server.port(), kClients);
  load.Run(request, operations / 10);
  const Microseconds cpu = server.CpuTime();
  const auto start = std::chrono::steady_clock::now();
  load.Run(request, operations);
  figure.per_second = operations / (Since(start) / 1e6);
  figure.server_cpu = (server.CpuTime() - cpu) / operations;
}

// For the latency as many requests as make `rounds` items; for the rate as many as make `items`.
Figures Measure(const ServerProcess& server, int rounds, int items) {
  HttpLoad client(server.port(), 1);
  std::array<std::vector<Microseconds>, kOperations.size()> latencies;
  for (int i = 0; i < rounds; ++i) {
    for (std::size_t o = 0; o < kOperations.size(); ++o) {
      if (i >= rounds / kOperations[o].items) continue;
      latencies[o].push_back(client.Run(kOperations[o].request(i), 1).front() * 1000);
    }
  }
  Figures figures;
  for (std::size_t o = 0; o < kOperations.size(); ++o) {
    figures[o].latency = Median(latencies[o]);
    MeasureRate(server, kOperations[o].request, items / kOperations[o].items, figures[o]);
  }
  return figures;
}

void Print(std::string_view name, const Figures& figures) {
  for (std::size_t o = 0; o < kOperations.size(); ++o) {
    const Figure& figure = figures[o];
    fmt::print("{:24} {:15}{:7.1f} us {:8.0f}/s {:7.1f} us of CPU\n", name, kOperations[o].name,
               figure.latency, figure.per_second, figure.server_cpu);
  }
}

std::vector<std::string> Kelvin(const std::filesystem::path& state, const std::string& option) {
  return {KELVIN_BENCH_CLI, "tables",      "--port",       "0",   "--ready-fd",
          "{fd}",           "--state-dir", state.string(), option};
}

void CompareWithFloor(const Figures& memory) {
  const std::size_t body = Item(0).size() + 10;  // what a GetItem answers, about
  const ServerProcess server({KELVIN_BENCH_HTTP_FLOOR, std::to_string(body)});
  const Figures floor = Measure(server, 2000, 40000);
  for (std::size_t o = 0; o < 2; ++o) {  // no batches: its answer is that of one item
    fmt::print(
        "answering alone, {:15}{:7.1f} us {:8.0f}/s {:7.1f} us of CPU; kelvin's rate / its "
        "{:.2f}\n",
        kOperations[o].name, floor[o].latency, floor[o].per_second, floor[o].server_cpu,
        memory[o].per_second / floor[o].per_second);
  }
}

void CompareWithDynalite(const Figures& memory, const std::string& dynalite) {
  const std::string script =
      "const s = require(process.argv[1] + '/node_modules/dynalite')({ createTableMs: 0 });"
      "s.listen(0, '127.0.0.1', () => console.log(s.address().port))";
  if (!std::filesystem::exists(std::filesystem::path(dynalite) / "node_modules" / "dynalite")) {
    fmt::print("dynalite is not installed in {}: no comparison\n", dynalite);
    return;
  }
  const ServerProcess server(
      {"node", "-e", script, "--", std::filesystem::absolute(dynalite).string()});
  CreateTable(server.port());
  const Figures peer = Measure(server, 500, 8000);
  Print("dynalite, in memory", peer);
  for (std::size_t o = 0; o < kOperations.size(); ++o) {
    fmt::print(
        "kelvin / dynalite, {:15}rate {:5.1f} x (aim 10)   latency 1 / {:.1f}   CPU 1 / {:.1f}\n",
        kOperations[o].name, memory[o].per_second / peer[o].per_second,
        peer[o].latency / memory[o].latency, peer[o].server_cpu / memory[o].server_cpu);
  }
}

void MeasureDurable(const std::filesystem::path& folder) {
  const ServerProcess server(Kelvin(folder / "durable", "--fsync=always"));
  CreateTable(server.port());
  SyncFloor floor(folder, ::fdatasync);
  HttpLoad client(server.port(), 1);
  std::vector<Microseconds> syncs;
  std::vector<Microseconds> puts;
  for (int i = 0; i < 500; ++i) {
    syncs.push_back(floor.Sync());
    puts.push_back(client.Run(Put(i), 1).front() * 1000);
  }
  Print("on disk, synced", Measure(server, 500, 8000));
  fmt::print("one fsync {:.1f} us: PutItem {:.2f} x (aim 1.2, HTTP included)\n", Median(syncs),
             Median(puts) / Median(syncs));
}

// A table with a partition and a sort key, filled within this process.
class MillionItems {
 public:
  explicit MillionItems(const std::filesystem::path& folder) : folder_(folder) {}

  void Fill(int items) {
    Open(tables::Sync::kInBackground);
    Send("CreateTable", R"({"TableName":"bench","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"},
                                {"AttributeName":"s","AttributeType":"N"}],
        "KeySchema":[{"AttributeName":"p","KeyType":"HASH"},{"AttributeName":"s","KeyType":"RANGE"}]})");
    const std::string text(100, 'x');
    for (int i = 0; i < items; i += 25) {
      std::string puts;
      for (int n = i; n < i + 25; ++n) {
        fmt::format_to(std::back_inserter(puts),
                       R"({}{{"PutRequest":{{"Item":{{"p":{{"S":"one"}},"s":{{"N":"{}"}},)"
                       R"("text":{{"S":"{}"}},"number":{{"N":"{}"}}}}}}}})",
                       n > i ? "," : "", n, text, n * 7);
      }
      Send("BatchWriteItem", fmt::format(R"({{"RequestItems":{{"bench":[{}]}}}})", puts));
    }
    const std::string described = Send("DescribeTable", R"({"TableName":"bench"})");
    const std::size_t at = described.find("\"TableSizeBytes\":") + 17;
    item_bytes_ = std::atof(described.c_str() + at);
    tables_.reset();
  }

  void Report() {
    const double disk = static_cast<double>(std::filesystem::file_size(folder_ / "tables.db"));
    fmt::print("1,000,000 items: {:.0f} MB of items, {:.0f} MB on disk: {:.2f} x (aim 2)\n",
               item_bytes_ / 1e6, disk / 1e6, disk / item_bytes_);
    const auto start = std::chrono::steady_clock::now();
    Open(tables::Sync::kEveryWrite);
    Send("GetItem", R"({"TableName":"bench","Key":{"p":{"S":"one"},"s":{"N":"123456"}}})");
    fmt::print("open to the first answer: {:.1f} ms (aim 50)\n", Since(start) / 1000);
    std::vector<Microseconds> queries;
    for (int i = 0; i < 200; ++i) {
      const auto query_start = std::chrono::steady_clock::now();
      Send("Query", fmt::format(R"({{"TableName":"bench","Limit":100,)"
                                R"("KeyConditionExpression":"p = :p AND s >= :s",)"
                                R"("ExpressionAttributeValues":{{":p":{{"S":"one"}},)"
                                R"(":s":{{"N":"{}"}}}}}})",
                                i * 4999));
      queries.push_back(Since(query_start));
    }
    fmt::print("Query of 100 of them: {:.2f} ms (aim 2)\n", Median(queries) / 1000);
  }

 private:
  void Open(tables::Sync sync) {
    auto opened = tables::Tables::Open({clock_, random_, log_}, {.folder = folder_, .sync = sync});
    if (!opened) Die(opened.error().message);
    tables_ = std::move(*opened);
  }
  std::string Send(std::string_view operation, std::string body) {
    auto response = tables_->Handle(
        {"POST",
         "/",
         {{"X-Amz-Target", fmt::format("DynamoDB_20120810.{}", operation)},
          {"Content-Type", "application/x-amz-json-1.0"},
          {"Authorization", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c"},
          {"X-Amz-Date", "20260101T000000Z"}},
         std::move(body)});
    if (response.status != 200) Die(response.body);
    return std::move(response.body);
  }

  std::filesystem::path folder_;
  SystemClock clock_;
  SystemRandom random_;
  Log log_{clock_, LogLevel::kWarn, StderrSink()};
  std::unique_ptr<tables::Tables> tables_;
  double item_bytes_ = 0;
};

void MeasureStart(const std::filesystem::path& state) {
  std::vector<Microseconds> starts;
  for (int i = 0; i < 10; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const ServerProcess server(Kelvin(state, "--fsync=always"));
    HttpLoad(server.port(), 1)
        .RunOnce(RequestFor("GetItem",
                            R"({"TableName":"bench","Key":{"p":{"S":"one"},"s":{"N":"9"}}})"));
    starts.push_back(Since(start));
  }
  fmt::print("kelvin tables, from spawn to the first answer: {:.1f} ms (aim 50)\n",
             Median(starts) / 1000);
}

void Run(const std::filesystem::path& parent, const std::string& dynalite) {
  auto folder = TemporaryDirectory::Create(parent);
  if (!folder) Die(folder.error().message);
  std::optional<Figures> memory;
  {
    const ServerProcess server(Kelvin(folder->path() / "none", "--ephemeral"));
    CreateTable(server.port());
    memory = Measure(server, 5000, 40000);
    Print("in memory", *memory);
  }
  CompareWithFloor(*memory);
  CompareWithDynalite(*memory, dynalite);
  MeasureDurable(folder->path());
  {
    MillionItems million(folder->path() / "million" / "tables");
    million.Fill(1'000'000);
    million.Report();
  }
  MeasureStart(folder->path() / "million");
}

}  // namespace
}  // namespace kelvin::bench

int main(int argc, char** argv) {
  kelvin::bench::Run(argc > 1 ? argv[1] : ".", argc > 2 ? argv[2] : "dynalite");
}
