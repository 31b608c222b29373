#include "service/function_rules.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "service/environment_variables.h"

namespace kelvin::service {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostVariableBytes = 4096;
constexpr std::string_view kRolePattern =
    "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+";

std::string_view View(const json::string& text) {
  return {text.data(), text.size()};
}

std::unexpected<ApiError> WrongKind(std::string_view field, std::string_view expected) {
  return std::unexpected(
      ApiError{ApiErrorKind::kInvalidRequestContent,
               fmt::format("Could not parse request body into json: expected {} as \"{}\"",
                           expected, field)});
}

std::expected<std::string_view, ApiError> Text(const json::value& value, std::string_view field) {
  if (!value.is_string()) return WrongKind(field, "text");
  return View(value.get_string());
}

// `name` is the JSON field, `member` AWS's name of it in messages.
struct Range {
  std::string_view name;
  std::string_view member;
  int least;
  int most;
};

Checked ReadInRange(const json::value& value, const Range& range, int& into) {
  boost::system::error_code error;
  const auto number = value.to_number<std::int64_t>(error);
  if (error) return WrongKind(range.name, "a whole number");
  if (number < range.least) {
    return std::unexpected(ConstraintError(
        std::to_string(number), range.member,
        fmt::format("Member must have value greater than or equal to {}", range.least)));
  }
  if (number > range.most) {
    return std::unexpected(ConstraintError(
        std::to_string(number), range.member,
        fmt::format("Member must have value less than or equal to {}", range.most)));
  }
  into = static_cast<int>(number);
  return {};
}

Checked ReadMemory(const json::value& value, FunctionConfig& config) {
  return ReadInRange(value, {"MemorySize", "memorySize", 128, 10240}, config.memory_mb);
}

Checked ReadTimeout(const json::value& value, FunctionConfig& config) {
  return ReadInRange(value, {"Timeout", "timeout", 1, 900}, config.timeout_seconds);
}

Checked ReadDescription(const json::value& value, FunctionConfig& config) {
  const auto text = Text(value, "Description");
  if (!text) return std::unexpected(text.error());
  if (text->size() > 256) {
    return std::unexpected(
        ConstraintError(*text, "description", "Member must have length less than or equal to 256"));
  }
  config.description = *text;
  return {};
}

Checked ReadHandler(const json::value& value, FunctionConfig& config) {
  const auto text = Text(value, "Handler");
  if (!text) return std::unexpected(text.error());
  const bool valid =
      !text->empty() && text->size() <= 128 &&
      std::ranges::none_of(*text, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
  if (!valid) {
    return std::unexpected(ConstraintError(
        *text, "handler", "Member must satisfy regular expression pattern: [^\\s]+"));
  }
  config.handler = *text;
  return {};
}

bool IsRole(std::string_view text) {
  if (!text.starts_with("arn:aws")) return false;
  text.remove_prefix(7);
  const auto colon = text.find(':');
  if (colon == text.npos) return false;
  text.remove_prefix(colon);
  constexpr std::string_view kIam = ":iam::";
  constexpr std::string_view kRole = ":role/";
  if (!text.starts_with(kIam)) return false;
  text.remove_prefix(kIam.size());
  if (text.size() <= 12 + kRole.size() || !text.substr(12).starts_with(kRole)) return false;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!std::ranges::all_of(text.substr(0, 12), is_digit)) return false;
  return std::ranges::all_of(text.substr(12 + kRole.size()), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("_+=,.@-/").contains(static_cast<char>(c));
  });
}

Checked ReadRole(const json::value& value, FunctionConfig& config) {
  const auto text = Text(value, "Role");
  if (!text) return std::unexpected(text.error());
  if (!IsRole(*text)) {
    return std::unexpected(ConstraintError(
        *text, "role",
        fmt::format("Member must satisfy regular expression pattern: {}", kRolePattern)));
  }
  config.role = *text;
  return {};
}

Checked ReadRuntime(const json::value& value, FunctionConfig& config) {
  const auto text = Text(value, "Runtime");
  if (!text) return std::unexpected(text.error());
  // Which ones there are is the service's to say: CheckRuntime.
  config.runtime = *text;
  return {};
}

