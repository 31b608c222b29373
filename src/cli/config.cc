#include "cli/config.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include "base/file.h"
#include "cli/suggest.h"

namespace kelvin::cli {
namespace {

using Names = std::vector<std::string>;

std::string TypeName(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a fraction";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

// Walks a document; throws Error, which ParseConfig turns into its result.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& file) : file_(file), folder_(file.parent_path()) {}

  Config Read(const toml::table& root) {
    CheckKeys(root, {"table", "function", "runtime"});
    Config config;
    ForEach(root, "runtime",
            [&](const toml::table& entry) { config.runtimes.push_back(ReadRuntime(entry)); });
    ForEach(root, "table",
            [&](const toml::table& entry) { config.tables.push_back(ReadTable(entry)); });
    ForEach(root, "function", [&](const toml::table& entry) {
      config.functions.push_back(ReadFunction(entry, config.runtimes));
      for (std::size_t i = 0; i + 1 < config.functions.size(); ++i) {
        if (config.functions[i].name == config.functions.back().name) {
          Fail(entry, "a name of its own for each function", config.functions.back().name);
        }
      }
    });
    return config;
  }

  [[noreturn]] void FailAt(const toml::source_position& where, std::string message) const {
    throw Error{ErrorCode::kInvalidArgument,
                fmt::format("{}:{}: {}", file_.native(), where.line, std::move(message))};
  }

 private:
  [[noreturn]] void Fail(const toml::node& node, std::string_view expected,
                         std::string_view got) const {
    FailAt(node.source().begin, fmt::format("expected {}, got {}", expected, got));
  }

  void CheckKeys(const toml::table& table, const Names& known) const {
    for (const auto& [key, value] : table) {
      const std::string_view name = key.str();
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      FailAt(key.source().begin,
             fmt::format("expected one of the keys {}, got {}{}", fmt::join(known, ", "), name,
                         DidYouMean(name, known)));
    }
  }

  template <typename Visit>
  void ForEach(const toml::table& root, std::string_view key, Visit visit) const {
    const toml::node* node = root.get(key);
    if (node == nullptr) return;
    const toml::array* array = node->as_array();
    if (array == nullptr) Fail(*node, fmt::format("[[{}]]", key), TypeName(*node));
    for (const toml::node& element : *array) {
      const toml::table* table = element.as_table();
      if (table == nullptr) Fail(element, fmt::format("[[{}]]", key), TypeName(element));
      visit(*table);
    }
  }

  std::string Text(const toml::node& node, std::string_view what) const {
    const auto* text = node.as_string();
    if (text == nullptr) Fail(node, fmt::format("a string as {}", what), TypeName(node));
    if (text->get().empty()) Fail(node, fmt::format("a {} that is not empty", what), "\"\"");
    return text->get();
  }

  std::string RequiredText(const toml::table& table, std::string_view key,
                           std::string_view of) const {
    const toml::node* node = table.get(key);
    if (node == nullptr)
      FailAt(table.source().begin, fmt::format("expected {} to have a {}", of, key));
    return Text(*node, key);
  }

  int Number(const toml::table& table, std::string_view key, int low, int high,
             int otherwise) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return otherwise;
    const auto* number = node->as_integer();
    const std::string expected = fmt::format("{} from {} to {}", key, low, high);
    if (number == nullptr) Fail(*node, expected, TypeName(*node));
    if (number->get() < low || number->get() > high) {
      Fail(*node, expected, fmt::format("{}", number->get()));
    }
    return static_cast<int>(number->get());
  }

  std::filesystem::path Path(const toml::node& node, std::string_view what) const {
    return folder_ / Text(node, what);
  }

  KeyConfig ReadKey(const toml::node& node) const {
    const toml::table* table = node.as_table();
    if (table == nullptr) Fail(node, "{ name = \"Id\", type = \"S\" }", TypeName(node));
    CheckKeys(*table, {"name", "type"});
    KeyConfig key{.name = RequiredText(*table, "name", "a key")};
    if (const toml::node* type = table->get("type")) {
      key.type = Text(*type, "type");
      if (key.type != "S" && key.type != "N" && key.type != "B") {
        Fail(*type, "type S, N or B", key.type);
      }
    }
    return key;
  }

  TableConfig ReadTable(const toml::table& entry) const {
    CheckKeys(entry, {"name", "hash_key", "range_key"});
    TableConfig table{
        .name = RequiredText(entry, "name", "[[table]]"), .hash_key = {}, .range_key = {}};
    const toml::node* hash = entry.get("hash_key");
    if (hash == nullptr) FailAt(entry.source().begin, "expected [[table]] to have a hash_key");
    table.hash_key = ReadKey(*hash);
    if (const toml::node* range = entry.get("range_key")) table.range_key = ReadKey(*range);
    return table;
  }

