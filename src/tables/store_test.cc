#include "tables/store.h"

#include <fstream>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fake_clock.h"
#include "tables/tables_fixture.h"

namespace kelvin::tables {
namespace {

using ::testing::HasSubstr;

TableDefinition Definition(std::string name) {
  TableDefinition definition;
  definition.name = std::move(name);
  definition.id = "id";
  definition.key.partition = {"k", ValueType::kString};
  return definition;
}

Error OpenError(const StoreOptions& options) {
  auto opened = Store::Open(options);
  EXPECT_FALSE(opened.has_value());
  return opened ? Error{} : opened.error();
}

Outcome<void> PutText(Store& store, const Table& table, const std::string& key,
                      const std::string& text) {
  const Item item{{"k", Value(key)}, {"v", Value(text)}};
  return store.Write([&](Transaction& transaction) -> Outcome<void> {
    const auto before = transaction.Get(table, {key, ""});
    if (!before) return std::unexpected(before.error());
    const auto done = transaction.Replace(table, {key, ""}, *before, &item);
    if (!done) return std::unexpected(done.error());
    return {};
  });
}

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() : folder_(std::move(*TemporaryDirectory::Create())) { options_.folder = path(); }
  std::filesystem::path path() const { return folder_.path() / "state"; }
  std::filesystem::path file() const { return path() / "tables.db"; }
  void MakeTable() {
    auto store = Store::Open(options_);
    ASSERT_TRUE(store.has_value()) << store.error().message;
    ASSERT_TRUE((*store)->CreateTable(Definition("table")).has_value());
  }
  static void Overwrite(const std::filesystem::path& path, std::streamoff at, std::size_t bytes) {
    std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(at);
    stream << std::string(bytes, '\x5a');
  }

  TemporaryDirectory folder_;
  StoreOptions options_;
};

TEST_F(StoreTest, KeepsTablesAndItemsOverAReopen) {
  {
    TestTables tables(path());
    tables.MakeRangeTable("N");
    tables.Call("PutItem", R"({"TableName":"range","Item":{"k":{"S":"a"},"s":{"N":"1"}}})");
    tables.Call("UpdateTimeToLive", R"({"TableName":"range","TimeToLiveSpecification":
                                        {"AttributeName":"ttl","Enabled":true}})");
  }
  TestTables tables(path());
  EXPECT_EQ(tables.CallText("Scan", R"({"TableName":"range"})"),
            R"({"Items":[{"k":{"S":"a"},"s":{"N":"1"}}],"Count":1,"ScannedCount":1})");
  EXPECT_THAT(tables.CallText("DescribeTimeToLive", R"({"TableName":"range"})"),
              HasSubstr("ENABLED"));
}

