#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace kelvin::bench {

// One answer of the service, as far as a benchmark looks at it.
struct Answer {
  int status = 0;
  std::string head;
  std::string body;
};

// Keep-alive clients on one thread, each of which sends its next request as soon as its last one
// is answered: it does as little as one can, so that what is measured is the server.
class HttpLoad {
 public:
  HttpLoad(int port, int clients);
  HttpLoad(const HttpLoad&) = delete;
  HttpLoad& operator=(const HttpLoad&) = delete;
  ~HttpLoad();

  // Sends `count` requests in all; milliseconds from send to answer of each. Every answer must be
  // a success, of the service and of the function.
  std::vector<double> Run(const std::string& request, int count);
  // The same with a request of its own for each turn in [0, count).
  using RequestOf = std::function<std::string(int turn)>;
  std::vector<double> Run(const RequestOf& request, int count);
  // One request by each client at once; the answers.
  std::vector<Answer> RunOnce(const std::string& request);

 private:
  struct Client;
  void Send(Client& client, const std::string& request);
  // True when an answer is complete.
  bool Receive(Client& client);

  int events_ = -1;
  std::vector<Client> clients_;
};

std::string RequestText(std::string_view method, std::string_view path, std::string_view body,
                        std::string_view headers = {});
// One request on a connection of its own; ends the benchmark unless it is a success.
Answer Call(int port, std::string_view method, std::string_view path, std::string_view body,
            std::string_view headers = {});

}  // namespace kelvin::bench
