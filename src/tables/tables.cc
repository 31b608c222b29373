#include "tables/tables.h"

#include <exception>
#include <optional>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/crc32.h"
#include "tables/expiry.h"
#include "tables/failure.h"
#include "tables/operation.h"
#include "tables/signature.h"
#include "tables/store.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

constexpr std::string_view kTargetPrefix = "DynamoDB_20120810.";
constexpr std::string_view kContentType = "application/x-amz-json-1.0";

// Deeper than the attributes that the protocol permits: those get its own message.
constexpr std::size_t kMaxJsonDepth = 256;
// What most requests need to be parsed without an allocation.
constexpr std::size_t kArenaBytes = 8192;

std::string NewRequestId(Random& random) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  constexpr std::size_t kLength = 52;
  constexpr int kBitsPerDigit = 5;
  std::string id;
  id.reserve(kLength);
  std::uint64_t bits = 0;
  int left = 0;
  while (id.size() < kLength) {
    if (left < kBitsPerDigit) {
      bits = random.Next();
      left = 64;
    }
    id += kDigits[bits & 31];
    bits >>= kBitsPerDigit;
    left -= kBitsPerDigit;
  }
  return id;
}

std::string_view PathOf(std::string_view target) {
  return target.substr(0, target.find('?'));
}

bool IsJson(std::string_view content_type) {
  return content_type.starts_with(kContentType) || content_type.starts_with("application/json");
}

std::unexpected<Failure> UnknownOperation() {
  return std::unexpected(Failure{FailureKind::kUnknownOperation, ""});
}

}  // namespace

class Tables::Impl {
 public:
  Impl(const TablesParts& parts, const TablesOptions& options, std::unique_ptr<Store> store)
      : parts_(parts),
        options_(options),
        arn_prefix_(
            fmt::format("arn:aws:dynamodb:{}:{}:table/", options.region, options.account_id)),
        store_(std::move(store)) {
    if (options.background == Background::kYes) expiry_.emplace(*store_, parts.clock, parts.log);
  }

  Store& store() { return *store_; }
  const Clock& clock() const { return parts_.clock; }
  Storage storage() const { return options_.storage; }

  http::Response Handle(const http::Request& request) {
    if (request.method == "GET") return Health();
    const bool understood = request.body.empty() || IsJson(request.headers.Get("Content-Type"));
    if (request.method != "POST" || !understood) {
      return Answer(404, "<UnknownOperationException/>\n", {});
    }
    auto answer = Run(request);
    if (answer) return Answer(200, std::move(*answer), kContentType);
    const Failure& failure = answer.error();
    if (failure.kind == FailureKind::kInternalServerError) {
      parts_.log.Write(LogLevel::kError, "tables", "{}: {}", request.headers.Get("X-Amz-Target"),
                       failure.message);
    }
    return Answer(FormOf(failure.kind).status, FailureJson(failure), kContentType);
  }

 private:
  http::Response Answer(int status, std::string body, std::string_view content_type) {
    http::Response response;
    response.status = status;
    if (!content_type.empty()) response.headers.Add("Content-Type", content_type);
    response.headers.Add("x-amzn-RequestId", NewRequestId(parts_.random));
    response.headers.Add("x-amz-crc32", std::to_string(Crc32(body)));
    response.body = std::move(body);
    return response;
  }

  http::Response Health() {
    return Answer(200, fmt::format("healthy: dynamodb.{}.amazonaws.com ", options_.region),
                  "text/plain");
  }

  Outcome<std::string> Run(const http::Request& request) {
    if (request.body.size() > kMaxRequestBytes) {
      return std::unexpected(Failure{
          FailureKind::kRequestTooLarge,
          fmt::format("expected at most {} bytes, got {}", kMaxRequestBytes, request.body.size())});
    }
    unsigned char arena[kArenaBytes];
    json::monotonic_resource memory(arena);
    boost::system::error_code error;
    json::parse_options options;
    options.max_depth = kMaxJsonDepth;
    const json::value parsed = json::parse(
        request.body.empty() ? std::string_view("{}") : request.body, error, &memory, options);
    const auto* object = parsed.if_object();
    if (error || object == nullptr) return Unserializable("");
    const std::string_view target = request.headers.Get("X-Amz-Target");
    if (!target.starts_with(kTargetPrefix)) return UnknownOperation();
    const Operation operation = FindOperation(target.substr(kTargetPrefix.size()));
    if (operation == nullptr) return UnknownOperation();
    if (!request.headers.Get("Authorization").starts_with("AWS4-")) {
      return std::unexpected(Failure{FailureKind::kMissingAuthenticationToken,
                                     "Request is missing Authentication Token"});
    }
    if (options_.credentials) {
      const SignatureRules rules{*options_.credentials, options_.region};
      if (auto ok = CheckSignature(request, rules, parts_.clock.WallNow()); !ok) {
        return std::unexpected(std::move(ok.error()));
      }
    }
    if (request.body.empty()) return Unserializable("");
    OperationContext context{*store_,
                             parts_.clock,
                             parts_.random,
                             options_.region,
                             arn_prefix_,
                             options_.account_id,
                             request.headers.Get("Host")};
    try {
      return operation(context, *object);
    } catch (const std::exception& exception) {
      return std::unexpected(Failure{FailureKind::kInternalServerError, exception.what()});
    }
  }

  TablesParts parts_;
  TablesOptions options_;
  std::string arn_prefix_;
  std::unique_ptr<Store> store_;
  std::optional<ExpiryThread> expiry_;
};

Tables::Tables(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tables::~Tables() = default;

std::expected<std::unique_ptr<Tables>, Error> Tables::Open(const TablesParts& parts,
                                                           const TablesOptions& options) {
  StoreOptions store_options;
  if (options.storage == Storage::kDurable) store_options.folder = options.folder;
  if (options.sync == Sync::kInBackground) store_options.durability = Durability::kCheckpoints;
  auto store = Store::Open(store_options);
  if (!store) return std::unexpected(std::move(store.error()));
  return std::unique_ptr<Tables>(
      new Tables(std::make_unique<Impl>(parts, options, std::move(*store))));
}

http::Response Tables::Handle(const http::Request& request) {
  return impl_->Handle(request);
}

std::expected<std::size_t, Error> Tables::RemoveExpired() {
  return tables::RemoveExpired(impl_->store(), impl_->clock().WallNow());
}

bool Tables::IsQuick(const http::Request& request) const {
  constexpr std::size_t kQuickBytes = 16 * 1024;
  if (request.body.size() > kQuickBytes) return false;
  const std::string_view target = request.headers.Get("X-Amz-Target");
  if (!target.starts_with(kTargetPrefix)) return true;
  const std::string_view operation = target.substr(kTargetPrefix.size());
  if (operation == "GetItem") return true;
  const bool writes_one =
      operation == "PutItem" || operation == "UpdateItem" || operation == "DeleteItem";
  return writes_one && impl_->storage() == Storage::kEphemeral;
}

http::Response Tables::TooLarge(const http::Request&) {
  http::Response response;
  const Failure failure{FailureKind::kRequestTooLarge,
                        fmt::format("expected a body of at most {} bytes", kMaxRequestBytes)};
  response.status = FormOf(failure.kind).status;
  response.body = FailureJson(failure);
  response.headers.Add("Content-Type", kContentType);
  response.headers.Add("x-amz-crc32", std::to_string(Crc32(response.body)));
  return response;
}

bool Tables::Accepts(const http::Request& request) {
  return PathOf(request.target) == "/";
}

}  // namespace kelvin::tables
