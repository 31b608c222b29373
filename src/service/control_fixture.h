#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/thread_pool.hpp>
#include <boost/json.hpp>

#include "http/message.h"
#include "service/control.h"
#include "service/layer_api.h"
#include "service/operation.h"
#include "service/scheduler_fixture.h"

namespace kelvin::service {

// The calls about functions and layers, over fakes and a folder.
class ControlFixture : public SchedulerFixture {
 protected:
  static constexpr std::string_view kFunctions = "/2015-03-31/functions";
  static constexpr std::string_view kArn = "arn:aws:lambda:us-east-1:123456789012:function:";
  static constexpr std::string_view kLayerArn = "arn:aws:lambda:us-east-1:123456789012:layer:";

  ControlFixture();

  http::Response Send(std::string_view method, std::string_view target, std::string body = {});
  // The answer of a call that is to end with `status`; an empty object when it has no body.
  boost::json::object Ask(int status, std::string_view method, std::string_view target,
                          std::string body = {});
  boost::json::object Get(std::string_view target) { return Ask(200, "GET", target); }

  // A call that is to be refused, as "STATUS TYPE MESSAGE".
  struct Refused {
    std::string_view method;
    std::string target;
    std::string body;
    std::string answer;
  };
  void ExpectRefused(const std::vector<Refused>& calls);

  // `more` goes among the fields of the body: ",\"Timeout\":5".
  boost::json::object CreateFunction(std::string_view name = "f", std::string_view more = "");
  std::string BodyOfCreate(std::string_view name, std::string_view more = "") const;
  void PublishLayer(std::string_view name);
  std::string RevisionOf(std::string_view function, std::string_view qualifier = "$LATEST");

  const std::string zip_;  // base64
  FunctionRegistry registry_;
  LayerRegistry layer_registry_;
  FunctionStore store_;
  boost::asio::thread_pool workers_{1};
  ManagedRuntimes runtimes_;
  ControlParts parts_;
  LayerApi layer_api_;
  Operations operations_;
};

}  // namespace kelvin::service