  std::map<std::string, std::string> ReadTexts(const toml::table& entry,
                                               std::string_view key) const {
    std::map<std::string, std::string> texts;
    const toml::node* node = entry.get(key);
    if (node == nullptr) return texts;
    const toml::table* table = node->as_table();
    if (table == nullptr) Fail(*node, fmt::format("{} to be a table", key), TypeName(*node));
    for (const auto& [name, value] : *table) {
      const auto* text = value.as_string();
      if (text == nullptr) Fail(value, fmt::format("a string as {}", name.str()), TypeName(value));
      texts.emplace(name.str(), text->get());
    }
    return texts;
  }

  RuntimeConfig ReadRuntime(const toml::table& entry) const {
    CheckKeys(entry, {"name", "folder"});
    RuntimeConfig runtime{.name = RequiredText(entry, "name", "[[runtime]]"), .folder = {}};
    const toml::node* folder = entry.get("folder");
    if (folder == nullptr) FailAt(entry.source().begin, "expected [[runtime]] to have a folder");
    runtime.folder = Path(*folder, "folder");
    return runtime;
  }

  FunctionConfig ReadFunction(const toml::table& entry,
                              const std::vector<RuntimeConfig>& runtimes) const {
    CheckKeys(entry, {"name", "memory", "timeout", "event", "environment", "packages",
                      "packages_arm64", "handlers"});
    FunctionConfig function;
    function.name = RequiredText(entry, "name", "[[function]]");
    function.memory_mb = Number(entry, "memory", 128, 10240, function.memory_mb);
    function.timeout_seconds = Number(entry, "timeout", 1, 900, function.timeout_seconds);
    if (const toml::node* event = entry.get("event")) function.event = Path(*event, "event");
    function.environment = ReadTexts(entry, "environment");
    function.handlers = ReadTexts(entry, "handlers");
    for (const auto& [mode, path] : ReadTexts(entry, "packages")) {
      const bool is_runtime =
          std::ranges::find(runtimes, mode, &RuntimeConfig::name) != runtimes.end();
      if (mode != "jit" && mode != "r2r" && mode != "aot" && !is_runtime) {
        Fail(*entry.get("packages"),
             "packages by the modes jit, r2r and aot, or by a [[runtime]] of this file", mode);
      }
      if (is_runtime && !function.handlers.contains(mode)) {
        FailAt(entry.source().begin,
               fmt::format("expected function {} to have a handler for its package, such as "
                           "handlers.\"{}\" = \"index.handler\"",
                           function.name, mode));
      }
      function.packages.emplace(mode, folder_ / path);
    }
    for (const auto& [mode, path] : ReadTexts(entry, "packages_arm64")) {
      if (mode != "jit" && mode != "r2r" && mode != "aot") {
        Fail(*entry.get("packages_arm64"), "packages_arm64 by the modes jit, r2r and aot", mode);
      }
      function.packages_arm64.emplace(mode, folder_ / path);
    }
    if (function.packages.empty()) {
      FailAt(
          entry.source().begin,
          fmt::format("expected function {} to have a package, such as packages.aot = \"{}.zip\"",
                      function.name, function.name));
    }
    return function;
  }

  std::filesystem::path file_;
  std::filesystem::path folder_;
};

}  // namespace

std::expected<Config, Error> ParseConfig(std::string_view text, const std::filesystem::path& file) {
  Reader reader(file);
  try {
    return reader.Read(toml::parse(text));
  } catch (const toml::parse_error& error) {
    return std::unexpected(Error{ErrorCode::kInvalidArgument,
                                 fmt::format("{}:{}: expected TOML, got: {}", file.native(),
                                             error.source().begin.line, error.description())});
  } catch (Error& error) {
    return std::unexpected(std::move(error));
  }
}

std::expected<Config, Error> ReadConfig(const std::filesystem::path& file) {
  const auto text = ReadFile(file);
  if (!text && text.error().code == ErrorCode::kNotFound) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("expected a configuration at {}, found no such file; name one with "
                          "--config, or packages as in 'kelvin compare function.zip', or running "
                          "functions with --endpoint-url",
                          file.native())});
  }
  if (!text) return std::unexpected(text.error());
  return ParseConfig(*text, file);
}

}  // namespace kelvin::cli
