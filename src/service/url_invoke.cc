#include "service/url_invoke.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/encoding.h"
#include "service/alias_api.h"
#include "service/function_url.h"
#include "service/trace_id.h"

namespace kelvin::service {

namespace json = boost::json;
using boost::asio::awaitable;

namespace {

constexpr std::size_t kMostRequestBytes = 6'291'456;
constexpr std::string_view kPreludeType = "application/vnd.awslambda.http-integration-response";
constexpr std::string_view kPreludeEnd("\0\0\0\0\0\0\0\0", 8);
constexpr std::size_t kMostPreludeBytes = 64 * 1024;
constexpr std::string_view kCaller = "127.0.0.1";

http::Response Plain(int status, std::string_view text) {
  return {status, {{"Content-Type", "text/plain"}}, std::string(text)};
}

http::Response Denied(std::string_view body) {
  return {403,
          {{"Content-Type", "application/json"}, {"x-amzn-ErrorType", "AccessDeniedException"}},
          std::string(body)};
}

http::Response BadGateway() {
  return Plain(502, "Internal Server Error");
}

// "12/Mar/2020:19:03:58 +0000", whatever the locale.
std::string CommonLogTime(std::time_t now) {
  static constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  return fmt::format("{:02}/{}/{}:{:02}:{:02}:{:02} +0000", utc.tm_mday, kMonths[utc.tm_mon],
                     utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

bool IsText(std::string_view content_type) {
  const auto type = content_type.substr(0, content_type.find(';'));
  return type.empty() || type.starts_with("text/") || type == "application/json" ||
         type == "application/xml" || type == "application/javascript" || type.ends_with("+json") ||
         type.ends_with("+xml");
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

void AppendJoined(json::object& object, std::string_view name, std::string_view value) {
  json::value& there = object[name];
  if (!there.is_string()) {
    there = json::string(value.data(), value.size());
  } else {
    there.get_string().append(",").append({value.data(), value.size()});
  }
}

json::object QueryOf(std::string_view query) {
  json::object fields;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto field = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (field.empty()) continue;
    const auto equals = std::min(field.find('='), field.size());
    const auto name = PercentDecode(field.substr(0, equals));
    const auto value = PercentDecode(field.substr(std::min(equals + 1, field.size())));
    if (name && value) AppendJoined(fields, *name, *value);
  }
  return fields;
}

bool Allows(const std::vector<std::string>& allowed, std::string_view value) {
  return std::ranges::any_of(allowed, [&](const std::string& it) {
    return it == "*" || http::EqualsIgnoringCase(it, value);
  });
}

std::optional<http::Response> Preflight(const FunctionUrl& url, const http::Request& request) {
  const bool asked = url.cors && request.method == "OPTIONS" && request.headers.Has("Origin") &&
                     request.headers.Has("Access-Control-Request-Method");
  if (!asked) return std::nullopt;
  http::Response response{200, {}, {}};
  AddCors(*url.cors, request.headers, response);
  return response;
}

awaitable<bool> Forward(std::shared_ptr<Invocation> invocation, std::string first,
                        http::BodySink& sink) {
  bool open = co_await sink.Write(first);
  while (open) {
    const auto piece = co_await invocation->pipe->Pull();
    if (!piece) break;
    open = co_await sink.Write(*piece);
  }
  invocation->pipe->Abandon();
  if (!open) co_return false;
  const InvokeOutcome outcome = co_await invocation->outcome.Wait();
  // A body that broke off must not look whole.
  co_return outcome.kind == InvokeOutcome::Kind::kResponse;
}

// Functions give it as a number, or as text with one.
std::optional<int> StatusOf(const json::value& value) {
  int status = 0;
  if (value.is_string()) {
    const json::string& text = value.get_string();
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), status);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
  } else {
    boost::system::error_code error;
    status = value.to_number<int>(error);
    if (error) return std::nullopt;
  }
  return status < 100 || status > 599 ? std::nullopt : std::optional(status);
}

// A document without the blanks that mean nothing, as AWS writes it anew.
std::string Compact(std::string_view document) {
  std::string compact;
  compact.reserve(document.size());
  bool in_text = false;
  bool escaped = false;
  for (const char c : document) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (blank && !in_text) continue;
    compact += c;
    if (c == '"' && !escaped) in_text = !in_text;
    escaped = in_text && c == '\\' && !escaped;
  }
  return compact;
}

// A streamed response up to where its body begins.
struct StreamHead {
  http::Response response;
  std::string first;  // of the body
};

awaitable<std::optional<StreamHead>> ReadHead(ResponsePipe& pipe) {
  StreamHead head;
  auto first = co_await pipe.Pull();
  if (first) head.first = std::move(*first);
  if (pipe.content_type != kPreludeType) {
    const std::string type =
        pipe.content_type.empty() ? "application/octet-stream" : pipe.content_type;
    head.response = {200, {{"Content-Type", type}}, {}};
    co_return head;
  }
  for (;;) {
    const auto end = head.first.find(kPreludeEnd);
    if (end != head.first.npos) {
      auto response = ReadPrelude(std::string_view(head.first).substr(0, end));
      if (!response) co_return std::nullopt;
      head.response = std::move(*response);
      head.first.erase(0, end + kPreludeEnd.size());
      co_return head;
    }
    if (head.first.size() > kMostPreludeBytes) co_return std::nullopt;
    const auto piece = co_await pipe.Pull();
    if (!piece) co_return std::nullopt;
    head.first += *piece;
  }
}

}  // namespace

