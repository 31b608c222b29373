#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "aws/credentials.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/log.h"
#include "http/message.h"

namespace kelvin::tables {

// What the tables are built from; all of it outlives them.
struct TablesParts {
  const Clock& clock;
  Random& random;
  Log& log;
};

enum class Sync {
  kEveryWrite,   // an acknowledged write survives a power failure
  kInBackground  // it survives the end of the process; a power failure may take the last seconds
};

// What does by itself what waits for time to pass: that items expire.
enum class Background { kNo, kYes };

enum class Storage {
  kDurable,    // in a file
  kEphemeral,  // in memory, gone with the object
};

struct TablesOptions {
  Storage storage = Storage::kDurable;
  // Where kDurable keeps its files; made when missing. One process at a time.
  std::filesystem::path folder;
  Sync sync = Sync::kEveryWrite;
  // Where there are any, only requests that one of them has signed are answered; else all that
  // claim to be signed.
  std::vector<aws::Credentials> credentials = {};
  Background background = Background::kYes;
  std::string region = "us-east-1";
  std::string account_id = "123456789012";
};

// A DynamoDB on this machine: the wire protocol of version 20120810 over SQLite.
// Thread-safe. Readers do not wait for writers where the storage is durable.
class Tables {
 public:
  // Fails with kAlreadyExists when another process holds the folder, kPermissionDenied or
  // kResourceExhausted when it cannot be written, kCorrupt when what it holds is damaged or was
  // written by a newer version; nothing is ever reset in silence.
  static std::expected<std::unique_ptr<Tables>, Error> Open(const TablesParts& parts,
                                                            const TablesOptions& options);
  Tables(const Tables&) = delete;
  Tables& operator=(const Tables&) = delete;
  ~Tables();

  // Answers one request; may block on the disk, so not for an event loop's thread. Whatever goes
  // wrong is an answer in the protocol's own form.
  http::Response Handle(const http::Request& request);

  // Answers several, one after another, as Handle does; all that they write is in one commit. None
  // is answered before that is done.
  std::vector<http::Response> HandleTogether(std::span<const http::Request> requests);

  // Deletes what has expired by now. Done in the background, too, where that was not declined.
  std::expected<std::size_t, Error> RemoveExpired();

  // Whether a request is for the tables: everything on the path "/", which the Lambda API does
  // not use.
  static bool Accepts(const http::Request& request);

  // Whether a request can be answered at once: at most a short look at the disk's cache. So it may
  // be handled on an event loop's thread.
  bool IsQuick(const http::Request& request) const;
  // Whether a request writes little and waits for the disk: many such should be handled together.
  bool IsSmallWrite(const http::Request& request) const;

  // The answer to a request whose body is larger than kMaxRequestBytes.
  static http::Response TooLarge(const http::Request& head);

  // Largest request body of the protocol.
  static constexpr std::size_t kMaxRequestBytes = std::size_t{16} << 20;

 private:
  class Impl;
  explicit Tables(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kelvin::tables
