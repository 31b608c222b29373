// Stand-ins for functions of the C library that need shared libraries at run time, which a static
// program does not have: OpenSSL and c-ares refer to them, for features that are not used here.
// Calls go here only in functions (the --wrap options of this folder's CMakeLists.txt), which
// spares them 200 KB of name service and dynamic loader that could not work.

#include <cstddef>

#include <netdb.h>

extern "C" {

void* __wrap_dlopen(const char*, int) {
  return nullptr;
}
void* __wrap_dlsym(void*, const char*) {
  return nullptr;
}
int __wrap_dlclose(void*) {
  return -1;
}
int __wrap_dladdr(const void*, void*) {
  return 0;
}
char* __wrap_dlerror() {
  static char message[] = "a static program loads no shared libraries";
  return message;
}

int __wrap_getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**) {
  return EAI_FAIL;
}
void __wrap_freeaddrinfo(addrinfo*) {}
int __wrap_getnameinfo(const sockaddr*, socklen_t, char*, socklen_t, char*, socklen_t, int) {
  return EAI_FAIL;
}
hostent* __wrap_gethostbyname(const char*) {
  return nullptr;
}
int __wrap_getservbyport_r(int, const char*, servent*, char*, std::size_t, servent** result) {
  *result = nullptr;
  return 0;
}

}  // extern "C"