FunctionUrls::FunctionUrls(const Parts& parts) : parts_(parts) {}

std::optional<FunctionUrls::Address> FunctionUrls::AddressOf(const http::Request& request) {
  const std::string_view target = request.target;
  if (target.starts_with(kFunctionUrlPrefix)) {
    const auto rest = target.substr(kFunctionUrlPrefix.size());
    const auto end = std::min(rest.find_first_of("/?"), rest.size());
    std::string path(rest.substr(end));
    if (!path.starts_with('/')) path.insert(0, "/");
    return Address{std::string(rest.substr(0, end)), std::move(path)};
  }
  const std::string_view host = request.headers.Get("Host");
  const auto dot = host.find(".lambda-url.");
  if (dot == host.npos) return std::nullopt;
  return Address{std::string(host.substr(0, dot)), request.target};
}

std::optional<FunctionUrls::Found> FunctionUrls::Find(std::string_view id) const {
  for (const auto& [name, record] : parts_.registry.all()) {
    for (const auto& [qualifier, url] : record->urls) {
      if (url.id != id) continue;
      auto target = FindTarget(record, qualifier == "$LATEST" ? "" : qualifier);
      if (target) return Found{std::move(*target), url};
    }
  }
  return std::nullopt;
}

awaitable<http::Reply> FunctionUrls::Handle(Address address, http::Request request,
                                            std::string request_id) {
  const auto found = Find(address.id);
  if (!found) co_return Denied(R"({"Message":null})");
  if (auto preflight = Preflight(found->url, request)) co_return std::move(*preflight);
  if (found->url.auth_type == "AWS_IAM" && !request.headers.Has("Authorization")) {
    co_return Denied(
        R"({"Message":"Forbidden. For troubleshooting Function URL authorization issues, see: )"
        R"(https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"})");
  }
  if (request.body.size() >= kMostRequestBytes) {
    co_return Plain(413, "{\"Message\":\"Request must be smaller than 6291456 bytes\"}");
  }
  const auto invocation = std::make_shared<Invocation>();
  invocation->event = std::make_shared<RuntimeEvent>();
  RuntimeEvent& event = *invocation->event;
  event.request_id = request_id;
  event.trace_id = TraceId(request.headers.Get("X-Amzn-Trace-Id"), parts_.clock, parts_.random);
  AddForwarding(event.trace_id, request.headers);
  event.payload = UrlEvent(address, request, request_id, parts_.place, parts_.clock.WallNow());
  event.function_arn =
      FunctionArn(parts_.place, found->target.record->name(), found->target.qualifier);
  const bool streams = found->url.invoke_mode == "RESPONSE_STREAM";
  if (streams) invocation->pipe = std::make_shared<ResponsePipe>();
  const std::string version = ChooseVersion(found->target, parts_.random).version;
  const auto submitted = parts_.scheduler.Submit(found->target.record->name(), version, invocation);
  if (!submitted) co_return ErrorResponse(submitted.error());
  std::optional<StreamHead> head;
  if (streams) head = co_await ReadHead(*invocation->pipe);
  if (streams && invocation->pipe->begun) {
    if (!head) {
      invocation->pipe->Abandon();
      co_return BadGateway();
    }
    if (found->url.cors) AddCors(*found->url.cors, request.headers, head->response);
    http::BodyWriter writer = [invocation, first = std::move(head->first)](http::BodySink& sink) {
      return Forward(invocation, first, sink);
    };
    http::Reply reply(std::move(head->response), std::move(writer));
    co_return reply;
  }
  InvokeOutcome outcome = co_await invocation->outcome.Wait();
  if (outcome.kind != InvokeOutcome::Kind::kResponse) co_return BadGateway();
  auto response = UrlResponse(std::move(outcome.payload));
  if (!response) co_return BadGateway();
  if (found->url.cors) AddCors(*found->url.cors, request.headers, *response);
  co_return std::move(*response);
}

