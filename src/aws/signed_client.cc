#include "aws/signed_client.h"

#include <utility>

namespace kelvin::aws {
namespace {

// Servers keep idle connections for longer than this.
constexpr std::chrono::seconds kSurelyOpen{3};

}  // namespace

SignedClient::SignedClient(http::Connector& connector, const Clock& clock, ServiceEndpoint endpoint,
                           Signer signer, std::shared_ptr<CredentialProvider> credentials)
    : clock_(clock),
      endpoint_(std::move(endpoint)),
      signer_(std::move(signer)),
      credentials_(std::move(credentials)),
      client_(connector, endpoint_.address) {}

std::expected<void, Error> SignedClient::Send(std::string_view method, std::string_view target,
                                              http::Headers headers, std::string_view body,
                                              http::Response& response, Clock::TimePoint deadline,
                                              http::Resend resend) {
  if (credentials_ != nullptr) {
    auto keys = credentials_->Get();
    if (!keys) return std::unexpected(std::move(keys.error()));
    signer_.Use(std::move(*keys));
  }
  const std::string full_target = endpoint_.base_path + std::string(target);
  headers.Set("Host", endpoint_.HostHeader());
  signer_.Sign(method, full_target, body, clock_.WallNow(), headers);
  if (resend == http::Resend::kNo && clock_.Now() - last_used_ > kSurelyOpen) {
    client_.Disconnect();
  }
  auto sent = client_.Send(http::RequestView{method, full_target, &headers, body}, response,
                           deadline, resend);
  last_used_ = clock_.Now();
  return sent;
}

}  // namespace kelvin::aws
