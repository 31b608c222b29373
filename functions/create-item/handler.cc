#include "handler.h"

#include <utility>

#include <boost/json.hpp>

namespace create_item {
namespace {

// What an answer needs to get out before Lambda kills the function.
constexpr std::chrono::milliseconds kMargin{100};

std::chrono::steady_clock::time_point RepositoryDeadline(const kelvin::Context& context) {
  const auto deadline = context.SteadyDeadline();
  return deadline == std::chrono::steady_clock::time_point::max() ? deadline : deadline - kMargin;
}

}  // namespace

Handler::Handler(std::unique_ptr<ItemRepository> repository) : repository_(std::move(repository)) {}

std::expected<kelvin::Uuid, kelvin::HandlerError> Handler::operator()(
    const std::map<std::string, std::string>& input, const kelvin::Context& context) {
  context.log().Info("{}", boost::json::serialize(boost::json::value_from(input)));
  return repository_->Create(RepositoryDeadline(context));
}

}  // namespace create_item
