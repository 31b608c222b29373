# kelvin_add_function(name SOURCES ... [LIBS ...] [MODES aot r2r jit] [PLUGINS ...]
#                     [IMAGE_LEAVES_OUT ...])
#
# Builds a Lambda function and, for each mode, its package packages/<name>-<mode>.zip in the build
# folder, whose bytes depend on the sources only, not on where or when it was built. LIBS defaults
# to kelvin::runtime, MODES to aot.
#   aot  target <name>-aot: one static, stripped program `bootstrap` without dynamic dependencies
#   jit  target <name>-jit: function.bc, which the engine's layer compiles as it runs
#   r2r  target <name>-r2r: function.bc and function.image, its code for the baseline CPU
# jit and r2r are compiled by Clang 19, whatever compiles the rest. They take the headers and
# definitions of LIBS; their code is the engine's own or must be among the SOURCES. PLUGINS go into
# the packages of jit and r2r; IMAGE_LEAVES_OUT names functions that the image has no code for.
# Built for another machine (aarch64.cmake) the package is packages/<name>-aot-arm64.zip; the engine
# is for x86-64 only.
#
# kelvin_add_plugin(name SOURCES ... ENTRIES ... [LIBS ...])
#
# Builds <name>.bc for kelvin::LoadModule. ENTRIES are the functions, with C linkage, that are
# looked up in it.
#
# Part of the installed package: it stands on its own.

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
    -static-pie -s -Wl,--gc-sections -Wl,--build-id=none)
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")  # where GNU ld does not know it
    # Thousands of relative relocations become a bitmap: a smaller file, fewer pages touched.
    target_link_options(${target} PRIVATE -Wl,-z,pack-relative-relocs)
  endif()
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

  set(package ${target})
  if(CMAKE_CROSSCOMPILING AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    set(package ${target}-arm64)
  endif()
  set(zip ${CMAKE_BINARY_DIR}/packages/${package}.zip)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND kelvin::pack --output ${zip} --file bootstrap=$<TARGET_FILE:${target}>
    BYPRODUCTS ${zip} COMMENT "Packing ${package}.zip" VERBATIM)
  if(TARGET kelvin_packages)
    add_dependencies(kelvin_packages ${target})
  endif()
endfunction()

# Sets `variable` to bitcode files of the sources. Definitions and folders of headers come from LIBS.
function(_kelvin_compile_bitcode variable name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
  set(usage ${name}-bitcode-usage)
  add_library(${usage} INTERFACE)
  target_link_libraries(${usage} INTERFACE ${arg_LIBS})
  set(folders $<TARGET_PROPERTY:${usage},INTERFACE_INCLUDE_DIRECTORIES>)
  # Naming a folder that the compiler searches anyway changes the order of the search.
  set(folders $<FILTER:${folders},EXCLUDE,^/usr/include$>)
  set(definitions $<TARGET_PROPERTY:${usage},INTERFACE_COMPILE_DEFINITIONS>)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${name}-bitcode)
  file(MAKE_DIRECTORY ${folder})
  set(objects)
  foreach(source IN LISTS arg_SOURCES)
    list(LENGTH objects number)
    get_filename_component(stem ${source} NAME_WE)
    set(object ${folder}/${number}-${stem}.bc)
    get_filename_component(source ${source} ABSOLUTE)
    add_custom_command(OUTPUT ${object}
      COMMAND ${KELVIN_CLANG} -std=c++23 -O2 -Xclang -disable-llvm-passes -fPIC -march=x86-64-v2
        -w "$<$<BOOL:${folders}>:-I$<JOIN:${folders},;-I>>"
        "$<$<BOOL:${definitions}>:-D$<JOIN:${definitions},;-D>>"
        -ffile-prefix-map=${CMAKE_BINARY_DIR}/=build/ -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=
        -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=
        -MD -MF ${object}.d -emit-llvm -c ${source} -o ${object}
      DEPENDS ${source} DEPFILE ${object}.d COMMAND_EXPAND_LISTS VERBATIM
      COMMENT "Building bitcode of ${stem} for ${name}")
    list(APPEND objects ${object})
  endforeach()
  set(${variable} ${objects} PARENT_SCOPE)
endfunction()

# One package of mode jit or r2r.
function(_kelvin_pack_bitcode name mode)
  set(target ${name}-${mode})
  set(zip ${CMAKE_BINARY_DIR}/packages/${target}.zip)
  set(files)
  foreach(file IN LISTS ARGN)
    get_filename_component(in_zip ${file} NAME)
    list(APPEND files --file ${in_zip}=${file})
  endforeach()
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
  add_custom_command(OUTPUT ${zip} COMMAND kelvin::pack --output ${zip} ${files}
    DEPENDS ${ARGN} kelvin::pack VERBATIM COMMENT "Packing ${target}.zip")
  add_custom_target(${target} ALL DEPENDS ${zip})
  # Beside the packages, where `kelvin compare` looks for it.
  if(TARGET kelvin_engine_layer)
    add_dependencies(${target} kelvin_engine_layer)
  else()
    configure_file(${KELVIN_ENGINE_LAYER} ${CMAKE_BINARY_DIR}/packages/kelvin-engine.zip COPYONLY)
  endif()
  if(TARGET kelvin_packages)
    add_dependencies(kelvin_packages ${target})
  endif()
endfunction()

