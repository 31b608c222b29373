#include <algorithm>

#include <fmt/format.h>

#include "package/analysis.h"

namespace kelvin::package {
namespace {

bool IsUpperOrDigit(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool IsWord(char c) {
  return IsUpperOrDigit(c) || (c >= 'a' && c <= 'z') || c == '_';
}
bool IsWordOrDash(char c) {
  return IsWord(c) || c == '-';
}
bool IsBase64Line(char c) {
  return IsWord(c) || c == '+' || c == '/' || c == '=' || c == '\n' || c == '\r';
}

struct Secret {
  std::string_view prefix;
  std::string_view what;
  bool (*allowed)(char);  // in what follows the prefix
  std::size_t least;      // characters that must follow
  std::size_t most;       // and may; more make it something else
};

constexpr Secret kSecrets[] = {
    {"AKIA", "an AWS access key id", IsUpperOrDigit, 16, 16},
    {"ASIA", "a temporary AWS access key id", IsUpperOrDigit, 16, 16},
    {"-----BEGIN RSA PRIVATE KEY-----", "a private key", IsBase64Line, 100, 16384},
    {"-----BEGIN EC PRIVATE KEY-----", "a private key", IsBase64Line, 100, 16384},
    {"-----BEGIN PRIVATE KEY-----", "a private key", IsBase64Line, 100, 16384},
    {"-----BEGIN OPENSSH PRIVATE KEY-----", "a private key", IsBase64Line, 100, 16384},
    {"ghp_", "a GitHub token", IsWord, 36, 36},
    {"github_pat_", "a GitHub token", IsWord, 60, 255},
    {"glpat-", "a GitLab token", IsWordOrDash, 20, 20},
    {"xoxb-", "a Slack token", IsWordOrDash, 30, 120},
    {"sk_live_", "a Stripe key", IsWord, 20, 120},
};

// The access key id of AWS's own documentation, and others that end so.
bool IsExample(std::string_view text) {
  return text.ends_with("EXAMPLE");
}

// Shows enough to find it, not enough to use it.
std::string Masked(std::string_view text) {
  constexpr std::size_t kShown = 6;
  return fmt::format("{}...", text.substr(0, std::min(kShown, text.size())));
}

void Search(Analysis& analysis, const PackagedFile& file, const Secret& secret) {
  const std::string_view content = file.content;
  for (std::size_t at = content.find(secret.prefix); at != std::string_view::npos;
       at = content.find(secret.prefix, at + 1)) {
    std::size_t end = at + secret.prefix.size();
    while (end < content.size() && secret.allowed(content[end]) &&
           end - at <= secret.prefix.size() + secret.most) {
      ++end;
    }
    const std::size_t followed = end - at - secret.prefix.size();
    const bool inside_word = at > 0 && IsWord(content[at - 1]);
    const std::string_view text = content.substr(at, end - at);
    if (followed < secret.least || followed > secret.most || inside_word || IsExample(text))
      continue;
    Finding& finding =
        analysis.Add("KV4005", file.name, fmt::format("{}: {}", secret.what, Masked(text)));
    if (finding.has_offset) continue;
    finding.offset = at;
    finding.has_offset = true;
  }
}

}  // namespace

void CheckSecrets(Analysis& analysis) {
  for (const PackagedFile& file : analysis.contents().files) {
    for (const Secret& secret : kSecrets) Search(analysis, file, secret);
  }
}

}  // namespace kelvin::package
