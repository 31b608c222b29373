#include "aws/tls.h"

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "aws/amazon_roots.h"

namespace kelvin::aws {
namespace {

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
template <typename T, auto kFree>
using Handle = std::unique_ptr<T, Freer<kFree>>;
using Context = Handle<SSL_CTX, SSL_CTX_free>;
using Connection = Handle<SSL, SSL_free>;
using Session = Handle<SSL_SESSION, SSL_SESSION_free>;
using Certificate = Handle<X509, X509_free>;
using BioMethod = Handle<BIO_METHOD, BIO_meth_free>;

constexpr std::size_t kRecordSize = 16 * 1024;

// The oldest reason in OpenSSL's queue, which is emptied.
std::string TakeReason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : fmt::format("OpenSSL error {:08X}", code);
}

// The stream that OpenSSL reads from and writes to, the deadline of the call that it does so for,
// and why that failed.
struct Transport {
  std::string peer;  // "host:port"
  std::unique_ptr<http::Stream> stream;
  Clock::TimePoint deadline = kNoDeadline;
  std::optional<Error> failure = std::nullopt;
};

Transport& TransportOf(BIO* bio) {
  return *static_cast<Transport*>(BIO_get_data(bio));
}

int ReadTransport(BIO* bio, char* into, int size) {
  Transport& transport = TransportOf(bio);
  auto got = transport.stream->Read({into, static_cast<std::size_t>(size)}, transport.deadline);
  if (got) return static_cast<int>(*got);
  transport.failure = std::move(got.error());
  return -1;
}

int WriteTransport(BIO* bio, const char* bytes, int size) {
  Transport& transport = TransportOf(bio);
  auto written =
      transport.stream->Write({bytes, static_cast<std::size_t>(size)}, {}, transport.deadline);
  if (written) return size;
  transport.failure = std::move(written.error());
  return -1;
}

long ControlTransport(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BioMethod NewTransportMethod() {
  BioMethod method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream"));
  BIO_meth_set_read(method.get(), ReadTransport);
  BIO_meth_set_write(method.get(), WriteTransport);
  BIO_meth_set_ctrl(method.get(), ControlTransport);
  return method;
}

class TlsStream final : public http::Stream {
 public:
  // `library` holds what the connection refers to.
  TlsStream(std::shared_ptr<const void> library, std::unique_ptr<Transport> transport,
            Connection connection)
      : library_(std::move(library)),
        transport_(std::move(transport)),
        connection_(std::move(connection)) {}

  ~TlsStream() override {
    // Without this mark OpenSSL forgets the session. Nothing is sent: the peer may be long gone.
    SSL_set_quiet_shutdown(connection_.get(), 1);
    SSL_shutdown(connection_.get());
  }

  std::expected<std::size_t, Error> Read(std::span<char> into, Clock::TimePoint deadline) override {
    Prepare(deadline);
    std::size_t got = 0;
    if (SSL_read_ex(connection_.get(), into.data(), into.size(), &got) == 1) return got;
    if (SSL_get_error(connection_.get(), 0) == SSL_ERROR_ZERO_RETURN) return 0;
    return std::unexpected(Failure());
  }

  std::expected<void, Error> Write(std::string_view head, std::string_view body,
                                   Clock::TimePoint deadline) override {
    Prepare(deadline);
    // Head and the first of the body share a record, and so a packet.
    std::array<char, kRecordSize> first;
    const std::size_t from_head = head.copy(first.data(), first.size());
    const std::size_t from_body = body.copy(first.data() + from_head, first.size() - from_head);
    if (!WriteBytes({first.data(), from_head + from_body}) || !WriteBytes(head.substr(from_head)) ||
        !WriteBytes(body.substr(from_body))) {
      return std::unexpected(Failure());
    }
    return {};
  }

 private:
  void Prepare(Clock::TimePoint deadline) {
    ERR_clear_error();
    transport_->deadline = deadline;
    transport_->failure.reset();
  }

  bool WriteBytes(std::string_view bytes) {
    std::size_t written = 0;
    return bytes.empty() ||
           SSL_write_ex(connection_.get(), bytes.data(), bytes.size(), &written) == 1;
  }

  Error Failure() {
    if (transport_->failure) return std::move(*transport_->failure);
    return Error{ErrorCode::kUnavailable,
                 fmt::format("the TLS connection broke: {}", TakeReason())};
  }

  std::shared_ptr<const void> library_;
  std::unique_ptr<Transport> transport_;
  Connection connection_;
};

}  // namespace

// What all connections share: made at the first connect.
class TlsConnector::Library : public std::enable_shared_from_this<TlsConnector::Library> {
 public:
  static std::expected<std::shared_ptr<Library>, Error> Create(const TlsOptions& options);

  std::expected<std::unique_ptr<http::Stream>, Error> Handshake(
      std::unique_ptr<http::Stream> stream, const http::Endpoint& endpoint, Clock::WallTime now,
      Clock::TimePoint deadline);

 private:
  std::expected<void, Error> Trust(const TlsOptions& options);
  static int KeepSession(SSL* connection, SSL_SESSION* session);
  Connection NewConnection(Transport& transport, const http::Endpoint& endpoint,
                           Clock::WallTime now);

