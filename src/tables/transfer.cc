#include "tables/transfer.h"

#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace kelvin::tables {
namespace {

namespace json = boost::json;

constexpr std::size_t kBatchItems = 25;
constexpr std::size_t kBatchBytes = std::size_t{8} << 20;
// How often what an endpoint left undone is sent again before that is an error.
constexpr int kMaxRounds = 100;

std::expected<std::vector<std::string>, Error> KeyNames(const Ask& ask, std::string_view table) {
  const auto described = ask("DescribeTable", json::serialize(json::object{{"TableName", table}}));
  if (!described) return std::unexpected(described.error());
  std::vector<std::string> names;
  const auto* keys = [&]() -> const json::array* {
    const auto* description = described->if_contains("Table");
    const auto* object = description != nullptr ? description->if_object() : nullptr;
    const auto* schema = object != nullptr ? object->if_contains("KeySchema") : nullptr;
    return schema != nullptr ? schema->if_array() : nullptr;
  }();
  if (keys == nullptr) {
    return std::unexpected(
        Error{ErrorCode::kCorrupt, "expected a KeySchema in the answer to DescribeTable"});
  }
  for (const auto& key : *keys) {
    if (const auto* element = key.if_object()) {
      if (const auto* name = element->if_contains("AttributeName"); name && name->is_string()) {
        names.emplace_back(name->get_string());
      }
    }
  }
  return names;
}

class Importer {
 public:
  Importer(const Ask& ask, std::string_view table, std::vector<std::string> keys)
      : ask_(ask), table_(table), keys_(std::move(keys)) {}

  std::expected<void, Error> Add(const std::string& line) {
    boost::system::error_code error;
    json::value value = json::parse(line, error);
    json::object* item = value.if_object();
    if (item != nullptr && item->size() == 1 && item->contains("Item")) {
      item = item->at("Item").if_object();
    }
    if (error || item == nullptr) {
      return std::unexpected(
          Error{ErrorCode::kInvalidArgument,
                R"(expected an item as {"Item":{"name":{"S":"text"}}} or {"name":{"S":"text"}})"});
    }
    // A batch holds each key once.
    if (!seen_.insert(KeyText(*item)).second) {
      if (auto sent = Flush(); !sent) return sent;
      seen_.insert(KeyText(*item));
    }
    bytes_ += line.size();
    requests_.push_back(json::object{{"PutRequest", json::object{{"Item", std::move(*item)}}}});
    if (requests_.size() < kBatchItems && bytes_ < kBatchBytes) return {};
    return Flush();
  }

  std::expected<void, Error> Flush() {
    for (int round = 0; !requests_.empty(); ++round) {
      if (round == kMaxRounds) {
        return std::unexpected(
            Error{ErrorCode::kThrottled, "the endpoint keeps leaving items unprocessed"});
      }
      json::object request{{"RequestItems", json::object{{table_, std::move(requests_)}}}};
      requests_ = {};
      auto answer = ask_("BatchWriteItem", json::serialize(request));
      if (!answer) return std::unexpected(std::move(answer.error()));
      if (auto* left = answer->if_contains("UnprocessedItems"); left && left->is_object()) {
        if (auto* items = left->get_object().if_contains(table_); items && items->is_array()) {
          requests_ = std::move(items->get_array());
        }
      }
    }
    seen_.clear();
    bytes_ = 0;
    return {};
  }

 private:
  std::string KeyText(const json::object& item) const {
    std::string text;
    for (const std::string& name : keys_) {
      if (const auto* value = item.if_contains(name)) text += json::serialize(*value);
      text += '\n';
    }
    return text;
  }

  const Ask& ask_;
  std::string table_;
  std::vector<std::string> keys_;
  json::array requests_;
  std::set<std::string> seen_;
  std::size_t bytes_ = 0;
};

}  // namespace

std::expected<std::size_t, Error> ExportItems(const Ask& ask, std::string_view table,
                                              const WriteLine& write) {
  std::size_t count = 0;
  json::object request{{"TableName", table}, {"ConsistentRead", true}};
  while (true) {
    const auto page = ask("Scan", json::serialize(request));
    if (!page) return std::unexpected(page.error());
    const auto* items = page->if_contains("Items");
    if (items == nullptr || !items->is_array()) {
      return std::unexpected(Error{ErrorCode::kCorrupt, "expected Items in the answer to Scan"});
    }
    for (const auto& item : items->get_array()) {
      if (auto written = write(fmt::format("{{\"Item\":{}}}\n", json::serialize(item))); !written) {
        return std::unexpected(std::move(written.error()));
      }
      ++count;
    }
    const auto* last = page->if_contains("LastEvaluatedKey");
    if (last == nullptr) return count;
    request["ExclusiveStartKey"] = *last;
  }
}

std::expected<std::size_t, Error> ImportItems(const Ask& ask, std::string_view table,
                                              const ReadLine& read) {
  auto keys = KeyNames(ask, table);
  if (!keys) return std::unexpected(std::move(keys.error()));
  Importer importer(ask, table, std::move(*keys));
  std::size_t lines = 0;
  std::size_t items = 0;
  const auto failed = [&](Error error) {
    error.message = fmt::format("line {}: {}", lines, error.message);
    return std::unexpected(std::move(error));
  };
  while (auto line = read()) {
    ++lines;
    if (line->find_first_not_of(" \t\r") == std::string::npos) continue;
    if (auto added = importer.Add(*line); !added) return failed(std::move(added.error()));
    ++items;
  }
  if (auto sent = importer.Flush(); !sent) return failed(std::move(sent.error()));
  return items;
}

}  // namespace kelvin::tables
