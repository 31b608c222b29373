#include <kelvin/kelvin.h>

#include "handler.h"

int main() {
  return kelvin::RunStreaming(stream::Export);
}
