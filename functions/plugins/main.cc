#include "handler.h"

int main() {
  return kelvin::Run(plugins::Handler());
}