TEST_F(StoreTest, AnAcknowledgedWriteSurvivesAKill) {
  int acknowledged[2];
  ASSERT_EQ(pipe(acknowledged), 0);
  const pid_t child = fork();
  if (child == 0) {
    TestTables tables(path());
    tables.MakeHashTable();
    for (int i = 0; i < 5; ++i) {
      tables.Call("PutItem",
                  R"({"TableName":"hash","Item":{"k":{"S":")" + std::to_string(i) + R"("}}})");
    }
    (void)!write(acknowledged[1], "x", 1);
    pause();
    _exit(1);
  }
  close(acknowledged[1]);
  char byte = 0;
  EXPECT_EQ(read(acknowledged[0], &byte, 1), 1);
  close(acknowledged[0]);
  ASSERT_EQ(kill(child, SIGKILL), 0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  TestTables tables(path());
  EXPECT_EQ(tables.Call("Scan", R"({"TableName":"hash"})").at("Count").as_int64(), 5);
}

TEST_F(StoreTest, ItsLogHasRoomAheadAndIsReadAfterACrash) {
  const auto crashed = folder_.path() / "crashed";
  constexpr int kItems = 100;
  const auto put = [](TestTables& tables, const std::string& key) {
    tables.Call("PutItem", R"({"TableName":"hash","Item":{"k":{"S":")" + key + R"("}}})");
  };
  {
    TestTables tables(path());
    tables.MakeHashTable();
    const auto log = file().string() + "-wal";
    int grown = 0;
    std::uintmax_t size = 0;
    for (int i = 0; i < kItems; ++i) {
      put(tables, std::to_string(i));
      if (const auto now = std::filesystem::file_size(log); std::exchange(size, now) != now)
        ++grown;
    }
    EXPECT_LT(grown, kItems / 5);
    std::filesystem::copy(path(), crashed);
  }
  {
    TestTables tables(crashed);
    EXPECT_EQ(tables.Call("Scan", R"({"TableName":"hash"})").at("Count").as_int64(), kItems);
    put(tables, "after the recovery");
  }
  TestTables tables(crashed);
  EXPECT_EQ(tables.Call("Scan", R"({"TableName":"hash"})").at("Count").as_int64(), kItems + 1);
}

TEST_F(StoreTest, IsHeldByOneAtATime) {
  auto first = Store::Open(options_);
  ASSERT_TRUE(first.has_value());
  const Error error = OpenError(options_);
  EXPECT_EQ(error.code, ErrorCode::kAlreadyExists);
  EXPECT_THAT(error.message, HasSubstr("in use by another process"));
}

TEST_F(StoreTest, SaysThatItsFolderCannotBeMade) {
  std::ofstream(folder_.path() / "file") << "x";
  options_.folder = folder_.path() / "file" / "state";
  EXPECT_THAT(OpenError(options_).message, HasSubstr((folder_.path() / "file").string()));
}

TEST_F(StoreTest, SaysThatItsFolderCannotBeWritten) {
  options_.folder = "/proc/self";
  const Error error = OpenError(options_);
  EXPECT_THAT(error.message, HasSubstr("/proc/self/lock"));
}

TEST_F(StoreTest, ReportsAFileThatIsNoDatabase) {
  MakeTable();
  Overwrite(file(), 0, 4096);
  const Error error = OpenError(options_);
  EXPECT_EQ(error.code, ErrorCode::kCorrupt);
  EXPECT_THAT(error.message, HasSubstr("is left as it is"));
  EXPECT_GT(std::filesystem::file_size(file()), 4096U);
}

TEST_F(StoreTest, ReportsAnEmptiedFile) {
  MakeTable();
  std::filesystem::resize_file(file(), 0);
  EXPECT_EQ(OpenError(options_).code, ErrorCode::kCorrupt);
  EXPECT_EQ(std::filesystem::file_size(file()), 0U);
}

TEST_F(StoreTest, ReportsAnotherProgramsDatabase) {
  std::filesystem::create_directories(path());
  auto other = Connection::Open(file(), Connection::Create::kYes);
  ASSERT_TRUE(other->Execute("CREATE TABLE t(x)").has_value());
  const Error error = OpenError(options_);
  EXPECT_EQ(error.code, ErrorCode::kCorrupt);
  EXPECT_THAT(error.message, HasSubstr("not one of tables"));
}

TEST_F(StoreTest, ReportsAFormatOfTheFuture) {
  MakeTable();
  auto other = Connection::Open(file(), Connection::Create::kNo);
  ASSERT_TRUE(other->Execute("PRAGMA user_version = 3").has_value());
  EXPECT_THAT(OpenError(options_).message, HasSubstr("expected tables in format 2"));
}

TEST_F(StoreTest, ReadsTheFirstFormatAndBringsItToThisOne) {
  {
    TestTables tables(path());
    tables.MakeHashTable();
    tables.Call("PutItem", R"({"TableName":"hash","Item":{"k":{"S":"1"},"ttl":{"N":"9"}}})");
  }
  {
    auto old = Connection::Open(file(), Connection::Create::kNo);
    ASSERT_TRUE(old->Execute(R"(
        DROP TABLE totals; DROP TABLE tokens; PRAGMA user_version = 1;
        UPDATE tables SET definition = '{"name":"hash","id":"x","created_ms":1,
          "partition_key":{"name":"k","type":"S"},"on_demand":true,"read_units":0,"write_units":0,
          "deletion_protection":false,"time_to_live":"ttl"}')")
                    .has_value());
  }
  TestTables tables(path());
  EXPECT_THAT(tables.CallText("DescribeTable", R"({"TableName":"hash"})"),
              HasSubstr(R"("TableSizeBytes":7,"ItemCount":1)"));
  EXPECT_EQ(tables.Call("Scan", R"({"TableName":"hash"})").at("Count").as_int64(), 1);
  EXPECT_EQ(tables.tables().RemoveExpired().value(), 0U);  // longer ago than five years
  tables.Call("PutItem", R"({"TableName":"hash","Item":{"k":{"S":"2"},"ttl":{"N":"1699999999"}}})");
  EXPECT_EQ(tables.tables().RemoveExpired().value(), 1U);
}

TEST_F(StoreTest, ReportsDamageThatItMeetsWhileRunning) {
  {
    TestTables tables(path());
    tables.MakeHashTable();
    for (int i = 0; i < 200; ++i) {
      tables.Call("PutItem", R"({"TableName":"hash","Item":{"k":{"S":")" + std::to_string(i) +
                                 R"("},"v":{"S":")" + std::string(200, 'x') + R"("}}})");
    }
  }
  const auto size = std::filesystem::file_size(file());
  Overwrite(file(), 4096 * 10, size - 4096 * 10);
  TestTables tables(path());
  const auto response = tables.Send("Scan", R"({"TableName":"hash"})");
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, HasSubstr("InternalServerError"));
  EXPECT_THAT(tables.log, HasSubstr("ERROR tables: DynamoDB_20120810.Scan: SQLite on"));
}

