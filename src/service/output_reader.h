#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace kelvin::service {

// Reads what the processes of a sandbox print, as it comes; a flood is read in turns with
// everything else that waits. Used from the executor's thread.
class OutputReader {
 public:
  // Watches `fd`, which is non-blocking, stays owned by the caller and outlives the object.
  OutputReader(const boost::asio::any_io_executor& executor, int fd,
               std::function<void(std::string_view bytes)> on_bytes);
  OutputReader(const OutputReader&) = delete;
  OutputReader& operator=(const OutputReader&) = delete;
  ~OutputReader();

  // Reads what has been printed by now, up to a bound that no pipe exceeds.
  void Drain();

 private:
  void Watch();
  // Reads at most `most` bytes.
  void Read(std::size_t most);

  boost::asio::posix::stream_descriptor descriptor_;
  std::function<void(std::string_view)> on_bytes_;
  std::shared_ptr<OutputReader*> self_;  // lets a late handler see that this object is gone
};

}  // namespace kelvin::service
