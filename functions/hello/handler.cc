#include "handler.h"

namespace hello {

Greeting Greet(const Person& person) {
  return Greeting{"Hello, " + person.name.value_or("world") + "!"};
}

}  // namespace hello
