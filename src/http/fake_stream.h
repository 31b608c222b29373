#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "http/stream.h"

namespace kelvin::http {

// A network for tests: connections that answer from a script and record what was written.
// Not thread-safe.
class FakeConnector final : public Connector {
 public:
  // What one connection does: each step is one Read's bytes ("" is an orderly close) or an error.
  using Step = std::expected<std::string, Error>;
  struct Script {
    std::vector<Step> reads;
    // Fails the Nth write (from 1); 0 never fails.
    int fail_write_number = 0;
  };

  void AddConnection(Script script) { scripts_.push_back(std::move(script)); }
  void RefuseConnection(Error error) { scripts_.push_back(std::unexpected(std::move(error))); }
  // All that was written, by connection.
  const std::vector<std::string>& written() const { return *written_; }

  std::expected<std::unique_ptr<Stream>, Error> Connect(const Endpoint&,
                                                        Clock::TimePoint) override {
    if (scripts_.empty()) {
      return std::unexpected(Error{ErrorCode::kUnavailable, "no more scripted connections"});
    }
    auto next = std::move(scripts_.front());
    scripts_.pop_front();
    if (!next) return std::unexpected(next.error());
    written_->emplace_back();
    return std::make_unique<FakeStream>(std::move(*next), written_, written_->size() - 1);
  }

 private:
  class FakeStream final : public Stream {
   public:
    FakeStream(Script script, std::shared_ptr<std::vector<std::string>> written, std::size_t index)
        : script_(std::move(script)), written_(std::move(written)), index_(index) {}

    std::expected<std::size_t, Error> Read(std::span<char> into, Clock::TimePoint) override {
      if (next_ == script_.reads.size()) {
        return std::unexpected(Error{ErrorCode::kTimeout, "the script has no more to read"});
      }
      Step& step = script_.reads[next_];
      if (!step) {
        ++next_;
        return std::unexpected(step.error());
      }
      const std::size_t take = std::min(into.size(), step->size());
      step->copy(into.data(), take);
      step->erase(0, take);
      if (step->empty()) ++next_;
      return take;
    }
    std::expected<void, Error> Write(std::string_view head, std::string_view body,
                                     Clock::TimePoint) override {
      if (++writes_ == script_.fail_write_number) {
        return std::unexpected(Error{ErrorCode::kUnavailable, "scripted write failure"});
      }
      (*written_)[index_].append(head).append(body);
      return {};
    }

   private:
    Script script_;
    std::shared_ptr<std::vector<std::string>> written_;
    std::size_t index_;
    std::size_t next_ = 0;
    int writes_ = 0;
  };

  std::deque<std::expected<Script, Error>> scripts_;
  std::shared_ptr<std::vector<std::string>> written_ = std::make_shared<std::vector<std::string>>();
};

}  // namespace kelvin::http
