#include "package/zip.h"

#include <cstdlib>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "package/zip_builder.h"

namespace kelvin::package {
namespace {

using ::testing::HasSubstr;
using Entry = ZipBuilder::Entry;

std::string ZipOf(const std::vector<Entry>& entries) {
  ZipBuilder builder;
  for (const Entry& entry : entries) builder.Add(entry);
  return builder.Finish();
}

unsigned int ModeOf(const std::filesystem::path& path) {
  struct stat info{};
  return ::lstat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

class UnpackZipTest : public ::testing::Test {
 protected:
  UnpackZipTest() : outside_(TemporaryDirectory::Create().value()) {
    std::filesystem::create_directory(folder());
  }
  std::filesystem::path folder() const { return outside_.path() / "folder"; }

  std::expected<UnpackedZip, Error> Unpack(const std::string& zip, const ZipLimits& limits = {}) {
    return UnpackZip(zip, folder(), limits);
  }

  // Refused for the reason named, with nothing left inside or written outside.
  void ExpectRefused(const std::string& zip, ErrorCode code, const std::string& why,
                     const ZipLimits& limits = {}) {
    auto unpacked = Unpack(zip, limits);
    ASSERT_FALSE(unpacked);
    EXPECT_EQ(unpacked.error().code, code);
    EXPECT_THAT(unpacked.error().message, HasSubstr(why));
    EXPECT_TRUE(std::filesystem::is_empty(folder()));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(outside_.path()), {}), 1);
  }

