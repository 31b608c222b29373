#include "tables/transfer.h"

#include <deque>
#include <set>

#include "tables/tables_fixture.h"

namespace kelvin::tables {
namespace {

using ::testing::HasSubstr;

class Transfers : public ::testing::Test {
 protected:
  Transfers() { tables_.MakeHashTable(); }
  Ask AskTables() {
    return [this](std::string_view operation,
                  const std::string& body) -> std::expected<boost::json::object, Error> {
      const auto response = tables_.Send(operation, body);
      auto json = boost::json::parse(response.body).as_object();
      if (response.status == 200) return json;
      return std::unexpected(Error{ErrorCode::kInvalidArgument, response.body});
    };
  }
  std::expected<std::size_t, Error> Import(std::deque<std::string> lines) {
    return ImportItems(AskTables(), "hash", [&]() -> std::optional<std::string> {
      if (lines.empty()) return std::nullopt;
      std::string line = std::move(lines.front());
      lines.pop_front();
      return line;
    });
  }
  std::set<std::string> Export() {
    std::set<std::string> lines;
    const auto count =
        ExportItems(AskTables(), "hash", [&](std::string_view line) -> std::expected<void, Error> {
          lines.emplace(line);
          return {};
        });
    EXPECT_EQ(count, lines.size());
    return lines;
  }
  TestTables tables_;
};

TEST_F(Transfers, WhatIsExportedCanBeImported) {
  for (int i = 0; i < 60; ++i) {
    tables_.Call("PutItem", R"({"TableName":"hash","Item":{"k":{"S":")" + std::to_string(i) +
                                R"("},"b":{"B":"AAE="},"l":{"L":[{"N":"1.5"},{"NULL":true}]}}})");
  }
  const auto lines = Export();
  EXPECT_EQ(lines.size(), 60U);
  EXPECT_THAT(*lines.begin(), HasSubstr(R"({"Item":{"b":{"B":"AAE="},"k":{"S":"0"},)"));
  tables_.Call("DeleteTable", R"({"TableName":"hash"})");
  tables_.MakeHashTable();
  EXPECT_EQ(Import({lines.begin(), lines.end()}), 60U);
  EXPECT_EQ(Export(), lines);
}

TEST_F(Transfers, TheLastOfSeveralItemsWithOneKeyStays) {
  EXPECT_EQ(Import({R"({"k":{"S":"a"},"v":{"N":"1"}})", "", R"({"Item":{"k":{"S":"b"}}})",
                    R"({"k":{"S":"a"},"v":{"N":"2"}})"}),
            3U);
  EXPECT_EQ(Export(),
            (std::set<std::string>{"{\"Item\":{\"k\":{\"S\":\"a\"},\"v\":{\"N\":\"2\"}}}\n",
                                   "{\"Item\":{\"k\":{\"S\":\"b\"}}}\n"}));
}

TEST_F(Transfers, NameTheLineThatIsWrong) {
  const auto broken = Import({R"({"k":{"S":"a"}})", "{"});
  ASSERT_FALSE(broken.has_value());
  EXPECT_THAT(broken.error().message, HasSubstr("line 2: expected an item as"));
  const auto refused = Import({R"({"k":{"S":"a"}})", R"({"k":{"N":"1"}})"});
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("line 2: "));
  EXPECT_FALSE(ImportItems(AskTables(), "nope", [] { return std::nullopt; }).has_value());
}

}  // namespace
}  // namespace kelvin::tables
