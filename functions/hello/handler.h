#pragma once

#include <optional>
#include <string>

#include <boost/describe/class.hpp>

namespace hello {

struct Person {
  std::optional<std::string> name;
};
BOOST_DESCRIBE_STRUCT(Person, (), (name))

struct Greeting {
  std::string message;
};
BOOST_DESCRIBE_STRUCT(Greeting, (), (message))

// Greets the person, or the world when no name came.
Greeting Greet(const Person& person);

}  // namespace hello
