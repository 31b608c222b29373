#include "tables/tables.h"

#include <exception>
#include <optional>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/crc32.h"
#include "http/this_machine.h"
#include "tables/content_coding.h"
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

// SplitMix64: neighbours in, strangers out.
std::uint64_t Mixed(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9ULL;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebULL;
  return bits ^ (bits >> 31);
}

std::string NewRequestId(Random& random) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  constexpr std::size_t kLength = 52;
  constexpr int kBitsPerDigit = 5;
  std::string id;
  id.reserve(kLength);
  // Ids must differ, not be secret: one random number makes all of one.
  std::uint64_t state = random.Next();
  std::uint64_t bits = 0;
  int left = 0;
  while (id.size() < kLength) {
    if (left < kBitsPerDigit) {
      bits = Mixed(state += 0x9e3779b97f4a7c15ULL);
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

constexpr std::string_view kPlainJson = "application/json";

// Without its parameters.
std::string_view MediaType(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.starts_with(' ')) content_type.remove_prefix(1);
  while (content_type.ends_with(' ')) content_type.remove_suffix(1);
  return content_type;
}

// DynamoDB sends shorter ones as they are.
constexpr std::size_t kLeastEncodedBytes = 4096;

// What is parsed and done in less time than it takes to hand it to another thread and back.
constexpr std::size_t kSmallBytes = 16 * 1024;
constexpr std::size_t kFewKeysBytes = 4 * 1024;  // each may have to be looked up on the disk

// Empty where it is none of this API.
std::string_view OperationOf(const http::Request& request) {
  const std::string_view target = request.headers.Get("X-Amz-Target");
  return target.starts_with(kTargetPrefix) ? target.substr(kTargetPrefix.size())
                                           : std::string_view{};
}

bool IsEncoded(const http::Request& request) {
  const std::string_view coding = request.headers.Get("Content-Encoding");
  return !coding.empty() && coding != "identity";
}

// Of the bytes as they are sent, encoded or not.
void AddChecksum(http::Response& response) {
  response.headers.Add("x-amz-crc32", std::to_string(Crc32(response.body)));
}

bool WritesOne(std::string_view operation) {
  return operation == "PutItem" || operation == "UpdateItem" || operation == "DeleteItem";
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

  http::Response Handle(const http::Request& request, WriteGroup* group = nullptr) {
    http::Response response = AnswerTo(request, group);
    if (response.body.size() >= kLeastEncodedBytes) EncodeAsAccepted(request, response);
    AddChecksum(response);
    if (request.headers.Has("Origin")) AddCors(request, response);
    return response;
  }

 private:
  http::Response AnswerTo(const http::Request& request, WriteGroup* group) {
    if (IsRebound(request)) {
      return Refusal({FailureKind::kAccessDenied,
                      fmt::format("expected Host to name this machine, got \"{}\": tables that "
                                  "demand no signatures answer to no other name",
                                  request.headers.Get("Host"))},
                     kPlainJson);
    }
    if (request.method == "GET" && PathOf(request.target) == "/") return Health();
    if (IsPreflight(request)) return Answer(200, "", {});
    const std::string_view media_type = MediaType(request.headers.Get("Content-Type"));
    const bool understood =
        request.body.empty() || media_type == kContentType || media_type == kPlainJson;
    if (request.method != "POST" || !understood) {
      return Answer(404, "<UnknownOperationException/>\n", {});
    }
    const std::string_view answer_type = media_type == kContentType ? kContentType : kPlainJson;
    auto answer = Run(request, group);
    if (answer) return Answer(200, std::move(*answer), answer_type);
    const Failure& failure = answer.error();
    if (failure.kind == FailureKind::kInternalServerError) {
      parts_.log.Write(LogLevel::kError, "tables", "{}: {}", request.headers.Get("X-Amz-Target"),
                       failure.message);
    }
    return Refusal(failure, answer_type);
  }

  http::Response Refusal(const Failure& failure, std::string_view type) {
    return Answer(FormOf(failure.kind).status, FailureJson(failure), type);
  }

  // Whether a name that leads here by somebody else's will was used, as web pages do to pass for
  // pages of this machine.
  bool IsRebound(const http::Request& request) const {
    const std::string_view host = request.headers.Get("Host");
    return options_.credentials.empty() && !host.empty() && !http::IsThisMachine(host);
  }

  static bool IsPreflight(const http::Request& request) {
    return request.method == "OPTIONS" && request.headers.Has("Origin");
  }

  // DynamoDB lets every page use it, since a page must sign like anybody. Where nobody needs to
  // sign, only pages of this machine may: else any page could use its visitor's tables.
  bool MayUse(std::string_view origin) const {
    if (!options_.credentials.empty()) return true;
    const std::size_t slashes = origin.find("://");
    return slashes == std::string_view::npos ? origin != "null"
                                             : http::IsThisMachine(origin.substr(slashes + 3));
  }

  void AddCors(const http::Request& request, http::Response& response) const {
    if (!MayUse(request.headers.Get("Origin"))) return;
    response.headers.Add("Access-Control-Allow-Origin", "*");
    response.headers.Add("Access-Control-Expose-Headers",
                         "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date");
    if (!IsPreflight(request)) return;
    constexpr std::string_view kTwoDays = "172800";
    response.headers.Add("Access-Control-Max-Age", kTwoDays);
    for (const std::string_view what : {"Headers", "Method"}) {
      const auto wanted = request.headers.Get(fmt::format("Access-Control-Request-{}", what));
      if (wanted.empty()) continue;
      response.headers.Add(
          what == "Method" ? "Access-Control-Allow-Methods" : "Access-Control-Allow-Headers",
          wanted);
    }
  }

  http::Response Answer(int status, std::string body, std::string_view content_type) {
    http::Response response;
    response.status = status;
    if (!content_type.empty()) response.headers.Add("Content-Type", content_type);
    response.headers.Add("x-amzn-RequestId", NewRequestId(parts_.random));
    response.body = std::move(body);
    return response;
  }

  static void EncodeAsAccepted(const http::Request& request, http::Response& response) {
    const ContentCoding coding = PreferredCoding(request.headers.Get("Accept-Encoding"));
    if (coding == ContentCoding::kIdentity) return;
    response.body = Encode(response.body, coding);
    response.headers.Add("Content-Encoding", ContentCodingName(coding));
  }

  http::Response Health() {
    return Answer(200, fmt::format("healthy: dynamodb.{}.amazonaws.com ", options_.region),
                  "text/plain");
  }

  Outcome<std::string> Run(const http::Request& request, WriteGroup* group) {
    if (request.body.size() > kMaxRequestBytes) {
      return std::unexpected(Failure{
          FailureKind::kRequestTooLarge,
          fmt::format("expected at most {} bytes, got {}", kMaxRequestBytes, request.body.size())});
    }
    if (!IsEncoded(request)) return Run(request, request.body, group);
    const auto body = Decoded(request);
    if (!body) return std::unexpected(body.error());
    return Run(request, *body, group);
  }

  static Outcome<std::string> Decoded(const http::Request& request) {
    const std::string_view coding = request.headers.Get("Content-Encoding");
    if (coding != ContentCodingName(ContentCoding::kGzip)) {
      return std::unexpected(
          Failure{FailureKind::kInternalServerError,
                  fmt::format("expected Content-Encoding gzip or none, got {}", coding)});
    }
    auto body = Gunzip(request.body, kMaxRequestBytes);
    if (body) return std::move(*body);
    const bool too_large = body.error().code == ErrorCode::kResourceExhausted;
    return std::unexpected(
        Failure{too_large ? FailureKind::kRequestTooLarge : FailureKind::kInternalServerError,
                body.error().message});
  }

  // `body` is the request's without its coding; what is signed is the request as it came.
  Outcome<std::string> Run(const http::Request& request, std::string_view body, WriteGroup* group) {
    unsigned char arena[kArenaBytes];
    json::monotonic_resource memory(arena);
    boost::system::error_code error;
    json::parse_options options;
    options.max_depth = kMaxJsonDepth;
    const json::value parsed =
        json::parse(body.empty() ? std::string_view("{}") : body, error, &memory, options);
    const auto* object = parsed.if_object();
    if (error || object == nullptr) return Unserializable("");
    const std::string_view target = request.headers.Get("X-Amz-Target");
    if (!target.starts_with(kTargetPrefix)) return UnknownOperation();
    const Operation operation = FindOperation(target.substr(kTargetPrefix.size()));
    if (operation == nullptr) return UnknownOperation();
    if (auto ok = CheckSigned(request); !ok) return std::unexpected(std::move(ok.error()));
    if (body.empty()) return Unserializable("");
    OperationContext context{*store_,
                             parts_.clock,
                             parts_.random,
                             options_.region,
                             arn_prefix_,
                             options_.account_id,
                             request.headers.Get("Host"),
                             group};
    try {
      return operation(context, *object);
    } catch (const std::exception& exception) {
      return std::unexpected(Failure{FailureKind::kInternalServerError, exception.what()});
    }
  }

  Outcome<void> CheckSigned(const http::Request& request) const {
    if (auto ok = CheckAuthorization(request); !ok) return ok;
    if (options_.credentials.empty()) return {};
    return CheckSignature(request, {options_.credentials, options_.region}, parts_.clock.WallNow());
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

std::vector<http::Response> Tables::HandleTogether(std::span<const http::Request> requests) {
  std::vector<http::Response> responses;
  // In memory there is nothing to share, and no reading while others write.
  if (requests.size() > 1 && !impl_->store().in_memory()) {
    const auto written = impl_->store().WriteTogether([&](WriteGroup& group) {
      for (const http::Request& request : requests) {
        responses.push_back(impl_->Handle(request, &group));
      }
    });
    if (written) return responses;
    responses.clear();
  }
  for (const http::Request& request : requests) responses.push_back(impl_->Handle(request));
  return responses;
}

std::expected<std::size_t, Error> Tables::RemoveExpired() {
  return tables::RemoveExpired(impl_->store(), impl_->clock().WallNow());
}

bool Tables::IsQuick(const http::Request& request) const {
  if (request.body.size() > kSmallBytes || IsEncoded(request)) return false;
  const std::string_view operation = OperationOf(request);
  if (operation.empty() || operation == "GetItem") return true;
  if (operation == "BatchGetItem") return request.body.size() <= kFewKeysBytes;
  return impl_->storage() == Storage::kEphemeral &&
         (WritesOne(operation) || operation == "BatchWriteItem");
}

bool Tables::IsSmallWrite(const http::Request& request) const {
  return request.body.size() <= kSmallBytes && !IsEncoded(request) &&
         WritesOne(OperationOf(request)) && impl_->storage() == Storage::kDurable;
}

http::Response Tables::TooLarge(const http::Request&) {
  http::Response response;
  const Failure failure{FailureKind::kRequestTooLarge,
                        fmt::format("expected a body of at most {} bytes", kMaxRequestBytes)};
  response.status = FormOf(failure.kind).status;
  response.body = FailureJson(failure);
  response.headers.Add("Content-Type", kContentType);
  AddChecksum(response);
  return response;
}

bool Tables::Accepts(const http::Request& request) {
  return PathOf(request.target) == "/";
}

}  // namespace kelvin::tables
