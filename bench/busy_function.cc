// A function that works for as long as its event says, by the clock: {"ms": 5}.
#include <chrono>
#include <map>
#include <string>

#include <kelvin/kelvin.h>

int main() {
  return kelvin::Run([](const std::map<std::string, double>& event) {
    const auto wait = event.find("ms");
    const std::chrono::duration<double, std::milli> asked(wait == event.end() ? 0 : wait->second);
    const auto start = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - start < asked) {
    }
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
        .count();
  });
}