  TemporaryDirectory outside_;
};

TEST_F(UnpackZipTest, UnpacksFilesFoldersAndLinks) {
  auto unpacked = Unpack(ZipOf({{.name = "bootstrap", .content = "#!/bin/sh\n", .mode = 0100755},
                                {.name = "lib/", .mode = 0040700},
                                {.name = "lib/data", .content = "12345", .mode = 0100600},
                                {.name = "deep/er/file", .content = "x"},
                                {.name = "lib/link", .content = "../deep/er/file", .mode = 0120777},
                                {.name = "./dot", .content = "."}}));
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(unpacked->files, 4U);
  EXPECT_EQ(unpacked->bytes, 17U);
  EXPECT_EQ(ReadFile(folder() / "lib/link").value(), "x");
  EXPECT_EQ(ReadFile(folder() / "dot").value(), ".");
}

TEST_F(UnpackZipTest, MakesEverythingReadableForTheFunctionsUser) {
  const mode_t before = ::umask(0077);
  ::chmod(folder().c_str(), 0700);
  auto unpacked = Unpack(ZipOf({{.name = "a/run", .content = "x", .mode = 0100700},
                                {.name = "a/data", .content = "x", .mode = 0100200}}));
  ::umask(before);
  ASSERT_TRUE(unpacked);
  EXPECT_EQ(ModeOf(folder()), 0755U);
  EXPECT_EQ(ModeOf(folder() / "a/run"), 0555U);
  EXPECT_EQ(ModeOf(folder() / "a/data"), 0444U);
}

TEST_F(UnpackZipTest, MakesFoldersReadableForTheFunctionsUser) {
  const mode_t before = ::umask(0077);
  auto unpacked = Unpack(ZipOf({{.name = "a/b/c", .content = "x"}}));
  ::umask(before);
  ASSERT_TRUE(unpacked);
  EXPECT_EQ(ModeOf(folder() / "a"), 0755U);
  EXPECT_EQ(ModeOf(folder() / "a/b"), 0755U);
}

TEST_F(UnpackZipTest, KeepsNamesInUtf8) {
  auto unpacked = Unpack(ZipOf({{.name = "größe.txt", .content = "x", .flags = 1U << 11}}));
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_TRUE(std::filesystem::exists(folder() / "größe.txt"));
}

TEST_F(UnpackZipTest, RefusesNamesThatReachOutside) {
  for (const char* name : {"../x", "a/../../x", "/x", "..", "a/.."}) {
    SCOPED_TRACE(name);
    ExpectRefused(ZipOf({{.name = "a/fine", .content = "x"}, {.name = name, .content = "x"}}),
                  ErrorCode::kInvalidArgument, "inside the package");
  }
}

TEST_F(UnpackZipTest, RefusesLinksThatLeaveTheFolder) {
  for (const char* target : {"/etc/passwd", "..", "../../x", "a/../../x", "", "../folder/x"}) {
    SCOPED_TRACE(target);
    ExpectRefused(ZipOf({{.name = "link", .content = target, .mode = 0120777}}),
                  ErrorCode::kInvalidArgument, "");
  }
}

TEST_F(UnpackZipTest, RefusesALinkThatLeavesByWayOfAnotherLink) {
  ExpectRefused(ZipOf({{.name = "here", .content = ".", .mode = 0120777},
                       {.name = "out", .content = "here/here/../..", .mode = 0120777}}),
                ErrorCode::kInvalidArgument, "stay inside");
}

TEST_F(UnpackZipTest, NeverWritesThroughALink) {
  std::filesystem::create_directory(folder() / "inside");
  std::filesystem::remove(folder() / "inside");
  ExpectRefused(ZipOf({{.name = "inside/", .mode = 0040755},
                       {.name = "link", .content = "inside", .mode = 0120777},
                       {.name = "link/file", .content = "x"}}),
                ErrorCode::kInvalidArgument, "folder");
  ExpectRefused(ZipOf({{.name = "file", .content = "x"},
                       {.name = "link", .content = "file", .mode = 0120777},
                       {.name = "link", .content = "y"}}),
                ErrorCode::kInvalidArgument, "twice");
}

TEST_F(UnpackZipTest, RefusesAFileThatIsAlsoAFolder) {
  ExpectRefused(ZipOf({{.name = "a", .content = "x"}, {.name = "a/b", .content = "x"}}),
                ErrorCode::kInvalidArgument, "folder");
}

TEST_F(UnpackZipTest, RefusesDevicesAndSockets) {
  for (const std::uint32_t type : {0020000U, 0060000U, 0140000U}) {
    SCOPED_TRACE(type);
    ExpectRefused(ZipOf({{.name = "x", .mode = type | 0644}}), ErrorCode::kInvalidArgument,
                  "only files, folders and links");
  }
}

TEST_F(UnpackZipTest, NeverMakesAPipe) {
  // libarchive takes this type for a plain file.
  (void)Unpack(ZipOf({{.name = "x", .content = "x", .mode = 0010644}}));
  EXPECT_FALSE(std::filesystem::is_fifo(folder() / "x"));
}

TEST_F(UnpackZipTest, RefusesSetuidFiles) {
  for (const std::uint32_t bit : {04000U, 02000U}) {
    ExpectRefused(ZipOf({{.name = "x", .content = "x", .mode = 0100755 | bit}}),
                  ErrorCode::kInvalidArgument, "setuid");
  }
}

TEST_F(UnpackZipTest, RefusesEncryptedFiles) {
  ExpectRefused(ZipOf({{.name = "x", .content = "0123456789ab", .flags = 1}}),
                ErrorCode::kInvalidArgument, "password");
}

TEST_F(UnpackZipTest, CountsBytesWhileUnpacking) {
  const std::string zip = ZipOf({{.name = "a", .content = std::string(600, 'a')},
                                 {.name = "b", .content = std::string(600, 'b')}});
  EXPECT_TRUE(Unpack(zip, {.max_unpacked_bytes = 1200, .max_entries = 2}));
  std::filesystem::remove_all(folder());
  std::filesystem::create_directory(folder());
  ExpectRefused(zip, ErrorCode::kResourceExhausted, "1199 bytes",
                {.max_unpacked_bytes = 1199, .max_entries = 2});
}

TEST_F(UnpackZipTest, CountsEntriesWhileUnpacking) {
  std::vector<Entry> entries;
  for (int i = 0; i < 11; ++i) entries.push_back({.name = fmt::format("{}/", i), .mode = 0040755});
  ExpectRefused(ZipOf(entries), ErrorCode::kResourceExhausted, "10 entries",
                {.max_unpacked_bytes = 1, .max_entries = 10});
}

TEST_F(UnpackZipTest, DoesNotBelieveTheHeaderOfABomb) {
  const TemporaryDirectory source = TemporaryDirectory::Create().value();
  ASSERT_TRUE(WriteFileAtomically(source.path() / "zeros", std::string(1 << 20, '\0')));
  std::string zip = MakeZip({{.name = "zeros", .source = source.path() / "zeros"}}).value();
  // Claims one byte in the central directory; the data unpack to a megabyte all the same.
  const std::size_t central = zip.find("PK\1\2");
  ASSERT_NE(central, zip.npos);
  zip.replace(central + 24, 4, std::string("\1\0\0\0", 4));
  auto unpacked = Unpack(zip, {.max_unpacked_bytes = 1000, .max_entries = 10});
  EXPECT_FALSE(unpacked);
  EXPECT_TRUE(std::filesystem::is_empty(folder()));
}

TEST_F(UnpackZipTest, RefusesWhatIsNoZip) {
  for (const std::string& bytes :
       {std::string(), std::string("hello"), std::string("PK\3\4"), std::string(100'000, '\0')}) {
    ExpectRefused(bytes, ErrorCode::kInvalidArgument, "whole zip");
  }
}

TEST_F(UnpackZipTest, RefusesAZipCutShortAnywhere) {
  const std::string zip = ZipOf(
      {{.name = "a", .content = "some content"}, {.name = "b", .content = "some more of it"}});
  for (std::size_t size = 0; size < zip.size(); ++size) {
    EXPECT_FALSE(Unpack(zip.substr(0, size))) << size;
    EXPECT_TRUE(std::filesystem::is_empty(folder())) << size;
  }
}

TEST_F(UnpackZipTest, RefusesDamagedContent) {
  ExpectRefused(ZipOf({{.name = "x", .content = "abc", .wrong_crc = true}}),
                ErrorCode::kInvalidArgument, "damaged");
}

TEST_F(UnpackZipTest, NeedsTheFolder) {
  auto unpacked = UnpackZip(ZipOf({}), folder() / "missing");
  ASSERT_FALSE(unpacked);
  EXPECT_EQ(unpacked.error().code, ErrorCode::kNotFound);
}

// Runs `act` in a process with a full file system of 64 KB at `folder`; true if it returned true,
// nothing if the host lets nobody mount.
template <typename Act>
std::optional<bool> OnASmallDisk(const std::filesystem::path& folder, Act act) {
  constexpr int kCannotMount = 2;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWNS | (::geteuid() == 0 ? 0 : CLONE_NEWUSER)) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=64k") != 0) {
      ::_exit(kCannotMount);
    }
    ::_exit(act() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kCannotMount) return std::nullopt;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_F(UnpackZipTest, SaysWhereToMakeRoomWhenTheDiskIsFull) {
  const std::string zip = ZipOf({{.name = "fits", .content = std::string(10'000, 'x')},
                                 {.name = "does-not", .content = std::string(100'000, 'x')}});
  const auto as_promised = OnASmallDisk(folder(), [&] {
    auto unpacked = Unpack(zip);
    return !unpacked && unpacked.error().code == ErrorCode::kResourceExhausted &&
           unpacked.error().message.contains(folder().native()) &&
           unpacked.error().message.contains("free space") && std::filesystem::is_empty(folder());
  });
  if (!as_promised) GTEST_SKIP() << "this host lets this user mount nothing";
  EXPECT_TRUE(*as_promised);
}

class MakeZipTest : public ::testing::Test {
 protected:
  MakeZipTest() : folder_(TemporaryDirectory::Create().value()) {}
  PackEntry File(const std::string& name, const std::string& content, bool executable = false) {
    const auto path = folder_.path() / fmt::format("{}", ++files_);
    EXPECT_TRUE(WriteFileAtomically(path, content));
    return {.name = name, .source = path, .executable = executable};
  }

  TemporaryDirectory folder_;
  int files_ = 0;
};

TEST_F(MakeZipTest, DependsOnNamesAndBytesOnly) {
  const auto first = MakeZip({File("b", "2"), File("a/c", "1", true)});
  ASSERT_TRUE(first) << first.error().message;
  const char* const zone = std::getenv("TZ");
  const std::string zone_before = zone != nullptr ? zone : "";
  ::setenv("TZ", "Asia/Tokyo", 1);
  ::tzset();
  const auto second = MakeZip({File("a/c", "1", true), File("b", "2")});
  zone != nullptr ? ::setenv("TZ", zone_before.c_str(), 1) : ::unsetenv("TZ");
  ::tzset();
  ASSERT_TRUE(second);
  EXPECT_EQ(*first, *second);
  EXPECT_NE(*first, MakeZip({File("b", "2"), File("a/c", "1")}).value());
}

TEST_F(MakeZipTest, UnpacksToWhatWasPacked) {
  const auto zip = MakeZip({File("bootstrap", std::string(100'000, 'x'), true),
                            File("ein/Äpfel", "saftig"), File("leer", "")});
  ASSERT_TRUE(zip) << zip.error().message;
  EXPECT_LT(zip->size(), 2000U);
  const auto target = TemporaryDirectory::Create().value();
  auto unpacked = UnpackZip(*zip, target.path());
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(unpacked->files, 3U);
  EXPECT_EQ(ReadFile(target.path() / "ein/Äpfel").value(), "saftig");
  EXPECT_EQ(ModeOf(target.path() / "bootstrap"), 0555U);
  EXPECT_EQ(ModeOf(target.path() / "leer"), 0444U);
}

TEST_F(MakeZipTest, RefusesNamesThatCannotBeUnpacked) {
  for (const char* name : {"", "/a", "../a", "a/../b", "./a", "a//b", "a/"}) {
    auto zip = MakeZip({File(name, "x")});
    ASSERT_FALSE(zip) << name;
    EXPECT_EQ(zip.error().code, ErrorCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(MakeZip({File("a", "1"), File("a", "2")}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(MakeZip({File("a", "1"), File("a-b", "2"), File("a/b", "3")}).error().code,
            ErrorCode::kInvalidArgument);
}

TEST_F(MakeZipTest, NamesTheFileThatIsMissing) {
  auto zip = MakeZip({{.name = "a", .source = folder_.path() / "missing"}});
  ASSERT_FALSE(zip);
  EXPECT_EQ(zip.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(zip.error().message, HasSubstr("missing"));
}

TEST(CodeSha256, IsTheBase64OfTheDigest) {
  EXPECT_EQ(CodeSha256(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  EXPECT_EQ(CodeSha256("abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
}

}  // namespace
}  // namespace kelvin::package
