# kelvin_add_function(name SOURCES ... [LIBS ...] [MODES aot])
#
# Builds a Lambda function and its package. Mode aot makes the target <name>-aot: one static,
# stripped program `bootstrap` without dynamic dependencies, and packages/<name>-aot.zip in the
# build folder, whose bytes depend on the sources only, not on where or when it was built.
# LIBS defaults to kelvin::runtime. Part of the installed package: it stands on its own.

# Compile flags of functions and of the libraries within them. Fat objects hold native code beside
# the compiler's own form, so the libraries serve links with and without link-time optimisation.
function(kelvin_function_compile_options target)
  target_compile_options(${target} PRIVATE
    -ffunction-sections -fdata-sections
    # Paths within the program (assertions, source locations) are the same wherever it is built.
    -ffile-prefix-map=${CMAKE_BINARY_DIR}/=build/ -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=
    -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
  if(KELVIN_SANITIZE)
    return()
  endif()
  # These baselines run on every machine that Lambda has.
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
    target_compile_options(${target} PRIVATE -march=x86-64-v2)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    target_compile_options(${target} PRIVATE -march=armv8-a+crc+crypto)
  endif()
  target_compile_options(${target} PRIVATE
    $<$<NOT:$<CONFIG:Debug>>:-flto> $<$<NOT:$<CONFIG:Debug>>:-ffat-lto-objects>)
endfunction()

function(_kelvin_aot_link_options target)
  # Sanitizers need the dynamic loader; such a build is for finding faults, not for shipping.
  if(KELVIN_SANITIZE)
    return()
  endif()
  target_link_options(${target} PRIVATE
    -static-pie -s -Wl,--gc-sections -Wl,--build-id=none
    # Thousands of relative relocations become a bitmap: a smaller file, fewer pages touched.
    -Wl,-z,pack-relative-relocs)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # GNU ld cannot read LLVM's form of the objects.
    target_link_options(${target} PRIVATE -fuse-ld=lld
      $<$<NOT:$<CONFIG:Debug>>:-flto> $<$<NOT:$<CONFIG:Debug>>:-ffat-lto-objects>)
  else()
    target_link_options(${target} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-flto=auto>)
  endif()
endfunction()

function(_kelvin_add_aot name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
  set(target ${name}-aot)
  add_executable(${target} ${arg_SOURCES})
  target_compile_features(${target} PRIVATE cxx_std_23)
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME bootstrap RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/${target}
    POSITION_INDEPENDENT_CODE ON KELVIN_FUNCTION ON)
  target_link_libraries(${target} PRIVATE ${arg_LIBS})
  if(TARGET kelvin_build_flags)
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:kelvin_build_flags>)
  endif()
  kelvin_function_compile_options(${target})
  _kelvin_aot_link_options(${target})

  set(zip ${CMAKE_BINARY_DIR}/packages/${target}.zip)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND kelvin::pack --output ${zip} --file bootstrap=$<TARGET_FILE:${target}>
    BYPRODUCTS ${zip} COMMENT "Packing ${target}.zip" VERBATIM)
  if(TARGET kelvin_packages)
    add_dependencies(kelvin_packages ${target})
  endif()
endfunction()

function(kelvin_add_function name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS;MODES" ${ARGN})
  if(NOT arg_SOURCES)
    message(FATAL_ERROR "kelvin_add_function(${name}): expected SOURCES, got none")
  endif()
  if(NOT arg_LIBS)
    set(arg_LIBS kelvin::runtime)
  endif()
  if(NOT arg_MODES)
    set(arg_MODES aot)
  endif()
  foreach(mode IN LISTS arg_MODES)
    if(NOT mode STREQUAL "aot")
      message(FATAL_ERROR "kelvin_add_function(${name}): expected the mode aot, got ${mode}")
    endif()
    _kelvin_add_aot(${name} SOURCES ${arg_SOURCES} LIBS ${arg_LIBS})
  endforeach()
endfunction()
