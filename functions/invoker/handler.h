#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include <kelvin/kelvin.h>

#include "aws/lambda_client.h"
#include "base/clock.h"
#include "base/ids.h"

namespace invoker {

// Measures the functions that the event, or TARGET_FUNCTIONS, names, and answers with the record.
class Handler {
 public:
  // `targets` are names or ARNs separated by commas, for events that name none. Clock and random
  // source outlive it.
  Handler(std::unique_ptr<kelvin::aws::LambdaClient> client, const kelvin::Clock& clock,
          kelvin::Random& random, std::string targets);

  std::expected<std::string, kelvin::HandlerError> operator()(std::string_view payload,
                                                              const kelvin::Context& context);

 private:
  std::unique_ptr<kelvin::aws::LambdaClient> client_;
  const kelvin::Clock& clock_;
  kelvin::Random& random_;
  std::string targets_;
};

}  // namespace invoker
