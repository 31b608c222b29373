#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "aws/credentials.h"
#include "aws/network.h"
#include "aws/signed_client.h"
#include "cli/exit_code.h"
#include "cli/serve_options.h"
#include "cli/tables_command.h"
#include "tables/transfer.h"

namespace kelvin::cli {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds kTimeout{60};

std::expected<json::object, Error> ReadAnswer(const http::Response& response) {
  boost::system::error_code error;
  json::value body = json::parse(response.body.empty() ? "{}" : response.body, error);
  if (error || !body.is_object()) {
    return std::unexpected(
        Error{ErrorCode::kCorrupt, fmt::format("expected a JSON object from the endpoint, got '{}'",
                                               response.body.substr(0, 200))});
  }
  if (response.status == 200) return std::move(body.get_object());
  const auto text = [&](std::string_view name) -> std::string {
    const auto* value = body.get_object().if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
  };
  std::string type = text("__type");
  type.erase(0, type.find('#') + 1);
  const std::string message = text("message").empty() ? text("Message") : text("message");
  return std::unexpected(Error{
      type == "ResourceNotFoundException" ? ErrorCode::kNotFound : ErrorCode::kInvalidArgument,
      message.empty() ? type : fmt::format("{}: {}", type, message), type});
}

http::Headers HeadersOf(std::string_view operation) {
  return {{"X-Amz-Target", fmt::format("DynamoDB_20120810.{}", operation)},
          {"Content-Type", "application/x-amz-json-1.0"}};
}

// The files of a state folder, opened by this process.
struct LocalTables {
  Log log;
  std::unique_ptr<tables::Tables> tables;
  explicit LocalTables(const Host& host) : log(host.clock, LogLevel::kInfo, host.err.write) {}
};

std::expected<tables::Ask, Error> AskFiles(const TransferOptions& options, const Host& host) {
  auto local = std::make_shared<LocalTables>(host);
  const auto folder = std::filesystem::path(options.state_dir) / "tables";
  auto opened = tables::Tables::Open({host.clock, host.random, local->log},
                                     {.folder = folder, .background = tables::Background::kNo});
  if (!opened) {
    Error error = std::move(opened.error());
    if (error.code == ErrorCode::kAlreadyExists) {
      error.message += "; or go through it with --endpoint-url";
    }
    return std::unexpected(std::move(error));
  }
  local->tables = std::move(*opened);
  return [local](std::string_view operation, const std::string& body) {
    http::Request request{"POST", "/", HeadersOf(operation), body};
    request.headers.Add("Authorization",
                        "AWS4-HMAC-SHA256 Credential=same, SignedHeaders=host, Signature=process");
    request.headers.Add("X-Amz-Date", "20260101T000000Z");
    return ReadAnswer(local->tables->Handle(request));
  };
}

struct RemoteTables {
  std::unique_ptr<http::Connector> connector;
  std::unique_ptr<aws::SignedClient> client;
};

std::expected<tables::Ask, Error> AskEndpoint(const TransferOptions& options, const Host& host) {
  const auto endpoint = aws::ParseEndpointUrl(options.endpoint_url);
  if (!endpoint) return std::unexpected(endpoint.error());
  auto identity = FindIdentity(host, Target{}, *endpoint);
  if (!identity) return std::unexpected(std::move(identity.error()));
  auto remote = std::make_shared<RemoteTables>();
  remote->connector = aws::NewConnector(endpoint->scheme, host.clock,
                                        aws::NetworkOptionsFromEnvironment(host.environment));
  remote->client = std::make_unique<aws::SignedClient>(
      *remote->connector, host.clock, *endpoint,
      aws::Signer(std::move(identity->keys), std::move(identity->region), "dynamodb"),
      std::move(identity->provider));
  return
      [remote, &clock = host.clock](std::string_view operation,
                                    const std::string& body) -> std::expected<json::object, Error> {
        http::Response response;
        auto sent = remote->client->Send("POST", "/", HeadersOf(operation), body, response,
                                         clock.Now() + kTimeout, http::Resend::kYes);
        if (!sent) return std::unexpected(std::move(sent.error()));
        return ReadAnswer(response);
      };
}

// "id:S,at:N" as CreateTable wants it.
std::expected<json::object, Error> TableOf(const TransferOptions& options) {
  json::array definitions;
  json::array schema;
  std::string_view rest = options.key;
  while (true) {
    const std::string_view part = rest.substr(0, rest.find(','));
    const std::size_t colon = part.rfind(':');
    const std::string_view type =
        colon == std::string_view::npos ? std::string_view{} : part.substr(colon + 1);
    if ((type != "S" && type != "N" && type != "B") || colon == 0 || schema.size() == 2) {
      return std::unexpected(
          Error{ErrorCode::kInvalidArgument,
                fmt::format("expected --key as NAME:TYPE or NAME:TYPE,NAME:TYPE with the types S, "
                            "N and B, got '{}'",
                            options.key)});
    }
    const std::string_view name = part.substr(0, colon);
    definitions.push_back(json::object{{"AttributeName", name}, {"AttributeType", type}});
    schema.push_back(
        json::object{{"AttributeName", name}, {"KeyType", schema.empty() ? "HASH" : "RANGE"}});
    if (part.size() == rest.size()) break;
    rest.remove_prefix(part.size() + 1);
  }
  return json::object{{"TableName", options.table},
                      {"AttributeDefinitions", std::move(definitions)},
                      {"KeySchema", std::move(schema)},
                      {"BillingMode", "PAY_PER_REQUEST"}};
}

std::expected<void, Error> MakeTable(const TransferOptions& options, const tables::Ask& ask) {
  if (options.key.empty()) return {};
  const auto table = TableOf(options);
  if (!table) return std::unexpected(table.error());
  const auto made = ask("CreateTable", json::serialize(*table));
  if (made || made.error().remote_type == "ResourceInUseException") return {};
  return std::unexpected(made.error());
}

std::expected<std::size_t, Error> Import(const TransferOptions& options, const tables::Ask& ask) {
  std::ifstream file;
  if (options.file != "-") {
    file.open(options.file);
    if (!file) return std::unexpected(ErrnoError("open " + options.file, errno));
  }
  std::istream& input = options.file == "-" ? std::cin : file;
  if (auto made = MakeTable(options, ask); !made) return std::unexpected(made.error());
  auto imported = tables::ImportItems(ask, options.table, [&]() -> std::optional<std::string> {
    std::string line;
    if (!std::getline(input, line)) return std::nullopt;
    return line;
  });
  if (!imported && imported.error().code == ErrorCode::kNotFound) {
    imported.error().message += "; make the table first, or with --key";
  }
  return imported;
}

std::expected<std::size_t, Error> Export(const TransferOptions& options, const tables::Ask& ask,
                                         const Host& host) {
  if (options.file == "-") {
    return tables::ExportItems(ask, options.table,
                               [&](std::string_view line) -> std::expected<void, Error> {
                                 host.out.write(line);
                                 return {};
                               });
  }
  std::ofstream file(options.file, std::ios::binary | std::ios::trunc);
  if (!file) return std::unexpected(ErrnoError("write " + options.file, errno));
  auto exported = tables::ExportItems(
      ask, options.table, [&](std::string_view line) -> std::expected<void, Error> {
        file << line;
        if (file) return {};
        return std::unexpected(ErrnoError("write " + options.file, errno));
      });
  file.close();
  if (exported && !file) return std::unexpected(ErrnoError("write " + options.file, errno));
  return exported;
}

}  // namespace

int Transfer(const TransferOptions& options, const Host& host) {
  auto ask = options.endpoint_url.empty() ? AskFiles(options, host) : AskEndpoint(options, host);
  if (!ask) return Fail(host, ask.error());
  const bool imports = options.direction == TransferOptions::Direction::kImport;
  const auto moved = imports ? Import(options, *ask) : Export(options, *ask, host);
  if (!moved) return Fail(host, moved.error());
  host.err.write(fmt::format("{} {} {} {}\n", *moved, *moved == 1 ? "item" : "items",
                             imports ? "imported into" : "exported from", options.table));
  return kExitOk;
}

}  // namespace kelvin::cli
