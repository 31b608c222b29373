# kelvin::pack where it is not built along: the packer of the machine that builds. Part of the
# installed package.
find_program(KELVIN_PACK_PROGRAM kelvin_pack
  HINTS ${kelvin_tools_folder} ${CMAKE_CURRENT_LIST_DIR}/../build/release/src/package
  PATHS /usr/local/libexec/kelvin /usr/libexec/kelvin)
if(NOT KELVIN_PACK_PROGRAM)
  message(FATAL_ERROR "expected kelvin_pack, the packer of this machine: build it in Kelvin's folder "
    "('make build') or install it ('make install'), or name it with -DKELVIN_PACK_PROGRAM=FILE")
endif()
add_executable(kelvin::pack IMPORTED GLOBAL)
set_target_properties(kelvin::pack PROPERTIES IMPORTED_LOCATION ${KELVIN_PACK_PROGRAM})
