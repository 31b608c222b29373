// Thread-local variables of the standard library that its headers use, for functions compiled from
// bitcode: they cannot name the engine's own thread-local storage (specials.h).

#include <mutex>

extern "C" {
void* kelvin_thread_local__ZSt15__once_callable() {
  return &std::__once_callable;
}
void* kelvin_thread_local__ZSt11__once_call() {
  return &std::__once_call;
}
}
