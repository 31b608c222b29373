#include "cli/tables_command.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/tables_handler.h"
#include "http/server.h"

namespace kelvin::cli {
namespace {

namespace asio = boost::asio;

std::expected<tables::TablesOptions, Error> OptionsOf(const TablesServeOptions& options,
                                                      const Host& host) {
  tables::TablesOptions opened;
  opened.storage = options.storage;
  opened.folder = std::filesystem::path(options.state_dir) / "tables";
  opened.sync = options.sync;
  opened.region = options.region;
  if (options.signatures == TablesServeOptions::Signatures::kAny) return opened;
  auto credentials = aws::CredentialsFromEnvironment(host.environment);
  if (!credentials) return std::unexpected(std::move(credentials.error()));
  opened.credentials.push_back(std::move(*credentials));
  return opened;
}

std::string Greeting(const TablesServeOptions& options, const std::string& url) {
  const std::string where = options.storage == tables::Storage::kEphemeral
                                ? std::string("items in memory")
                                : fmt::format("items in {}/tables", options.state_dir);
  return fmt::format(
      "DynamoDB on {0} ({1})\n"
      "Try:\n"
      "  aws --endpoint-url {0} dynamodb list-tables\n"
      "Ctrl-C ends it.\n",
      url, where);
}

// The tables and a server on as many event loops as can be of use to few clients.
class TablesService {
 public:
  explicit TablesService(std::unique_ptr<tables::Tables> tables) : handler_(std::move(tables)) {
    const std::size_t loops = std::clamp(std::thread::hardware_concurrency(), 1U, kMostLoops);
    for (std::size_t i = 0; i < loops; ++i) loops_.push_back(std::make_unique<asio::io_context>(1));
  }
  TablesService(const TablesService&) = delete;
  TablesService& operator=(const TablesService&) = delete;
  ~TablesService() {
    if (server_) server_->Stop();
    handler_.Join();
    server_.reset();
  }

  std::expected<void, Error> Listen(const http::Endpoint& endpoint, Log& log) {
    std::vector<asio::any_io_executor> executors;
    for (const auto& loop : loops_) executors.emplace_back(loop->get_executor());
    auto server = http::Server::Listen(
        executors, endpoint,
        [this](http::Request request) { return handler_.Answer(std::move(request), CompanyNow()); },
        log, {.max_body_bytes = tables::Tables::kMaxRequestBytes}, &tables::Tables::TooLarge);
    if (!server) return std::unexpected(std::move(server.error()));
    server_ = std::move(*server);
    return {};
  }
  std::string url() const {
    return fmt::format("http://{}:{}", server_->endpoint().host, server_->endpoint().port);
  }
  void Run() {
    std::vector<std::jthread> threads;
    for (const auto& loop : std::span(loops_).subspan(1)) {
      threads.emplace_back([&loop] {
        const auto stays = asio::make_work_guard(*loop);
        loop->run();
      });
    }
    loops_.front()->run();
  }
  // Thread-safe.
  void Stop() {
    asio::post(*loops_.front(), [this] {
      server_->Stop();
      for (const auto& loop : loops_) loop->stop();
    });
  }

 private:
  static constexpr unsigned kMostLoops = 4;

  // Another client that comes meanwhile has another loop.
  TablesHandler::Company CompanyNow() const {
    const bool alone = loops_.size() > 1 && server_->connections() == 1;
    return alone ? TablesHandler::Company::kAlone : TablesHandler::Company::kOthers;
  }

  TablesHandler handler_;
  std::vector<std::unique_ptr<asio::io_context>> loops_;
  std::unique_ptr<http::Server> server_;
};

int ServeTables(const std::vector<std::string>& arguments, const Host& host) {
  const auto options = ParseTablesServe(arguments);
  if (!options) return Report(host, options.error());
  Log log(host.clock, LogLevel::kInfo, host.err.write);
  const auto opened = OptionsOf(*options, host);
  if (!opened) return Fail(host, kExitUsage, opened.error().message);
  auto tables = tables::Tables::Open({host.clock, host.random, log}, *opened);
  if (!tables) return Fail(host, kExitEnvironment, tables.error().message);
  TablesService service(std::move(*tables));
  if (auto listening = service.Listen({options->host, options->port}, log); !listening) {
    return Fail(
        host, kExitEnvironment,
        listening.error().message + "; choose another port with --port (0 takes a free one)");
  }
  const InterruptWatch watch([&] { service.Stop(); });
  host.out.write(Greeting(*options, service.url()));
  if (auto told = TellReady(options->ready, service.url()); !told) {
    return Fail(host, kExitEnvironment, told.error().message);
  }
  service.Run();
  return kExitOk;
}

}  // namespace

int TablesCommand(const std::vector<std::string>& arguments, const Host& host) {
  using Direction = TransferOptions::Direction;
  for (const auto& [name, direction] :
       {std::pair{"export", Direction::kExport}, std::pair{"import", Direction::kImport}}) {
    if (arguments.empty() || arguments.front() != name) continue;
    const auto options = ParseTransfer(direction, {arguments.begin() + 1, arguments.end()});
    return options ? Transfer(*options, host) : Report(host, options.error());
  }
  return ServeTables(arguments, host);
}

}  // namespace kelvin::cli