bool IsVariableName(std::string_view name) {
  return name.size() >= 2 && std::isalpha(static_cast<unsigned char>(name[0])) != 0 &&
         std::ranges::all_of(name,
                             [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

Checked CheckVariables(const StringMap& variables, const json::value& given) {
  std::string reserved;
  for (const auto& [name, value] : variables) {
    if (IsReservedVariable(name)) reserved += (reserved.empty() ? "" : ", ") + name;
  }
  if (!reserved.empty()) {
    return std::unexpected(InvalidParameter(fmt::format(
        "Lambda was unable to configure your environment variables because the environment "
        "variables you have provided contains reserved keys that are currently not supported for "
        "modification. Reserved keys used in this request: {}",
        reserved)));
  }
  for (const auto& [name, value] : variables) {
    if (IsVariableName(name) && value.find('\0') == value.npos) continue;
    return std::unexpected(ConstraintError(
        name, "environment.variables",
        "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: "
        "[a-zA-Z]([a-zA-Z0-9_])+]"));
  }
  if (const std::string measured = json::serialize(given); measured.size() > kMostVariableBytes) {
    return std::unexpected(InvalidParameter(fmt::format(
        "Lambda was unable to configure your environment variables because the environment "
        "variables you have provided exceeded the 4KB limit. String measured: {}",
        measured)));
  }
  return {};
}

std::expected<StringMap, ApiError> ReadMap(const json::value& value, std::string_view field) {
  if (!value.is_object()) return WrongKind(field, "an object");
  StringMap map;
  for (const auto& [key, text] : value.get_object()) {
    if (!text.is_string()) return WrongKind(field, "an object of text");
    map.emplace(std::string(key), std::string(View(text.get_string())));
  }
  return map;
}

Checked ReadEnvironment(const json::value& value, FunctionConfig& config) {
  if (!value.is_object()) return WrongKind("Environment", "an object");
  config.environment_given = true;
  const json::value* variables = value.get_object().if_contains("Variables");
  if (variables == nullptr || variables->is_null()) {
    config.environment.clear();
    return {};
  }
  auto map = ReadMap(*variables, "Variables");
  if (!map) return std::unexpected(std::move(map.error()));
  auto checked = CheckVariables(*map, *variables);
  if (!checked) return checked;
  config.environment = std::move(*map);
  return {};
}

Checked ReadTags(const json::value& value, FunctionConfig& config) {
  auto map = ReadMap(value, "Tags");
  if (!map) return std::unexpected(std::move(map.error()));
  if (auto checked = CheckTagCount(map->size()); !checked) return checked;
  config.tags = std::move(*map);
  return {};
}

Checked ReadEphemeralStorage(const json::value& value, FunctionConfig& config) {
  const json::value* size = value.is_object() ? value.get_object().if_contains("Size") : nullptr;
  if (size == nullptr) return WrongKind("EphemeralStorage", "an object with a Size");
  return ReadInRange(*size, {"Size", "ephemeralStorage.size", 512, 10240}, config.tmp_mb);
}

Checked ReadOneOf(const json::value& value, std::string_view member,
                  std::initializer_list<std::string_view> allowed, std::string& into) {
  const auto text = Text(value, member);
  if (!text) return std::unexpected(text.error());
  if (std::ranges::find(allowed, *text) == allowed.end()) {
    return std::unexpected(ConstraintError(
        *text, member,
        fmt::format("Member must satisfy enum value set: [{}]", fmt::join(allowed, ", "))));
  }
  into = *text;
  return {};
}

Checked ReadTracing(const json::value& value, FunctionConfig& config) {
  const json::value* mode = value.is_object() ? value.get_object().if_contains("Mode") : nullptr;
  if (mode == nullptr) return WrongKind("TracingConfig", "an object with a Mode");
  return ReadOneOf(*mode, "tracingConfig.mode", {"Active", "PassThrough"}, config.tracing_mode);
}

Checked ReadLogging(const json::value& value, FunctionConfig& config) {
  if (!value.is_object()) return WrongKind("LoggingConfig", "an object");
  const json::object& logging = value.get_object();
  std::string format = config.log_format == LogFormat::kJson ? "JSON" : "Text";
  Checked checked;
  const auto read = [&](std::string_view field, auto&& reader) {
    const json::value* given = logging.if_contains(field);
    if (checked && given != nullptr) checked = reader(*given);
  };
  read("LogFormat", [&](const json::value& given) {
    return ReadOneOf(given, "loggingConfig.logFormat", {"JSON", "Text"}, format);
  });
  config.log_format = format == "JSON" ? LogFormat::kJson : LogFormat::kText;
  const bool is_json = config.log_format == LogFormat::kJson;
  if (is_json && config.application_log_level.empty()) config.application_log_level = "INFO";
  if (is_json && config.system_log_level.empty()) config.system_log_level = "INFO";
  if (!is_json) {
    config.application_log_level.clear();
    config.system_log_level.clear();
  }
  if (checked && !is_json &&
      (logging.contains("ApplicationLogLevel") || logging.contains("SystemLogLevel"))) {
    return std::unexpected(InvalidParameter(
        "ApplicationLogLevel and SystemLogLevel can only be set when LogFormat is JSON"));
  }
  read("ApplicationLogLevel", [&](const json::value& given) {
    return ReadOneOf(given, "loggingConfig.applicationLogLevel",
                     {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"},
                     config.application_log_level);
  });
  read("SystemLogLevel", [&](const json::value& given) {
    return ReadOneOf(given, "loggingConfig.systemLogLevel", {"DEBUG", "INFO", "WARN"},
                     config.system_log_level);
  });
  read("LogGroup", [&](const json::value& given) -> Checked {
    const auto text = Text(given, "LogGroup");
    if (!text) return std::unexpected(text.error());
    config.log_group = *text;
    return {};
  });
  return checked;
}

Checked ReadArn(const json::value& value, std::string_view name, std::string_view field,
                std::string& into) {
  const auto text = Text(value, name);
  if (!text) return std::unexpected(text.error());
  if (!text->empty() && !text->starts_with("arn:")) {
    return std::unexpected(ConstraintError(*text, field,
                                           "Member must satisfy regular expression pattern: "
                                           "(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()"));
  }
  into = *text;
  return {};
}

Checked ReadDeadLetter(const json::value& value, FunctionConfig& config) {
  if (!value.is_object()) return WrongKind("DeadLetterConfig", "an object");
  const json::value* target = value.get_object().if_contains("TargetArn");
  if (target == nullptr || target->is_null()) {
    config.dead_letter_arn.clear();
    return {};
  }
  return ReadArn(*target, "TargetArn", "deadLetterConfig.targetArn", config.dead_letter_arn);
}

Checked ReadKmsKey(const json::value& value, FunctionConfig& config) {
  return ReadArn(value, "KMSKeyArn", "kMSKeyArn", config.kms_key_arn);
}

// There are no snapshots here, and on AWS none for the runtimes that are here without folders.
Checked ReadSnapStart(const json::value& value, FunctionConfig& config) {
  const json::value* given =
      value.is_object() ? value.get_object().if_contains("ApplyOn") : nullptr;
  if (given == nullptr || given->is_null()) return {};
  std::string apply_on;
  auto checked = ReadOneOf(*given, "snapStart.applyOn", {"PublishedVersions", "None"}, apply_on);
  if (!checked || apply_on == "None") return checked;
  return std::unexpected(InvalidParameter(
      fmt::format("{} is not supported for SnapStart enabled functions.", config.runtime)));
}

struct Row {
  std::string_view name;
  FieldRule rule;
};

// In the order AWS lists them, which is the order in which mistakes are told.
constexpr Row kRows[] = {
    {"Runtime", ReadRuntime},
    {"Role", ReadRole},
    {"Handler", ReadHandler},
    {"Description", ReadDescription},
    {"Timeout", ReadTimeout},
    {"MemorySize", ReadMemory},
    {"EphemeralStorage", ReadEphemeralStorage},
    {"Environment", ReadEnvironment},
    {"Tags", ReadTags},
    {"TracingConfig", ReadTracing},
    {"LoggingConfig", ReadLogging},
    {"DeadLetterConfig", ReadDeadLetter},
    {"KMSKeyArn", ReadKmsKey},
    {"SnapStart", ReadSnapStart},
};

// What a local function cannot have, with the values that ask for nothing.
struct Unsupported {
  std::string_view name;
  std::string_view why;
};

constexpr Unsupported kUnsupported[] = {
    {"VpcConfig", "there is no VPC on this machine"},
    {"FileSystemConfigs", "file systems cannot be mounted"},
    {"ImageConfig", "images are not supported: pack the function as a zip"},
    {"CodeSigningConfigArn", "code signing is not supported"},
    {"DurableConfig", "durable functions are not supported"},
    {"CapacityProviderConfig", "there are no capacity providers"},
    {"TenancyConfig", "tenants are not kept apart"},
};

bool AsksForNothing(const json::value& value) {
  if (value.is_null()) return true;
  if (value.is_array()) return value.get_array().empty();
  if (value.is_string()) return value.get_string().empty();
  if (value.is_bool()) return !value.get_bool();
  if (!value.is_object()) return false;
  return std::ranges::all_of(value.get_object(),
                             [](const auto& it) { return AsksForNothing(it.value()); });
}

}  // namespace

ApiError ConstraintError(std::string_view value, std::string_view field,
                         std::string_view constraint) {
  return {ApiErrorKind::kValidation,
          fmt::format("1 validation error detected: Value '{}' at '{}' failed to satisfy "
                      "constraint: {}",
                      value, field, constraint)};
}

std::string ListText(const std::vector<std::string>& texts) {
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

Checked CheckTagCount(std::size_t count) {
  constexpr std::size_t kMostTags = 50;
  if (count <= kMostTags) return {};
  return std::unexpected(InvalidParameter("Number of tags exceeds resource tag limit."));
}

ApiError InvalidParameter(std::string_view message) {
  return {ApiErrorKind::kInvalidParameterValue, std::string(message)};
}

Checked ApplyConfigurationFields(const json::object& body, FunctionConfig& config) {
  for (const Unsupported& field : kUnsupported) {
    const json::value* value = body.if_contains(field.name);
    if (value == nullptr || AsksForNothing(*value)) continue;
    return std::unexpected(
        InvalidParameter(fmt::format("{}: {} by this local service", field.name, field.why)));
  }
  for (const Row& row : kRows) {
    const json::value* value = body.if_contains(row.name);
    if (value == nullptr || value->is_null()) continue;
    auto checked = row.rule(*value, config);
    if (!checked) return checked;
  }
  return {};
}

}  // namespace kelvin::service
