# What a function's author installs: headers, libraries, kelvin_add_function, the packer and the
# engine, for find_package(kelvin) and for pkg-config. `cmake --install BUILD --component sdk`
# installs only it. A build for another machine installs its libraries beside this machine's.
include(CMakePackageConfigHelpers)

set(kelvin_cmake_folder ${CMAKE_INSTALL_LIBDIR}/cmake/kelvin)
set(kelvin_sdk_include ${CMAKE_INSTALL_INCLUDEDIR}/kelvin/sdk)

install(TARGETS kelvin_base kelvin_http kelvin_aws kelvin_runtime EXPORT kelvinTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk)
set(kelvin_tools_folder ${CMAKE_INSTALL_LIBEXECDIR}/kelvin)
if(KELVIN_TOOLS)
  set_target_properties(kelvin_pack PROPERTIES EXPORT_NAME pack)
  install(TARGETS kelvin_pack EXPORT kelvinTargets
    RUNTIME DESTINATION ${kelvin_tools_folder} COMPONENT sdk)
endif()
if(KELVIN_ENGINE_PROGRAM)
  set_target_properties(kelvin_bitcode PROPERTIES
    EXPORT_NAME bitcode INSTALL_RPATH ${kelvin_llvm_library_folder})
  install(TARGETS kelvin_bitcode EXPORT kelvinTargets
    RUNTIME DESTINATION ${kelvin_tools_folder} COMPONENT sdk)
  install(PROGRAMS ${KELVIN_ENGINE_PROGRAM} DESTINATION ${kelvin_tools_folder} RENAME engine
    COMPONENT sdk)
  install(FILES ${KELVIN_ENGINE_LAYER} DESTINATION ${kelvin_tools_folder} COMPONENT sdk)
endif()
install(EXPORT kelvinTargets NAMESPACE kelvin:: DESTINATION ${kelvin_cmake_folder} COMPONENT sdk)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/kelvin TYPE INCLUDE COMPONENT sdk)
# The AWS clients' headers, under the names that functions in this repository use as well.
target_include_directories(kelvin_aws INTERFACE $<INSTALL_INTERFACE:${kelvin_sdk_include}>)
foreach(folder IN ITEMS base http aws)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/${folder} DESTINATION ${kelvin_sdk_include}
    COMPONENT sdk FILES_MATCHING PATTERN "*.h" PATTERN "data" EXCLUDE)
endforeach()

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/kelvinConfig.cmake.in
  ${PROJECT_BINARY_DIR}/kelvinConfig.cmake INSTALL_DESTINATION ${kelvin_cmake_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/kelvinConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/kelvinConfig.cmake
  ${PROJECT_BINARY_DIR}/kelvinConfigVersion.cmake ${CMAKE_CURRENT_LIST_DIR}/KelvinFunction.cmake
  ${CMAKE_CURRENT_LIST_DIR}/KelvinPacker.cmake ${CMAKE_CURRENT_LIST_DIR}/aarch64.cmake
  DESTINATION ${kelvin_cmake_folder} COMPONENT sdk)

# From the .pc files' own place, so that the installed tree can be moved.
file(RELATIVE_PATH kelvin_prefix_from_pc
  ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
foreach(name IN ITEMS kelvin kelvin-aws)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT sdk)
endforeach()
