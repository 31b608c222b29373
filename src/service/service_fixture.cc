#include "service/service_fixture.h"

#include <fstream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/encoding.h"
#include "package/zip.h"

namespace kelvin::service {

namespace asio = boost::asio;
namespace fs = std::filesystem;

ServiceFixture::ServiceFixture()
    : folder_(TemporaryDirectory::Create().value()),
      log_(clock_, LogLevel::kInfo, [this](std::string_view line) { logged_ += line; }) {
  // Functions run as another user.
  fs::permissions(folder_.path(), fs::perms(0755));
  fs::create_directory(state());
}

ServiceFixture::~ServiceFixture() {
  Stop();
}

void ServiceFixture::Start(ServiceOptions options) {
  auto sandboxes = sandbox::NewHostSandboxes({.state = state()});
  ASSERT_TRUE(sandboxes) << sandboxes.error().message;
  sandboxes_ = std::move(*sandboxes);
  context_ = std::make_unique<asio::io_context>(1);
  options.state = state();
  auto service =
      Service::Create(context_->get_executor(), {*sandboxes_, clock_, random_, log_}, options);
  ASSERT_TRUE(service) << service.error().message;
  service_ = std::move(*service);
  auto server = http::Server::Listen(
      context_->get_executor(), {"127.0.0.1", 0},
      [this](http::Request request) { return service_->Handle(std::move(request)); }, log_,
      {.max_body_bytes = Service::kMaxRequestBytes}, &Service::TooLarge);
  ASSERT_TRUE(server) << server.error().message;
  server_ = std::move(*server);
  thread_ = std::thread([this] { context_->run(); });
}

void ServiceFixture::Stop() {
  if (!thread_.joinable()) return;
  asio::co_spawn(*context_, service_->Stop(), asio::use_future).get();
  context_->stop();
  thread_.join();
  server_.reset();
  service_.reset();
  context_.reset();
  sandboxes_.reset();
}

http::Response ServiceFixture::Send(std::string_view method, std::string_view path,
                                    std::string body, http::Headers headers) {
  http::Client client(connector_, server_->endpoint());
  auto response = client.Send(
      {std::string(method), std::string(path), std::move(headers), std::move(body)}, kNoDeadline);
  if (!response) {
    ADD_FAILURE() << response.error().message;
    return {};
  }
  return std::move(*response);
}

std::string ServiceFixture::Zip(std::string_view file_name, std::string_view content, int mode) {
  const fs::path file = folder_.path() / "packed";
  std::ofstream(file, std::ios::binary) << content;
  return package::MakeZip(
             {{.name = std::string(file_name), .source = file, .executable = (mode & 0111) != 0}})
      .value();
}

const std::string& ServiceFixture::TestZip() {
  if (zip_.empty()) zip_ = Zip("bootstrap", ReadFile(KELVIN_TEST_BOOTSTRAP).value(), 0755);
  return zip_;
}

void ServiceFixture::CreateFunction(std::string_view name, std::string_view handler,
                                    int timeout_seconds) {
  const boost::json::object body{{"FunctionName", name},
                                 {"Runtime", "provided.al2023"},
                                 {"Role", "arn:aws:iam::123456789012:role/test"},
                                 {"Handler", handler},
                                 {"Timeout", timeout_seconds},
                                 {"Code", {{"ZipFile", Base64Encode(TestZip())}}}};
  const auto response = Send("POST", "/2015-03-31/functions", boost::json::serialize(body));
  ASSERT_EQ(response.status, 201) << response.body;
}

http::Response ServiceFixture::CreateWithZip(std::string_view name, std::string_view zip) {
  const boost::json::object body{{"FunctionName", name},
                                 {"Runtime", "provided.al2023"},
                                 {"Role", "arn:aws:iam::123456789012:role/test"},
                                 {"Handler", "echo"},
                                 {"Code", {{"ZipFile", Base64Encode(zip)}}}};
  return Send("POST", "/2015-03-31/functions", boost::json::serialize(body));
}

http::Response ServiceFixture::Invoke(std::string_view name, std::string payload,
                                      http::Headers headers) {
  return Send("POST", fmt::format("/2015-03-31/functions/{}/invocations", name), std::move(payload),
              std::move(headers));
}

http::Response ServiceFixture::InvokeForLog(std::string_view name, std::string& log,
                                            std::string payload) {
  auto response = Invoke(name, std::move(payload), {{"X-Amz-Log-Type", "Tail"}});
  log = Base64Decode(response.headers.Get("X-Amz-Log-Result")).value();
  return response;
}

}  // namespace kelvin::service
