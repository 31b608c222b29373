#include "cli/local_lambda.h"

#include <system_error>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

namespace kelvin::cli {
namespace {

namespace asio = boost::asio;

// A path that a relative --state-dir means now, whatever the working directory becomes.
std::expected<std::filesystem::path, Error> MakeFolder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    Error failure =
        ErrnoError(fmt::format("make the state folder {}", folder.native()), error.value());
    failure.message += "; name one that can be written with --state-dir";
    return std::unexpected(std::move(failure));
  }
  return std::filesystem::canonical(folder, error);
}

// Every environment takes about ten descriptors of the service.
void AllowManyFiles() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

Error WithAdvice(Error error, std::string_view advice) {
  error.message += fmt::format("; {}", advice);
  return error;
}

asio::awaitable<void> StopParts(service::Service& service, asio::io_context& context) {
  co_await service.Stop();
  context.stop();
}

}  // namespace

std::expected<std::unique_ptr<LocalLambda>, Error> LocalLambda::Open(LocalOptions options,
                                                                     const Clock& clock,
                                                                     Random& random, Log& log) {
  std::unique_ptr<LocalLambda> local(new LocalLambda(clock, random, log));
  if (auto opened = local->OpenParts(std::move(options)); !opened) {
    return std::unexpected(std::move(opened.error()));
  }
  return local;
}

std::expected<void, Error> LocalLambda::OpenParts(LocalOptions options) {
  AllowManyFiles();
  access_.credentials = std::move(options.credentials);
  aws::Credentials given{"kelvin", "kelvin", ""};
  if (!access_.credentials.empty()) given = access_.credentials.front();
  const auto state = MakeFolder(options.state);
  if (!state) return std::unexpected(state.error());
  auto sandboxes = sandbox::NewHostSandboxes({.state = *state});
  if (!sandboxes) return std::unexpected(std::move(sandboxes.error()));
  sandboxes_ = std::move(*sandboxes);
  auto tables = tables::Tables::Open({clock_, random_, log_}, {.storage = options.storage,
                                                               .folder = *state / "tables",
                                                               .sync = options.sync,
                                                               .credentials = access_.credentials,
                                                               .region = options.region});
  if (!tables) return std::unexpected(std::move(tables.error()));
  tables_ = std::make_unique<TablesHandler>(std::move(*tables));
  if (auto listening = Listen(options.listen); !listening) return listening;
  auto service = service::Service::Create(
      context_.get_executor(), {*sandboxes_, clock_, random_, log_},
      {.state = *state,
       .region = options.region,
       .url = url(),
       .function_environment = {{"AWS_ENDPOINT_URL_DYNAMODB", url()},
                                {"AWS_ENDPOINT_URL_LAMBDA", url()},
                                {"AWS_ACCESS_KEY_ID", given.access_key_id},
                                {"AWS_SECRET_ACCESS_KEY", given.secret_access_key}},
       .runtimes = std::move(options.runtimes),
       .function_log = std::move(options.function_log)});
  if (!service) return std::unexpected(std::move(service.error()));
  service_ = std::move(*service);
  return {};
}

std::expected<void, Error> LocalLambda::Listen(const http::Endpoint& endpoint) {
  auto server = http::Server::Listen(
      context_.get_executor(), endpoint,
      [this](http::Request request) { return Answer(std::move(request)); }, log_,
      {.max_body_bytes = service::Service::kMaxRequestBytes}, &service::Service::TooLarge);
  if (!server) {
    if (server.error().code != ErrorCode::kAlreadyExists) return std::unexpected(server.error());
    return std::unexpected(WithAdvice(
        std::move(server.error()),
        "stop what listens there, or choose another port with --port (0 takes a free one)"));
  }
  server_ = std::move(*server);
  return {};
}

asio::awaitable<http::Reply> LocalLambda::Answer(http::Request request) {
  const auto audience = service::Service::IsForFunctionUrl(request)
                            ? service::Audience::kFunctionUrl
                            : service::Audience::kApi;
  const bool is_for_tables =
      tables::Tables::Accepts(request) && !service::Service::IsForLogs(request);
  // The tables check signatures by their own rules, and say so in their own form.
  const bool tables_check =
      audience == service::Audience::kApi && !access_.credentials.empty() && is_for_tables;
  auto refusal =
      tables_check ? std::nullopt : service::Refuse(access_, request, audience, clock_.WallNow());
  if (refusal) {
    log_.Write(LogLevel::kWarn, "service", "refused {} {}: {}", request.method, request.target,
               refusal->body);
    http::Reply reply(std::move(*refusal));
    co_return reply;
  }
  if (is_for_tables) co_return co_await tables_->Answer(std::move(request));
  co_return co_await service_->Handle(std::move(request));
}

LocalLambda::~LocalLambda() {
  if (server_) server_->Stop();
  if (tables_) tables_->Join();
  // Before what they refer to, in the order of who uses whom.
  server_.reset();
  service_.reset();
}

void LocalLambda::Run() {
  context_.run();
}

void LocalLambda::Stop() {
  asio::post(context_, [this] {
    if (std::exchange(stopping_, true)) return;
    server_->Stop();
    asio::co_spawn(context_, StopParts(*service_, context_), asio::detached);
  });
}

std::string LocalLambda::url() const {
  return fmt::format("http://{}:{}", server_->endpoint().host, server_->endpoint().port);
}

}  // namespace kelvin::cli
