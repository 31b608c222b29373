#include "lab/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/example_record.h"
#include "lab/record_reader.h"

namespace kelvin::lab {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class KeeperTest : public ::testing::Test {
 protected:
  KeeperTest() : folder_(TemporaryDirectory::Create().value()) {}
  std::filesystem::path Path(const char* name) const { return folder_.path() / "out" / name; }
  RecordKeeper NewKeeper() const { return RecordKeeper::Create(Path("compare.json")).value(); }

  TemporaryDirectory folder_;
};

// What a record says in whole: two records are the same when this is.
std::string TextOf(std::expected<Record, Error> record) {
  return record ? RecordJson(*record) : record.error().message;
}

Record Running() {
  Record record = ExampleRecord();
  record.state = "running";
  return record;
}

TEST_F(KeeperTest, WritesTheRecordWholeAtTheEnd) {
  RecordKeeper keeper = NewKeeper();
  ASSERT_TRUE(keeper.Append(Running()).has_value());
  ASSERT_TRUE(keeper.Finish(ExampleRecord()).has_value());
  EXPECT_EQ(TextOf(ParseRecord(ReadFile(Path("compare.json")).value())),
            RecordJson(ExampleRecord()));
  EXPECT_FALSE(std::filesystem::exists(Path("compare.journal")));
}

TEST_F(KeeperTest, KeepsEverySampleAsItComes) {
  RecordKeeper keeper = NewKeeper();
  Record so_far = Running();
  const std::vector<Sample> samples = std::exchange(so_far.samples, {});
  for (const Sample& sample : samples) {
    so_far.samples.push_back(sample);
    ASSERT_TRUE(keeper.Append(so_far).has_value());
  }
  so_far.functions[0].abandoned = "it failed";
  ASSERT_TRUE(keeper.Append(so_far).has_value());
  EXPECT_EQ(TextOf(ParseRecord(ReadFile(Path("compare.journal")).value())), RecordJson(so_far));
  EXPECT_FALSE(std::filesystem::exists(Path("compare.json")));
}

TEST_F(KeeperTest, LosesAtMostTheSampleThatWasBeingWritten) {
  RecordKeeper keeper = NewKeeper();
  ASSERT_TRUE(keeper.Append(Running()).has_value());
  const std::string whole = ReadFile(Path("compare.journal")).value();
  const std::size_t first_line = whole.find('\n') + 1;
  const std::size_t samples = ExampleRecord().samples.size();
  // At every byte of two samples, and then wherever a line ends.
  const std::size_t everywhere = whole.find('\n', whole.find('\n', first_line) + 1) + 2;
  const auto ends_nearby = [&](std::size_t length) {
    return std::string_view(whole).substr(length - 2, 4).find('\n') != std::string_view::npos;
  };
  for (std::size_t length = first_line; length <= whole.size(); ++length) {
    if (length > everywhere && !ends_nearby(length)) continue;
    const auto record = ParseRecord(std::string_view(whole).substr(0, length));
    ASSERT_TRUE(record.has_value()) << length << ": " << record.error().message;
    const auto lines = std::count(whole.begin(), whole.begin() + static_cast<long>(length), '\n');
    ASSERT_EQ(record->samples.size(), static_cast<std::size_t>(lines) - 1);
  }
  EXPECT_EQ(ParseRecord(whole)->samples.size(), samples);
  EXPECT_FALSE(ParseRecord(std::string_view(whole).substr(0, first_line / 2)).has_value());
}

TEST_F(KeeperTest, KeepsTheJournalOfARunThatDidNotEnd) {
  {
    RecordKeeper keeper = NewKeeper();
    EXPECT_TRUE(keeper.kept_journal().empty());
    ASSERT_TRUE(keeper.Append(Running()).has_value());
  }
  const RecordKeeper next = NewKeeper();
  EXPECT_EQ(next.kept_journal(), Path("compare.journal.old"));
  EXPECT_EQ(ParseRecord(ReadFile(next.kept_journal()).value())->samples.size(),
            ExampleRecord().samples.size());
}

TEST_F(KeeperTest, SaysWhichFolderCannotBeMade) {
  const auto keeper = RecordKeeper::Create("/proc/nowhere/out/compare.json");
  ASSERT_FALSE(keeper.has_value());
  EXPECT_THAT(keeper.error().message, HasSubstr("/proc/nowhere"));
}

std::string MessageOf(std::string_view text) {
  const auto record = ParseRecord(text);
  return record ? "no error" : record.error().message;
}

std::string Edited(std::string_view from, std::string_view to) {
  std::string text = RecordJson(ExampleRecord());
  const std::size_t found = text.find(from);
  EXPECT_NE(found, std::string::npos) << from;
  return text.replace(found, from.size(), to);
}

TEST(ParseRecord, GivesBackWhatWasWritten) {
  Record record = ExampleRecord();
  record.samples[3].engine = EngineCounters{.mode = "jit", .load_ms = 1.5, .tier0_functions = 7};
  record.samples.push_back(Sample{.outcome = Outcome::kFailed, .reason = "Bad", .init_ms = 3});
  record.functions[0].unpacked_size = 12;
  record.settings.budget_seconds = 60;
  record.conditions.overhead_ms = {0.25, 0.5};
  EXPECT_EQ(TextOf(ParseRecord(RecordJson(record))), RecordJson(record));
}

TEST(ParseRecord, RefusesWhatIsNoRecord) {
  EXPECT_THAT(MessageOf(""), HasSubstr("not whole JSON"));
  EXPECT_THAT(MessageOf("[]"), HasSubstr("schema_version"));
  EXPECT_THAT(MessageOf("{\"a\": 1}"), HasSubstr("schema_version"));
  EXPECT_THAT(MessageOf("{\"journal_of\":{}}\n"), HasSubstr("schema_version"));
}

TEST(ParseRecord, SaysWhatToDoWithAnotherSchemaVersion) {
  EXPECT_THAT(MessageOf(Edited("\"schema_version\": 2", "\"schema_version\": 99")),
              AllOf(HasSubstr("version 2"), HasSubstr("version 99"), HasSubstr("measure again")));
}

TEST(ParseRecord, NoticesARecordThatWasCutShort) {
  const std::string whole = RecordJson(ExampleRecord());
  for (const std::size_t length : {std::size_t{1}, whole.size() / 2, whole.size() - 3}) {
    EXPECT_THAT(MessageOf(std::string_view(whole).substr(0, length)), HasSubstr("cut short"));
  }
}

TEST(ParseRecord, NoticesFiguresThatWereEdited) {
  EXPECT_THAT(MessageOf(Edited("\"duration_ms\":2E1", "\"duration_ms\":1E0")),
              AllOf(HasSubstr("$.samples[0]"), HasSubstr("edited")));
  EXPECT_THAT(MessageOf(Edited("Duration: 20.00 ms", "Duration: 1.00 ms")), HasSubstr("edited"));
  EXPECT_THAT(MessageOf(Edited("\"init_ms\":1E2", "\"init_ms\":null")), HasSubstr("init"));
  EXPECT_THAT(MessageOf(Edited("REPORT RequestId", "LINE RequestId")), HasSubstr("REPORT"));
}

TEST(ParseRecord, SaysWhereAValueIsOfTheWrongKind) {
  EXPECT_THAT(MessageOf(Edited("\"function\":0", "\"function\":9")),
              HasSubstr("$.samples[0].function, got 9"));
  EXPECT_THAT(MessageOf(Edited("\"kind\":\"cold\"", "\"kind\":\"icy\"")),
              HasSubstr("cold, warm_up or warm"));
  EXPECT_THAT(MessageOf(Edited("\"outcome\":\"ok\"", "\"outcome\":\"fine\"")),
              HasSubstr("ok, failed or rejected"));
  EXPECT_THAT(MessageOf(Edited("\"memory_mb\":512", "\"memory_mb\":-512")),
              HasSubstr("$.functions[0].memory_mb"));
  EXPECT_THAT(MessageOf(Edited("\"memory_mb\":512", "\"memory_mb\":1e99")),
              HasSubstr("$.functions[0].memory_mb"));
  EXPECT_THAT(MessageOf(Edited("\"client_ms\"", "\"clientms\"")), HasSubstr("the key client_ms"));
  EXPECT_THAT(MessageOf(Edited("\"samples\": [", "\"samples\": 7, \"x\": [")),
              HasSubstr("an array at $.samples"));
}

}  // namespace
}  // namespace kelvin::lab
