#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/ids.h"
#include "http/message.h"
#include "service/one_shot.h"
#include "service/runtime_api.h"

namespace kelvin::service {

// The Extensions API of one environment: the HTTP calls, and the states of the extensions, as
// Lambda has them. External ones are programs of a layer; internal ones register from within the
// runtime's process. Does no input or output of its own. Used from one thread.
class Extensions {
 public:
  static constexpr std::string_view kPrefix = "/2020-01-01/extension/";
  static constexpr std::size_t kMost = 10;

  // Told what extensions do, within the call; must not destroy the Extensions.
  class Observer {
   public:
    virtual ~Observer() = default;
    virtual void OnRegistered() = 0;
    // One asks for its next event: it is done with what it had.
    virtual void OnReady() = 0;
  };

  // What extensions are told of the function.
  struct Function {
    std::string name;
    std::string version;
    std::string handler;
    std::string account_id;
  };

  enum class State {
    kStarted,
    kRegistered,
    kReady,    // waits for an event
    kRunning,  // works on one
    kInitError,
    kExitError,
    kLaunchError,
    kExited,
  };
  struct Status {
    std::string name;
    State state = State::kStarted;
    std::vector<std::string> events = {};
    std::string error_type = {};
  };

  // The observer and the random numbers outlive the object.
  Extensions(Observer& observer, Random& random, Function function);
  Extensions(const Extensions&) = delete;
  Extensions& operator=(const Extensions&) = delete;
  ~Extensions();  // as Reset

  boost::asio::awaitable<http::Response> Handle(http::Request request);
  // The name of the extension that calls, or the refusal.
  std::expected<std::string, http::Response> Caller(const http::Request& request) const;

  // New processes begin: these external extensions are about to be started. What old ones still
  // wait for is refused.
  void Reset(const std::vector<std::string>& external);
  void LaunchFailed(std::string_view name, std::string_view error_type);
  // The runtime has asked for work: no more internal ones.
  void CloseRegistration() { open_ = false; }
  void Invoke(const RuntimeEvent& event);
  // `deadline_ms` is since the epoch.
  void Shutdown(std::string_view reason, std::int64_t deadline_ms);
  // Gives the state it was in, which it keeps, unless it was told to end.
  State Exited(std::string_view name);

  bool empty() const { return all_.empty(); }
  // All external ones have registered; all have asked for an event; those that got the invoke have
  // asked for another.
  bool registered() const;
  bool ready() const;
  bool invoke_done() const;
  // Some external one that listens to SHUTDOWN is still there.
  bool awaits_shutdown() const;
  std::vector<Status> statuses() const;

 private:
  using Waiter = OneShot<http::Response>;
  struct Extension {
    Status status;
    std::string id;
    bool external = false;
    bool gone = false;  // its process
    std::shared_ptr<Waiter> waiter = {};
    std::string pending = {};  // an event that came before it asked
  };

  boost::asio::awaitable<http::Response> Next(const http::Request& request);
  http::Response Register(const http::Request& request);
  std::expected<Extension*, http::Response> Place(const std::string& name);
  http::Response Fail(const http::Request& request, State to);
  Extension* Find(std::string_view name);
  void Deliver(Extension& extension, std::string event);
  http::Response EventResponse(std::string event);

  Observer& observer_;
  Random& random_;
  Function function_;
  bool open_ = true;
  std::vector<std::unique_ptr<Extension>> all_;
};

std::string_view NameOf(Extensions::State state);

}  // namespace kelvin::service
