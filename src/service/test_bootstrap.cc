// A bootstrap for the tests of the service: its handler's name says how it behaves. It speaks the
// Runtime API by itself, so that it may break the rules.

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <thread>

#include <unistd.h>

#include "http/client.h"

namespace {

using kelvin::http::Request;
using kelvin::http::Response;

class Runtime {
 public:
  Runtime()
      : client_(connector_,
                kelvin::http::ParseEndpoint(std::getenv("AWS_LAMBDA_RUNTIME_API")).value()) {}

  Response Call(std::string_view method, std::string_view path, std::string body = {}) {
    Request request{std::string(method), "/2018-06-01/runtime/" + std::string(path), {}, {}};
    request.body = std::move(body);
    if (!error_type_.empty()) {
      request.headers.Add("Lambda-Runtime-Function-Error-Type", error_type_);
    }
    auto response = client_.Send(request, kelvin::kNoDeadline);
    if (!response) std::exit(90);
    return std::move(*response);
  }
  // The next event's payload.
  std::string Next() {
    Response response = Call("GET", "invocation/next");
    request_id_ = response.headers.Get("Lambda-Runtime-Aws-Request-Id");
    return std::move(response.body);
  }
  int Answer(std::string body) {
    return Call("POST", "invocation/" + request_id_ + "/response", std::move(body)).status;
  }
  int Fail(std::string body) {
    error_type_ = "Function.Broken";
    const int status = Call("POST", "invocation/" + request_id_ + "/error", std::move(body)).status;
    error_type_.clear();
    return status;
  }
  int FailInit(std::string body) {
    error_type_ = "Runtime.NoSuchHandler";
    return Call("POST", "init/error", std::move(body)).status;
  }

 private:
  kelvin::http::TcpConnector connector_;
  kelvin::http::Client client_;
  std::string request_id_;
  std::string error_type_;
};

[[noreturn]] void Hang() {
  for (;;) ::pause();
}

std::string FirstOrAgain() {
  const bool again = std::ifstream("/tmp/mark").good();
  std::ofstream("/tmp/mark") << "x";
  return again ? "\"again\"" : "\"first\"";
}

using Behaviour = std::function<void(Runtime&)>;

// Calls `handle` with each payload.
Behaviour Loop(std::function<void(Runtime&, std::string)> handle) {
  return [handle](Runtime& runtime) {
    for (;;) handle(runtime, runtime.Next());
  };
}

const std::map<std::string, Behaviour>& Behaviours() {
  static const std::map<std::string, Behaviour> kBehaviours = {
      {"echo", Loop([](Runtime& runtime, std::string payload) { runtime.Answer(payload); })},
      {"print", Loop([](Runtime& runtime, std::string payload) {
         std::cout << "printed " << payload << std::endl;
         runtime.Answer("1");
       })},
      {"fail", Loop([](Runtime& runtime, std::string) {
         runtime.Fail(R"({"errorMessage":"no","errorType":"Broken"})");
       })},
      {"exit-1", Loop([](Runtime&, std::string) { std::_Exit(1); })},
      {"exit-0", Loop([](Runtime&, std::string) { std::_Exit(0); })},
      {"crash", Loop([](Runtime&, std::string) {
         ::signal(SIGSEGV, SIG_DFL);  // a sanitizer would take its time over it
         ::raise(SIGSEGV);
       })},
      {"hang", Loop([](Runtime&, std::string) { Hang(); })},
      {"twice", Loop([](Runtime& runtime, std::string) {
         runtime.Answer("1");
         std::cout << "second answer " << runtime.Answer("2") << std::endl;
       })},
      {"seven-mb", Loop([](Runtime& runtime, std::string) {
         std::cout << "answered " << runtime.Answer(std::string(7 << 20, '1')) << std::endl;
       })},
      {"binary", Loop([](Runtime& runtime, std::string) {
         runtime.Answer(std::string("\x00\xff\xfe\r\n\x80", 6));
       })},
      {"flood", Loop([](Runtime& runtime, std::string) {
         const std::string line = std::string(1023, 'x') + "\n";
         for (int i = 0; i < 64 * 1024; ++i) {
           [[maybe_unused]] const auto written = ::write(1, line.data(), line.size());
         }
         runtime.Answer("\"done\"");
       })},
      {"remember", Loop([](Runtime& runtime, std::string payload) {
         const std::string answer = FirstOrAgain();
         if (payload == "\"crash\"") ::abort();
         runtime.Answer(answer);
       })},
      {"slow", Loop([](Runtime& runtime, std::string) {
         std::this_thread::sleep_for(std::chrono::milliseconds{50});
         runtime.Answer("\"" + std::to_string(::getpid()) + "\"");
       })},
      {"exit-in-init", [](Runtime&) { std::_Exit(3); }},
      {"hang-in-init", [](Runtime&) { Hang(); }},
      {"init-error",
       [](Runtime& runtime) {
         runtime.FailInit(R"({"errorMessage":"no handler","errorType":"NoSuchHandler"})");
         std::_Exit(1);
       }},
      {"environment", Loop([](Runtime& runtime, std::string) {
         std::string all = "{";
         for (char** variable = environ; *variable != nullptr; ++variable) {
           const std::string text = *variable;
           const auto equals = text.find('=');
           all += (all.size() > 1 ? ",\"" : "\"") + text.substr(0, equals) + "\":\"" +
                  text.substr(equals + 1) + "\"";
         }
         runtime.Answer(all + "}");
       })},
  };
  return kBehaviours;
}

}  // namespace

int main() {
  Runtime runtime;
  const auto found = Behaviours().find(std::getenv("_HANDLER"));
  if (found == Behaviours().end()) return 91;
  found->second(runtime);
}