  BioMethod method_;
  Context context_;
  std::map<std::string, Session, std::less<>> sessions_;  // by peer
};

std::expected<std::shared_ptr<TlsConnector::Library>, Error> TlsConnector::Library::Create(
    const TlsOptions& options) {
  // A machine's openssl.cnf must not change what a function does, and reading it takes time.
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr);
  auto library = std::make_shared<Library>();
  library->method_ = NewTransportMethod();
  library->context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = library->context_.get();
  if (context == nullptr || library->method_ == nullptr) {
    return std::unexpected(
        Error{ErrorCode::kInternal, fmt::format("cannot set up TLS: {}", TakeReason())});
  }
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context, KeepSession);
  SSL_CTX_set_app_data(context, library.get());
  auto trusted = library->Trust(options);
  if (!trusted) return std::unexpected(std::move(trusted.error()));
  return library;
}

std::expected<void, Error> TlsConnector::Library::Trust(const TlsOptions& options) {
  X509_STORE* store = SSL_CTX_get_cert_store(context_.get());
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  for (const AmazonRoot& root : AmazonRoots()) {
    const unsigned char* der = root.der.data();
    const Certificate certificate(d2i_X509(nullptr, &der, static_cast<long>(root.der.size())));
    if (certificate == nullptr || X509_STORE_add_cert(store, certificate.get()) != 1) {
      return std::unexpected(Error{ErrorCode::kInternal, fmt::format("cannot load the root {}: {}",
                                                                     root.name, TakeReason())});
    }
  }
  if (!options.ca_file.empty() &&
      SSL_CTX_load_verify_file(context_.get(), options.ca_file.c_str()) != 1) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("expected certificates in PEM form in {} (AWS_CA_BUNDLE), got: {}",
                          options.ca_file, TakeReason())});
  }
  return {};
}

int TlsConnector::Library::KeepSession(SSL* connection, SSL_SESSION* session) {
  auto* library = static_cast<Library*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection)));
  const auto* transport = static_cast<const Transport*>(SSL_get_app_data(connection));
  library->sessions_[transport->peer] = Session(session);
  return 1;
}

Connection TlsConnector::Library::NewConnection(Transport& transport,
                                                const http::Endpoint& endpoint,
                                                Clock::WallTime now) {
  Connection connection(SSL_new(context_.get()));
  BIO* bio = BIO_new(method_.get());
  if (connection == nullptr || bio == nullptr) {
    BIO_free(bio);
    return nullptr;
  }
  BIO_set_data(bio, &transport);
  BIO_set_init(bio, 1);
  SSL_set_bio(connection.get(), bio, bio);
  X509_VERIFY_PARAM* checks = SSL_get0_param(connection.get());
  X509_VERIFY_PARAM_set_time(checks, Clock::WallTime::clock::to_time_t(now));
  if (X509_VERIFY_PARAM_set1_ip_asc(checks, endpoint.host.c_str()) != 1) {
    SSL_set_hostflags(connection.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(connection.get(), endpoint.host.c_str());
    SSL_set_tlsext_host_name(connection.get(), endpoint.host.c_str());
  }
  return connection;
}

std::expected<std::unique_ptr<http::Stream>, Error> TlsConnector::Library::Handshake(
    std::unique_ptr<http::Stream> stream, const http::Endpoint& endpoint, Clock::WallTime now,
    Clock::TimePoint deadline) {
  ERR_clear_error();
  auto transport = std::make_unique<Transport>(fmt::format("{}:{}", endpoint.host, endpoint.port),
                                               std::move(stream), deadline);
  Connection connection = NewConnection(*transport, endpoint, now);
  if (connection == nullptr) {
    return std::unexpected(
        Error{ErrorCode::kInternal, fmt::format("cannot start TLS: {}", TakeReason())});
  }
  SSL_set_app_data(connection.get(), transport.get());
  const auto kept = sessions_.find(transport->peer);
  if (kept != sessions_.end()) SSL_set_session(connection.get(), kept->second.get());
  if (SSL_connect(connection.get()) == 1) {
    return std::make_unique<TlsStream>(shared_from_this(), std::move(transport),
                                       std::move(connection));
  }
  const long verdict = SSL_get_verify_result(connection.get());
  if (verdict != X509_V_OK) {
    return std::unexpected(Error{
        ErrorCode::kPermissionDenied,
        fmt::format("the certificate of {} was refused: {}; expected one for that name from an "
                    "Amazon authority, or from one in the file that AWS_CA_BUNDLE names",
                    transport->peer, X509_verify_cert_error_string(verdict))});
  }
  Error failure = transport->failure.value_or(Error{ErrorCode::kUnavailable, TakeReason()});
  failure.message = fmt::format("TLS with {} failed: {}", transport->peer, failure.message);
  return std::unexpected(std::move(failure));
}

TlsConnector::TlsConnector(http::Connector& below, const Clock& clock, TlsOptions options)
    : below_(below), clock_(clock), options_(std::move(options)) {}

TlsConnector::~TlsConnector() = default;

std::expected<std::unique_ptr<http::Stream>, Error> TlsConnector::Connect(
    const http::Endpoint& endpoint, Clock::TimePoint deadline) {
  if (library_ == nullptr) {
    auto library = Library::Create(options_);
    if (!library) return std::unexpected(std::move(library.error()));
    library_ = std::move(*library);
  }
  auto stream = below_.Connect(endpoint, deadline);
  if (!stream) return stream;
  return library_->Handshake(std::move(*stream), endpoint, clock_.WallNow(), deadline);
}

}  // namespace kelvin::aws
