# Builds functions for 64-bit ARM (Lambda's arm64) on another machine, with Debian's cross compiler
# and static libraries (tools/setup arm64):
#   cmake -B build/arm64 --toolchain cmake/aarch64.cmake
#
# Part of the installed package: it stands on its own.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
find_program(KELVIN_ARM64_GCC aarch64-linux-gnu-gcc)
find_program(KELVIN_ARM64_GXX aarch64-linux-gnu-g++)
if(NOT KELVIN_ARM64_GCC OR NOT KELVIN_ARM64_GXX)
  message(FATAL_ERROR "Building for arm64 needs Debian's cross compiler (package "
    "g++-aarch64-linux-gnu): install it (tools/setup arm64 does)")
endif()
set(CMAKE_C_COMPILER ${KELVIN_ARM64_GCC})
set(CMAKE_CXX_COMPILER ${KELVIN_ARM64_GXX})
# What runs the programs here: tests, and whoever asks CMake to.
find_program(KELVIN_QEMU_ARM64 NAMES qemu-aarch64-static qemu-aarch64)
if(KELVIN_QEMU_ARM64)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${KELVIN_QEMU_ARM64})
endif()
# pkg-config is this machine's; what it finds is the other's.
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
# Installed libraries lie beside this machine's.
set(CMAKE_INSTALL_LIBDIR lib/aarch64-linux-gnu CACHE STRING "Where libraries are installed")
