#include "cli/completion.h"

#include <map>
#include <string_view>

#include "cli/arguments.h"
#include "cli/exit_code.h"

namespace kelvin::cli {
namespace {

constexpr std::string_view kExamples =
    "  source <(kelvin completion bash)\n"
    "      for this shell; in ~/.bashrc for every one, and so with zsh and ~/.zshrc\n"
    "  kelvin completion fish > ~/.config/fish/completions/kelvin.fish\n"
    "      fish reads it from there\n";

// Where kelvin names nothing, the shells complete file names.
constexpr std::string_view kBash = R"(_kelvin() {
  mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _kelvin kelvin
)";

constexpr std::string_view kZsh = R"(#compdef kelvin
_kelvin() {
  local -a found
  found=("${(@f)$("${words[1]}" complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "${found[1]}" ]]; then
    compadd -- "${found[@]}"
  else
    _files
  fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _kelvin kelvin
)";

constexpr std::string_view kFish = R"(function __kelvin_complete
  set -l words (commandline -opc)
  $words[1] complete $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c kelvin -a '(__kelvin_complete)'
)";

}  // namespace

int Completion(const std::vector<std::string>& arguments, const Host& host) {
  const std::map<std::string, std::string_view> scripts = {
      {"bash", kBash}, {"fish", kFish}, {"zsh", kZsh}};
  std::string shell;
  Arguments parser("completion", "Prints what makes a shell complete kelvin's command lines.",
                   std::string(kExamples));
  parser.app()
      .add_option("SHELL", shell, "The shell")
      ->required()
      ->check(CLI::IsMember({"bash", "fish", "zsh"}));
  if (auto parsed = parser.Parse(arguments); !parsed) return Report(host, parsed.error());
  host.out.write(scripts.at(shell));
  return kExitOk;
}

}  // namespace kelvin::cli
