#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/log.h"
#include "http/client.h"
#include "http/server.h"
#include "http/stream.h"
#include "sandbox/sandbox.h"
#include "service/service.h"

namespace kelvin::service {

// A whole service with real sandboxes behind a real server on a free port, on a thread of its own.
class ServiceFixture : public ::testing::Test {
 protected:
  ServiceFixture();
  ~ServiceFixture() override;

  void Start(ServiceOptions options = {});
  // In order, and all that there was is gone.
  void Stop();

  http::Response Send(std::string_view method, std::string_view path, std::string body = {},
                      http::Headers headers = {});
  // Makes a function of the test bootstrap that behaves as `handler` says.
  void CreateFunction(std::string_view name, std::string_view handler, int timeout_seconds = 10);
  http::Response CreateWithZip(std::string_view name, std::string_view zip);
  http::Response Invoke(std::string_view name, std::string payload = "{}",
                        http::Headers headers = {});
  // With the log's tail; `log` takes it.
  http::Response InvokeForLog(std::string_view name, std::string& log, std::string payload = "{}");

  // A zip with one file.
  std::string Zip(std::string_view file_name, std::string_view content, int mode);
  const std::string& TestZip();
  std::filesystem::path state() const { return folder_.path() / "state"; }
  const std::string& logged() const { return logged_; }

  SystemClock clock_;

 private:
  TemporaryDirectory folder_;
  std::string zip_;
  SystemRandom random_;
  std::string logged_;
  Log log_;
  std::unique_ptr<sandbox::Sandboxes> sandboxes_;
  std::unique_ptr<boost::asio::io_context> context_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<http::Server> server_;
  std::thread thread_;
  http::TcpConnector connector_;
};

}  // namespace kelvin::service