void AddForwarding(std::string_view trace_id, http::Headers& headers) {
  const std::string host(headers.Get("Host"));
  const auto port = host.find_last_of(":]");
  const bool has_port = port != host.npos && host[port] == ':';
  const std::string before(headers.Get("X-Forwarded-For"));
  headers.Set("X-Forwarded-For", before.empty() ? kCaller : fmt::format("{}, {}", before, kCaller));
  headers.Set("X-Forwarded-Port", has_port ? host.substr(port + 1) : "80");
  headers.Set("X-Forwarded-Proto", "http");
  headers.Set("X-Amzn-Trace-Id", trace_id);
}

std::string UrlEvent(const FunctionUrls::Address& address, const http::Request& request,
                     std::string_view request_id, const Place& place, Clock::WallTime now) {
  const auto mark = std::min(address.target.find('?'), address.target.size());
  const std::string_view path = std::string_view(address.target).substr(0, mark);
  const std::string_view query =
      std::string_view(address.target).substr(std::min(mark + 1, address.target.size()));
  const auto decoded = PercentDecode(path);
  const std::string shown_path = decoded ? *decoded : std::string(path);
  json::object headers;
  json::array cookies;
  for (const auto& [name, value] : request.headers) {
    if (!http::EqualsIgnoringCase(name, "Cookie")) {
      AppendJoined(headers, Lower(name), value);
      continue;
    }
    for (std::string_view rest = value; !rest.empty();) {
      const auto end = std::min(rest.find(';'), rest.size());
      auto cookie = rest.substr(0, end);
      cookie.remove_prefix(std::min(cookie.find_first_not_of(' '), cookie.size()));
      if (!cookie.empty()) cookies.emplace_back(cookie);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  const auto epoch = now.time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(epoch).count();
  json::object event{
      {"version", "2.0"},
      {"routeKey", "$default"},
      {"rawPath", shown_path},
      {"rawQueryString", query},
      {"headers", std::move(headers)},
      {"requestContext",
       {{"accountId", "anonymous"},
        {"apiId", address.id},
        {"domainName", fmt::format("{}.lambda-url.{}.on.aws", address.id, place.region)},
        {"domainPrefix", address.id},
        {"http",
         {{"method", request.method},
          {"path", shown_path},
          {"protocol", "HTTP/1.1"},
          {"sourceIp", kCaller},
          {"userAgent", request.headers.Get("User-Agent")}}},
        {"requestId", request_id},
        {"routeKey", "$default"},
        {"stage", "$default"},
        {"time", CommonLogTime(seconds)},
        {"timeEpoch", std::chrono::duration_cast<std::chrono::milliseconds>(epoch).count()}}}};
  if (!cookies.empty()) event["cookies"] = std::move(cookies);
  if (json::object fields = QueryOf(query); !fields.empty()) {
    event["queryStringParameters"] = std::move(fields);
  }
  const bool text = IsText(request.headers.Get("Content-Type"));
  if (!request.body.empty()) event["body"] = text ? request.body : Base64Encode(request.body);
  event["isBase64Encoded"] = !request.body.empty() && !text;
  return json::serialize(event);
}

std::optional<http::Response> ReadPrelude(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) return std::nullopt;
  const json::object& object = value.get_object();
  http::Response response;
  response.status = 200;
  if (const json::value* status = object.if_contains("statusCode")) {
    const auto number = StatusOf(*status);
    if (!number) return std::nullopt;
    response.status = *number;
  }
  const json::value* headers = object.if_contains("headers");
  if (headers != nullptr && headers->is_object()) {
    for (const auto& [name, given] : headers->get_object()) {
      if (http::EqualsIgnoringCase({name.data(), name.size()}, "Content-Length")) continue;
      const std::string value_text =
          given.is_string() ? std::string(given.get_string()) : json::serialize(given);
      response.headers.Add({name.data(), name.size()}, value_text);
    }
  }
  const json::value* cookies = object.if_contains("cookies");
  if (cookies != nullptr && cookies->is_array()) {
    for (const json::value& cookie : cookies->get_array()) {
      if (cookie.is_string()) {
        response.headers.Add("Set-Cookie",
                             {cookie.get_string().data(), cookie.get_string().size()});
      }
    }
  }
  return response;
}

std::optional<http::Response> UrlResponse(std::string payload) {
  boost::system::error_code error;
  const json::value value = json::parse(payload, error);
  const json::object* object = error ? nullptr : value.if_object();
  if (object == nullptr || !object->contains("statusCode")) {
    if (!error) payload = value.is_string() ? std::string(value.get_string()) : Compact(payload);
    return http::Response{200, {{"Content-Type", "application/json"}}, std::move(payload)};
  }
  auto response = ReadPrelude(payload);
  if (!response) return response;
  if (const json::value* body = object->if_contains("body"); body != nullptr && !body->is_null()) {
    response->body = body->is_string() ? std::string(body->get_string()) : json::serialize(*body);
  }
  const json::value* encoded = object->if_contains("isBase64Encoded");
  if (encoded != nullptr && encoded->is_bool() && encoded->get_bool()) {
    auto bytes = Base64Decode(response->body);
    if (!bytes) return std::nullopt;
    response->body = std::move(*bytes);
  }
  if (!response->headers.Has("Content-Type")) {
    response->headers.Add("Content-Type", "application/json");
  }
  return response;
}

void AddCors(const Cors& cors, const http::Headers& request, http::Response& response) {
  const std::string_view origin = request.Get("Origin");
  if (origin.empty() || !Allows(cors.allow_origins, origin)) return;
  const bool any = std::ranges::find(cors.allow_origins, "*") != cors.allow_origins.end();
  response.headers.Set("Access-Control-Allow-Origin",
                       any && !cors.allow_credentials ? std::string_view("*") : origin);
  if (!any || cors.allow_credentials) response.headers.Add("Vary", "Origin");
  const auto add = [&](std::string_view name, const std::vector<std::string>& values) {
    if (!values.empty()) response.headers.Set(name, fmt::format("{}", fmt::join(values, ",")));
  };
  if (cors.allow_credentials) response.headers.Set("Access-Control-Allow-Credentials", "true");
  add("Access-Control-Expose-Headers", cors.expose_headers);
  if (!request.Has("Access-Control-Request-Method")) return;
  add("Access-Control-Allow-Methods", cors.allow_methods);
  add("Access-Control-Allow-Headers", cors.allow_headers);
  if (cors.max_age > 0)
    response.headers.Set("Access-Control-Max-Age", std::to_string(cors.max_age));
}

}  // namespace kelvin::service
