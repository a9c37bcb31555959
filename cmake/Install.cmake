# cmake --install: the library for those who build with it, and the programs. Three components, which become three Debian
# packages (Packages.cmake):
#
#   programs     libexec/procpool/{master,worker,…}, and bin/procpool, which is the master
#   runtime      libprocpool.so.0
#   development  include/procpool/, what CMake's find_package(procpool) needs, the library for static programs

if(PROCPOOL_SANITIZE)
  return()  # nobody could link with it who has not the same sanitizers
endif()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS procpool EXPORT procpoolTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS procpool_archive EXPORT procpoolTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
foreach(header IN LISTS PROCPOOL_PUBLIC_HEADERS)
  cmake_path(GET header PARENT_PATH folder)
  file(REAL_PATH ${PROCPOOL_INCLUDE_DIR}/${header} source)
  install(FILES ${source} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/${folder} COMPONENT development)
endforeach()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/procpool)
install(EXPORT procpoolTargets NAMESPACE procpool:: DESTINATION ${package_dir} COMPONENT development)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/procpoolConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/procpoolConfig.cmake INSTALL_DESTINATION ${package_dir})
# Before 1.0 a new minor version is another library.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/procpoolConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/procpoolConfig.cmake ${PROJECT_BINARY_DIR}/package/procpoolConfigVersion.cmake
  DESTINATION ${package_dir} COMPONENT development)

if(NOT PROCPOOL_PROGRAMS)
  return()
endif()

# Master and worker are found beside each other, and their names are too general for a directory that all programs share.
set(program_dir ${CMAKE_INSTALL_LIBEXECDIR}/procpool)
install(TARGETS master worker worker_dynamic empty_program RUNTIME DESTINATION ${program_dir} COMPONENT programs)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_LIBEXECDIR BASE_DIRECTORY ${CMAKE_INSTALL_FULL_BINDIR} OUTPUT_VARIABLE libexec)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/package)
file(CREATE_LINK ${libexec}/procpool/master ${PROJECT_BINARY_DIR}/package/procpool SYMBOLIC)
install(FILES ${PROJECT_BINARY_DIR}/package/procpool DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT programs)
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT programs)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs COMPONENT programs
  FILES_MATCHING PATTERN *.md PATTERN *.png)
install(DIRECTORY configs DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT programs)