TEST_F(StoreTest, ReportsAFullDiskAndKeepsWhatItHas) {
  options_.max_bytes = 64 * 1024;
  auto store = Store::Open(options_);
  ASSERT_TRUE(store.has_value());
  const auto table = (*store)->CreateTable(Definition("table"));
  ASSERT_TRUE(table.has_value());
  int written = 0;
  Outcome<void> result;
  while ((result = PutText(**store, **table, std::to_string(written), std::string(9000, 'x')))) {
    ASSERT_LT(++written, 100);
  }
  EXPECT_EQ(result.error().kind, FailureKind::kInternalServerError);
  EXPECT_THAT(result.error().message, HasSubstr("full"));
  EXPECT_EQ((*store)->TotalsOf((*table)->container).items, written);
  EXPECT_TRUE(PutText(**store, **table, "0", "small").has_value());
}

TEST_F(StoreTest, UndoesAWriteThatFailsHalfWay) {
  auto store = Store::Open(StoreOptions{});
  const auto table = *(*store)->CreateTable(Definition("table"));
  const Item item{{"k", Value(std::string("a"))}};
  const auto written = (*store)->Write([&](Transaction& transaction) -> Outcome<void> {
    EXPECT_TRUE(transaction.Replace(*table, {"a", ""}, std::nullopt, &item).has_value());
    EXPECT_TRUE(transaction.Get(*table, {"a", ""})->has_value());
    return Invalid("no");
  });
  EXPECT_EQ(written.error().message, "no");
  EXPECT_EQ((*store)->TotalsOf(table->container).items, 0);
  EXPECT_TRUE(PutText(**store, *table, "a", "x").has_value());
}

