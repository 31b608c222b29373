# LLVM 19 from the distribution: its static libraries for the engine's program, the shared one for
# tools and tests that run where they were built.
find_program(KELVIN_LLVM_CONFIG NAMES llvm-config-19 llvm-config)
find_program(KELVIN_CLANG NAMES clang++-19)
find_program(KELVIN_LLD NAMES ld.lld-19)
set(kelvin_llvm_missing)
if(NOT KELVIN_LLVM_CONFIG)
  list(APPEND kelvin_llvm_missing "llvm-config-19 (package llvm-19-dev)")
endif()
if(NOT KELVIN_CLANG)
  list(APPEND kelvin_llvm_missing "clang++-19 (package clang-19)")
endif()
if(NOT KELVIN_LLD)
  list(APPEND kelvin_llvm_missing "ld.lld-19 (package lld-19)")
endif()
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  list(APPEND kelvin_llvm_missing "an x86-64 processor")
endif()
if(kelvin_llvm_missing)
  list(JOIN kelvin_llvm_missing ", " kelvin_llvm_missing)
  message(FATAL_ERROR "The engine (modes jit and r2r) needs ${kelvin_llvm_missing}: install it "
    "(tools/setup does), or configure with -DKELVIN_ENGINE=OFF to do without the two modes")
endif()

function(_kelvin_llvm_config variable)
  execute_process(COMMAND ${KELVIN_LLVM_CONFIG} ${ARGN} OUTPUT_VARIABLE output
    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(output UNIX_COMMAND "${output}")
  set(${variable} ${output} PARENT_SCOPE)
endfunction()

_kelvin_llvm_config(kelvin_llvm_version --version)
if(NOT kelvin_llvm_version MATCHES "^19\\.")
  message(FATAL_ERROR "The engine needs LLVM 19, ${KELVIN_LLVM_CONFIG} is of ${kelvin_llvm_version}")
endif()
_kelvin_llvm_config(kelvin_llvm_include --includedir)
_kelvin_llvm_config(kelvin_llvm_library_folder --libdir)
_kelvin_llvm_config(kelvin_llvm_tools --bindir)
_kelvin_llvm_config(kelvin_llvm_static_libraries --link-static --libs
  jitlink x86codegen x86asmparser x86desc x86info bitreader passes linker ipo targetparser)

add_library(kelvin_llvm_headers INTERFACE)
target_include_directories(kelvin_llvm_headers SYSTEM INTERFACE ${kelvin_llvm_include})
target_compile_definitions(kelvin_llvm_headers INTERFACE
  __STDC_CONSTANT_MACROS __STDC_FORMAT_MACROS __STDC_LIMIT_MACROS)
if(KELVIN_SANITIZE MATCHES "undefined")
  # LLVM is built without the type information that this check looks at.
  target_compile_options(kelvin_llvm_headers INTERFACE -fno-sanitize=vptr)
endif()
add_library(kelvin_llvm_shared INTERFACE)
target_link_directories(kelvin_llvm_shared INTERFACE ${kelvin_llvm_library_folder})
target_link_libraries(kelvin_llvm_shared INTERFACE kelvin_llvm_headers LLVM-19)
add_library(kelvin_llvm_static INTERFACE)
target_link_directories(kelvin_llvm_static INTERFACE ${kelvin_llvm_library_folder})
target_link_libraries(kelvin_llvm_static INTERFACE
  kelvin_llvm_headers ${kelvin_llvm_static_libraries} z zstd)
