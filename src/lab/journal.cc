#include "lab/journal.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>

namespace kelvin::lab {
namespace {

namespace json = boost::json;

std::vector<std::string> Abandoned(const Record& record) {
  std::vector<std::string> reasons;
  for (const Function& function : record.functions) reasons.push_back(function.abandoned);
  return reasons;
}

std::string FirstLine(const Record& record) {
  Record head = record;
  head.samples.clear();
  return fmt::format("{}{}}}\n", kJournalStart, json::serialize(json::value_from(head)));
}

}  // namespace

std::expected<RecordKeeper, Error> RecordKeeper::Create(std::filesystem::path path) {
  const std::filesystem::path folder = path.parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) {
    return std::unexpected(
        ErrnoError(fmt::format("create the folder {}", folder.native()), error.value()));
  }
  RecordKeeper keeper(std::move(path));
  const std::filesystem::path journal = keeper.JournalPath();
  if (std::filesystem::exists(journal, error)) {
    keeper.kept_journal_ = journal.native() + ".old";
    std::filesystem::rename(journal, keeper.kept_journal_, error);
    if (error) {
      return std::unexpected(
          ErrnoError(fmt::format("keep the journal {}", journal.native()), error.value()));
    }
  }
  return keeper;
}

std::filesystem::path RecordKeeper::JournalPath() const {
  std::filesystem::path journal = path_;
  return journal.replace_extension(".journal");
}

std::expected<void, Error> RecordKeeper::Append(const Record& record) {
  std::string text;
  if (!journal_.valid()) {
    const std::filesystem::path path = JournalPath();
    journal_.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!journal_.valid()) {
      return std::unexpected(ErrnoError(fmt::format("create {}", path.native()), errno));
    }
    text = FirstLine(record);
    abandoned_ = Abandoned(record);
  }
  for (; samples_ < record.samples.size(); ++samples_) {
    text += json::serialize(json::value_from(record.samples[samples_])) + '\n';
  }
  if (auto abandoned = Abandoned(record); abandoned != abandoned_) {
    text += json::serialize(json::object{{"functions", json::value_from(record.functions)}}) + '\n';
    abandoned_ = std::move(abandoned);
  }
  auto written = WriteAll(journal_.get(), text);
  if (!written) {
    written.error().message =
        fmt::format("{} ({})", written.error().message, JournalPath().native());
  }
  return written;
}

std::expected<void, Error> RecordKeeper::Finish(const Record& record) {
  if (auto written = WriteFileAtomically(path_, RecordJson(record)); !written) return written;
  journal_.reset();
  std::error_code ignored;
  std::filesystem::remove(JournalPath(), ignored);
  return {};
}

}  // namespace kelvin::lab
