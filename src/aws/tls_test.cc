#include "aws/tls.h"

#include <array>
#include <csignal>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include "aws/amazon_roots.h"
#include "aws/sha256.h"
#include "base/encoding.h"
#include "base/fake_clock.h"
#include "base/file.h"
#include "http/stream.h"

namespace kelvin::aws {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using Key = std::shared_ptr<EVP_PKEY>;
using Certificate = std::shared_ptr<X509>;

// Within the life of the certificates made here.
const Clock::WallTime kNow{std::chrono::seconds{1'700'000'000}};

Key NewKey() {
  return Key(EVP_EC_gen("P-256"), EVP_PKEY_free);
}

void AddExtension(X509* certificate, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, nullptr, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Valid for a day around kNow.
Certificate NewCertificate(const std::string& name, const Key& key, const std::string& issuer) {
  Certificate certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  const std::time_t now = Clock::WallTime::clock::to_time_t(kNow);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), now - 43'200);
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), now + 43'200);
  const auto add_name = [](X509_NAME* to, const std::string& text) {
    X509_NAME_add_entry_by_txt(to, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
  };
  add_name(X509_get_subject_name(certificate.get()), name);
  add_name(X509_get_issuer_name(certificate.get()), issuer);
  X509_set_pubkey(certificate.get(), key.get());
  return certificate;
}

// An authority and a server's certificate by it.
struct Pki {
  explicit Pki(const std::string& server_names) {
    authority_key = NewKey();
    authority = NewCertificate("Test CA", authority_key, "Test CA");
    AddExtension(authority.get(), NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(authority.get(), authority_key.get(), EVP_sha256());
    server_key = NewKey();
    server = NewCertificate("server", server_key, "Test CA");
    AddExtension(server.get(), NID_subject_alt_name, server_names);
    X509_sign(server.get(), authority_key.get(), EVP_sha256());
  }

  std::string AuthorityPem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> out(BIO_new(BIO_s_mem()), BIO_free_all);
    PEM_write_bio_X509(out.get(), authority.get());
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out.get(), &bytes);
    return std::string(bytes, static_cast<std::size_t>(size));
  }

  Key authority_key;
  Certificate authority;
  Key server_key;
  Certificate server;
};

// Connects to a TLS server on a thread of its own, which sends back what it reads.
class EchoServer final : public http::Connector {
 public:
  explicit EchoServer(const Pki& pki) : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
    SSL_CTX_use_certificate(context_.get(), pki.server.get());
    SSL_CTX_use_PrivateKey(context_.get(), pki.server_key.get());
  }

  std::expected<std::unique_ptr<http::Stream>, Error> Connect(const http::Endpoint&,
                                                              Clock::TimePoint) override {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    threads_.emplace_back([this, fd = ends[1]] { Serve(UniqueFd(fd)); });
    return http::NewSocketStream(UniqueFd(ends[0]));
  }

  // Waits until every connection has ended. What came of them may be read then.
  void Join() { threads_.clear(); }
  std::vector<std::string> names_asked_for;
  int resumed = 0;

 private:
  void Serve(UniqueFd socket) {
    // OpenSSL's own sockets raise it when the client has gone.
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    const std::unique_ptr<SSL, decltype(&SSL_free)> connection(SSL_new(context_.get()), SSL_free);
    SSL_set_fd(connection.get(), socket.get());
    if (SSL_accept(connection.get()) != 1) return;
    {
      const std::lock_guard lock(mutex_);
      const char* name = SSL_get_servername(connection.get(), TLSEXT_NAMETYPE_host_name);
      names_asked_for.emplace_back(name != nullptr ? name : "");
      resumed += SSL_session_reused(connection.get());
    }
    std::array<char, 4096> bytes;
    for (;;) {
      const int got = SSL_read(connection.get(), bytes.data(), bytes.size());
      if (got <= 0) return;
      SSL_write(connection.get(), bytes.data(), got);
    }
  }

  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::mutex mutex_;
  std::vector<std::jthread> threads_;
};

class TlsTest : public ::testing::Test {
 protected:
  TlsOptions TrustTestAuthority() {
    const auto file = folder_->path() / "ca.pem";
    EXPECT_TRUE(WriteFileAtomically(file, pki_.AuthorityPem()).has_value());
    return {.ca_file = file};
  }

