#include "service/output_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <unistd.h>

namespace kelvin::service {
namespace {

constexpr std::size_t kPerTurn = 64 * 1024;
constexpr std::size_t kLargestPipe = std::size_t{1} << 20;

}  // namespace

OutputReader::OutputReader(const boost::asio::any_io_executor& executor, int fd,
                           std::function<void(std::string_view)> on_bytes)
    : descriptor_(executor, fd),
      on_bytes_(std::move(on_bytes)),
      self_(std::make_shared<OutputReader*>(this)) {
  Watch();
}

OutputReader::~OutputReader() {
  descriptor_.release();
}

void OutputReader::Drain() {
  Read(kLargestPipe);
}

void OutputReader::Watch() {
  descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [weak = std::weak_ptr(self_)](const boost::system::error_code& error) {
                           const auto self = weak.lock();
                           if (error || !self) return;
                           (*self)->Read(kPerTurn);
                           (*self)->Watch();
                         });
}

void OutputReader::Read(std::size_t most) {
  std::array<char, 16 * 1024> buffer;
  while (most > 0) {
    const ssize_t got =
        ::read(descriptor_.native_handle(), buffer.data(), std::min(most, buffer.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    on_bytes_({buffer.data(), static_cast<std::size_t>(got)});
    most -= static_cast<std::size_t>(got);
  }
}

}  // namespace kelvin::service
