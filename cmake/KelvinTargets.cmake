# kelvin_library(name SOURCES ... [PUBLIC ...] [PRIVATE ...]): one static library a folder, alias
# kelvin::name. kelvin_test(name SOURCES ... LIBS ...): one GoogleTest program a folder.
# Warning and sanitizer flags are private to this build: they are never exported to consumers.

find_program(KELVIN_CCACHE ccache)
if(KELVIN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${KELVIN_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${KELVIN_CCACHE})
endif()

add_library(kelvin_build_flags INTERFACE)
target_compile_options(kelvin_build_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow=local -Wnon-virtual-dtor
  -Woverloaded-virtual -Wimplicit-fallthrough>
  $<$<BOOL:${KELVIN_WERROR}>:-Werror>
  -ffunction-sections -fdata-sections)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # At -O2 and above GCC 12 reports both on the standard library's own strings and optionals.
  target_compile_options(kelvin_build_flags INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict -Wno-maybe-uninitialized>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Clang spells the local form of -Wshadow as -Wshadow itself.
  target_compile_options(kelvin_build_flags INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-unknown-warning-option>)
endif()
if(KELVIN_SANITIZE)
  target_compile_options(kelvin_build_flags INTERFACE
    -fsanitize=${KELVIN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(kelvin_build_flags INTERFACE -fsanitize=${KELVIN_SANITIZE})
endif()

# The libraries hold the compiler's own form for the functions' links; tools and tests link faster
# without it.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_link_options(kelvin_build_flags INTERFACE
    $<$<NOT:$<BOOL:$<TARGET_PROPERTY:KELVIN_FUNCTION>>>:-fno-lto>)
endif()

function(kelvin_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(kelvin_${name} STATIC ${arg_SOURCES})
  add_library(kelvin::${name} ALIAS kelvin_${name})
  set_target_properties(kelvin_${name} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(kelvin_${name} PUBLIC cxx_std_23)
  target_include_directories(kelvin_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  # The folders see each other's headers as "base/error.h"; consumers see only include/kelvin.
  target_include_directories(kelvin_${name} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>)
  target_link_libraries(kelvin_${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE}
    $<BUILD_INTERFACE:kelvin_build_flags>)
endfunction()

function(kelvin_test name)
  if(NOT KELVIN_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} GTest::gmock GTest::gtest_main
    kelvin_build_flags)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  # The parts under test are optimised in their libraries; the tests' own lines would only take
  # twice as long to compile.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O0>)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES LABELS unit TIMEOUT 120)
endfunction()