// Writers that wait while another commits share the next commit; one that is refused and one that
// throws take nobody with them.
TEST_F(StoreTest, WritersThatShareACommitFailAlone) {
  auto opened = Store::Open(options_);
  Store& store = **opened;
  const auto table = *store.CreateTable(Definition("table"));
  std::vector<std::thread> writers;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([&, i] {
      for (int n = 0; n < 20; ++n) {
        const std::string key = std::to_string(i) + "-" + std::to_string(n);
        EXPECT_TRUE(PutText(store, *table, key, "x").has_value());
        const auto refused = store.Write([&](Transaction& transaction) -> Outcome<void> {
          const Item item{{"k", Value(key)}};
          (void)transaction.Replace(*table, {"gone" + key, ""}, std::nullopt, &item);
          if (n % 2 == 0) throw std::runtime_error("thrown");
          return Invalid("refused");
        });
        EXPECT_EQ(refused.error().message, n % 2 == 0 ? "thrown" : "refused");
      }
    });
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(store.TotalsOf(table->container).items, 160);
}

TEST_F(StoreTest, WritesOfAGroupAreDoneTogetherOrNotAtAll) {
  options_.max_bytes = 64 * 1024;
  auto opened = Store::Open(options_);
  Store& store = **opened;
  const auto table = *store.CreateTable(Definition("table"));
  const auto put = [&](WriteGroup& group, const std::string& key, const std::string& text) {
    const Item item{{"k", Value(key)}, {"v", Value(text)}};
    return group.Write([&](Transaction& transaction) -> Outcome<void> {
      const auto before = transaction.Get(*table, {key, ""});
      if (*before) return Invalid("there already");
      (void)transaction.Replace(*table, {key, ""}, std::nullopt, &item);
      return {};
    });
  };
  const auto done = store.WriteTogether([&](WriteGroup& group) {
    EXPECT_TRUE(put(group, "a", "x").has_value());
    EXPECT_EQ(put(group, "a", "y").error().message, "there already");
    EXPECT_TRUE(put(group, "b", "x").has_value());
  });
  EXPECT_TRUE(done.has_value());
  EXPECT_EQ(store.TotalsOf(table->container).items, 2);
  const auto full = store.WriteTogether([&](WriteGroup& group) {
    EXPECT_TRUE(put(group, "c", "x").has_value());
    EXPECT_FALSE(put(group, "large", std::string(100'000, 'x')).has_value());
    EXPECT_FALSE(put(group, "d", "x").has_value());
  });
  EXPECT_EQ(full.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(store.TotalsOf(table->container).items, 2);
  EXPECT_TRUE(PutText(store, *table, "c", "x").has_value());
}

TEST_F(StoreTest, ReadersDoNotWaitForWriters) {
  auto opened = Store::Open(options_);
  Store& store = **opened;
  const auto table = *store.CreateTable(Definition("table"));
  ASSERT_TRUE(PutText(store, *table, "a", "old").has_value());
  std::promise<void> in_the_middle;
  std::promise<void> go_on;
  std::thread writer([&] {
    const Item item{{"k", Value(std::string("a"))}};
    (void)store.Write([&](Transaction& transaction) -> Outcome<void> {
      (void)transaction.Replace(*table, {"a", ""}, *transaction.Get(*table, {"a", ""}), &item);
      in_the_middle.set_value();
      go_on.get_future().wait();
      return {};
    });
  });
  in_the_middle.get_future().wait();
  const auto has_text = [&] {
    bool found = false;
    auto reader = store.Read();
    (void)reader->Get(table->container, {"a", ""}, [&](std::string_view item) {
      found = item.contains("old");
      return Visit::kStop;
    });
    return found;
  };
  EXPECT_TRUE(has_text());
  go_on.set_value();
  writer.join();
  EXPECT_FALSE(has_text());
}

TEST_F(StoreTest, DoesNotWriteToATableThatIsGone) {
  auto store = Store::Open(StoreOptions{});
  const auto table = *(*store)->CreateTable(Definition("table"));
  ASSERT_TRUE((*store)->DeleteTable("table").has_value());
  ASSERT_TRUE((*store)->CreateTable(Definition("table")).has_value());
  EXPECT_EQ(PutText(**store, *table, "a", "x").error().kind, FailureKind::kResourceNotFound);
}

}  // namespace
}  // namespace kelvin::tables