  static Clock::TimePoint Soon() {
    return std::chrono::steady_clock::now() + std::chrono::minutes(1);
  }

  Pki pki_{"DNS:host.example,DNS:*.wild.example,IP:127.0.0.1"};
  std::expected<TemporaryDirectory, Error> folder_ = TemporaryDirectory::Create();
  FakeClock clock_{kNow};
  EchoServer server_{pki_};
};

std::string ReadAll(http::Stream& stream, std::size_t size, Clock::TimePoint deadline) {
  std::string out;
  std::array<char, 1024> bytes;
  while (out.size() < size) {
    const auto got = stream.Read(bytes, deadline);
    if (!got || *got == 0) break;
    out.append(bytes.data(), *got);
  }
  return out;
}

TEST_F(TlsTest, CarriesBytesBothWaysAndAsksForTheHostByName) {
  TlsConnector connector(server_, clock_, TrustTestAuthority());
  auto stream = connector.Connect({"host.example", 443}, Soon());
  ASSERT_TRUE(stream.has_value()) << stream.error().message;
  ASSERT_TRUE((*stream)->Write("head", {}, Soon()).has_value());
  EXPECT_EQ(ReadAll(**stream, 4, Soon()), "head");
  // More than one record.
  const std::string body(20'000, 'x');
  ASSERT_TRUE((*stream)->Write("more", body, Soon()).has_value());
  EXPECT_EQ(ReadAll(**stream, body.size() + 4, Soon()), "more" + body);
  stream->reset();
  server_.Join();
  EXPECT_THAT(server_.names_asked_for, ::testing::ElementsAre("host.example"));
}

TEST_F(TlsTest, AcceptsWildcardsAndNumericAddressesThatTheCertificateNames) {
  TlsConnector connector(server_, clock_, TrustTestAuthority());
  EXPECT_TRUE(connector.Connect({"a.wild.example", 443}, Soon()).has_value());
  EXPECT_TRUE(connector.Connect({"127.0.0.1", 443}, Soon()).has_value());
}

TEST_F(TlsTest, RefusesACertificateForAnotherName) {
  TlsConnector connector(server_, clock_, TrustTestAuthority());
  for (const std::string host : {"other.example", "a.b.wild.example", "127.0.0.2"}) {
    const auto stream = connector.Connect({host, 443}, Soon());
    ASSERT_FALSE(stream.has_value()) << host;
    EXPECT_EQ(stream.error().code, ErrorCode::kPermissionDenied);
    EXPECT_THAT(stream.error().message, AllOf(HasSubstr(host + ":443"), HasSubstr("mismatch")));
  }
}

TEST_F(TlsTest, RefusesACertificateThatHasExpiredOrIsNotYetValid) {
  for (const auto offset : {std::chrono::hours(48), std::chrono::hours(-48)}) {
    const FakeClock clock(kNow + offset);
    TlsConnector connector(server_, clock, TrustTestAuthority());
    const auto stream = connector.Connect({"host.example", 443}, Soon());
    ASSERT_FALSE(stream.has_value());
    EXPECT_EQ(stream.error().code, ErrorCode::kPermissionDenied);
    EXPECT_THAT(stream.error().message,
                HasSubstr(offset.count() > 0 ? "has expired" : "not yet valid"));
  }
}

TEST_F(TlsTest, RefusesAnUnknownAuthorityAndSaysHowToTrustIt) {
  TlsConnector connector(server_, clock_);
  const auto stream = connector.Connect({"host.example", 443}, Soon());
  ASSERT_FALSE(stream.has_value());
  EXPECT_EQ(stream.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(stream.error().message,
              AllOf(HasSubstr("unable to get local issuer"), HasSubstr("AWS_CA_BUNDLE")));
}

TEST_F(TlsTest, SaysWhatIsWrongWithTheCaFileAtTheFirstConnect) {
  const auto file = folder_->path() / "bad.pem";
  ASSERT_TRUE(WriteFileAtomically(file, "no certificate").has_value());
  for (const std::string& path : {file.native(), std::string("/nonexistent.pem")}) {
    TlsConnector connector(server_, clock_, {.ca_file = path});
    const auto stream = connector.Connect({"host.example", 443}, Soon());
    ASSERT_FALSE(stream.has_value());
    EXPECT_EQ(stream.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(stream.error().message, HasSubstr(path));
  }
}

TEST_F(TlsTest, ResumesTheSessionWithAHostItKnows) {
  TlsConnector connector(server_, clock_, TrustTestAuthority());
  for (int i = 0; i < 2; ++i) {
    auto stream = connector.Connect({"host.example", 443}, Soon());
    ASSERT_TRUE(stream.has_value()) << stream.error().message;
    // The ticket comes with the first bytes.
    ASSERT_TRUE((*stream)->Write("x", {}, Soon()).has_value());
    ASSERT_EQ(ReadAll(**stream, 1, Soon()), "x");
    stream->reset();
    server_.Join();
    EXPECT_EQ(server_.resumed, i);
  }
}

TEST_F(TlsTest, AStreamOutlivesItsConnectorsLibrary) {
  auto connector = std::make_unique<TlsConnector>(server_, clock_, TrustTestAuthority());
  auto stream = connector->Connect({"host.example", 443}, Soon());
  ASSERT_TRUE(stream.has_value()) << stream.error().message;
  connector.reset();
  EXPECT_TRUE((*stream)->Write("x", {}, Soon()).has_value());
  EXPECT_EQ(ReadAll(**stream, 1, Soon()), "x");
}

// Connects to a peer that says `first_bytes` and then nothing.
class OneConnection final : public http::Connector {
 public:
  std::expected<std::unique_ptr<http::Stream>, Error> Connect(const http::Endpoint&,
                                                              Clock::TimePoint) override {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    peer = UniqueFd(ends[1]);
    EXPECT_TRUE(WriteAll(peer.get(), first_bytes).has_value());
    return http::NewSocketStream(UniqueFd(ends[0]));
  }
  std::string first_bytes;
  UniqueFd peer;
};

TEST_F(TlsTest, TheHandshakeStopsAtTheDeadlineWhenThePeerIsSilent) {
  OneConnection silent;
  TlsConnector connector(silent, clock_);
  const auto stream = connector.Connect({"host.example", 443}, std::chrono::steady_clock::now());
  ASSERT_FALSE(stream.has_value());
  EXPECT_EQ(stream.error().code, ErrorCode::kTimeout);
  EXPECT_THAT(stream.error().message, HasSubstr("TLS with host.example:443"));
}

TEST_F(TlsTest, SaysThatAPeerDoesNotSpeakTls) {
  OneConnection plain;
  plain.first_bytes = "HTTP/1.1 400 Bad Request\r\n\r\n";
  TlsConnector connector(plain, clock_);
  const auto stream = connector.Connect({"host.example", 443}, Soon());
  ASSERT_FALSE(stream.has_value());
  EXPECT_EQ(stream.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(stream.error().message, HasSubstr("wrong version number"));
}

TEST(AmazonRoots, AreTheFiveThatAmazonPublishes) {
  std::vector<std::string> fingerprints;
  for (const AmazonRoot& root : AmazonRoots()) {
    fingerprints.push_back(
        Sha256Hex({reinterpret_cast<const char*>(root.der.data()), root.der.size()}));
  }
  EXPECT_THAT(
      fingerprints,
      ::testing::ElementsAre("8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
                             "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
                             "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
                             "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
                             "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5"));
}

}  // namespace
}  // namespace kelvin::aws