function(_kelvin_add_bitcode_modes name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS;MODES;PLUGINS;IMAGE_LEAVES_OUT" ${ARGN})
  _kelvin_compile_bitcode(objects ${name} SOURCES ${arg_SOURCES} LIBS ${arg_LIBS})
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${name}-bitcode)
  set(plugins)
  foreach(plugin IN LISTS arg_PLUGINS)
    list(APPEND plugins ${CMAKE_CURRENT_BINARY_DIR}/${plugin}.bc)
  endforeach()
  set(left_out)
  foreach(function IN LISTS arg_IMAGE_LEAVES_OUT)
    list(APPEND left_out --leave-out ${function})
  endforeach()
  set(bitcode ${folder}/function.bc)
  set(compile kelvin::bitcode --engine ${KELVIN_ENGINE_PROGRAM} --output ${bitcode})
  add_custom_command(OUTPUT ${bitcode} ${folder}/function.o ${folder}/jit/kelvin.json
    COMMAND ${compile} --image-object ${folder}/function.o --manifest ${folder}/jit/kelvin.json
      ${left_out} ${objects}
    DEPENDS ${objects} ${KELVIN_ENGINE_PROGRAM} kelvin::bitcode VERBATIM
    COMMENT "Making the bitcode of ${name}")
  file(MAKE_DIRECTORY ${folder}/jit ${folder}/r2r)
  set(image ${folder}/function.image)
  add_custom_command(OUTPUT ${image} ${folder}/r2r/kelvin.json
    # GNU ld ends the frames without the zero that the unwinder stops at.
    COMMAND ${KELVIN_LLD} -shared -e kelvin_image -z now -z noexecstack --eh-frame-hdr
      ${folder}/function.o -o ${image}
    COMMAND ${compile} --seal ${image} --manifest ${folder}/r2r/kelvin.json
    DEPENDS ${folder}/function.o ${bitcode} VERBATIM COMMENT "Linking the image of ${name}")
  # One target makes what both packages hold, so that no two build it at once.
  add_custom_target(${name}-bitcode DEPENDS ${bitcode} ${image})
  if("jit" IN_LIST arg_MODES)
    _kelvin_pack_bitcode(${name} jit ${bitcode} ${folder}/jit/kelvin.json ${plugins})
    add_dependencies(${name}-jit ${name}-bitcode)
  endif()
  if("r2r" IN_LIST arg_MODES)
    _kelvin_pack_bitcode(${name} r2r ${bitcode} ${image} ${folder}/r2r/kelvin.json ${plugins})
    add_dependencies(${name}-r2r ${name}-bitcode)
  endif()
  foreach(plugin IN LISTS arg_PLUGINS)
    add_dependencies(${name}-bitcode ${plugin})
  endforeach()
endfunction()

function(kelvin_add_plugin name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS;ENTRIES" ${ARGN})
  if(NOT arg_SOURCES OR NOT arg_ENTRIES)
    message(FATAL_ERROR "kelvin_add_plugin(${name}): expected SOURCES and ENTRIES")
  endif()
  if(NOT KELVIN_ENGINE_PROGRAM)
    add_custom_target(${name})
    return()
  endif()
  if(NOT arg_LIBS)
    set(arg_LIBS kelvin::runtime)
  endif()
  _kelvin_compile_bitcode(objects ${name} SOURCES ${arg_SOURCES} LIBS ${arg_LIBS})
  set(bitcode ${CMAKE_CURRENT_BINARY_DIR}/${name}.bc)
  set(entries)
  foreach(entry IN LISTS arg_ENTRIES)
    list(APPEND entries --entry ${entry})
  endforeach()
  add_custom_command(OUTPUT ${bitcode}
    COMMAND kelvin::bitcode --engine ${KELVIN_ENGINE_PROGRAM} --output ${bitcode} ${entries}
      ${objects}
    DEPENDS ${objects} ${KELVIN_ENGINE_PROGRAM} kelvin::bitcode VERBATIM
    COMMENT "Making the plugin ${name}")
  add_custom_target(${name} DEPENDS ${bitcode})
endfunction()

function(kelvin_add_function name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS;MODES;PLUGINS;IMAGE_LEAVES_OUT" ${ARGN})
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
    if(NOT mode MATCHES "^(aot|r2r|jit)$")
      message(FATAL_ERROR
        "kelvin_add_function(${name}): expected the modes aot, r2r and jit, got ${mode}")
    endif()
  endforeach()
  if("aot" IN_LIST arg_MODES)
    _kelvin_add_aot(${name} SOURCES ${arg_SOURCES} LIBS ${arg_LIBS})
  endif()
  list(REMOVE_ITEM arg_MODES aot)
  if(arg_MODES AND NOT KELVIN_ENGINE_PROGRAM)
    list(JOIN arg_MODES " and " modes)
    set(level WARNING)
    if(CMAKE_CROSSCOMPILING OR PROJECT_NAME STREQUAL "kelvin")
      set(level STATUS)  # nothing that was not asked for
    endif()
    message(${level} "${name} is not built in mode ${modes}: ${KELVIN_NO_ENGINE}")
  elseif(arg_MODES)
    _kelvin_add_bitcode_modes(${name} SOURCES ${arg_SOURCES} LIBS ${arg_LIBS} MODES ${arg_MODES}
      PLUGINS ${arg_PLUGINS} IMAGE_LEAVES_OUT ${arg_IMAGE_LEAVES_OUT})
  endif()
endfunction()
