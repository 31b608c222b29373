#include <kelvin/kelvin.h>

#include "handler.h"

int main() {
  return kelvin::Run(transform::Transform);
}
