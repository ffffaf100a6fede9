# The program, and the libraries with headers and a CMake package: find_package(bahi) gives bahi::base, bahi::schemas,
# bahi::engine and bahi::client. packaging/consumer shows their use, and a test builds it against an installation.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/bahi)
install(TARGETS bahi RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS bahi_base bahi_tls bahi_schemas bahi_engine bahi_asio bahi_client EXPORT bahi-targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT bahi-targets NAMESPACE bahi:: DESTINATION ${package_dir})
configure_package_config_file(packaging/bahi-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/bahi-config.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/bahi-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/bahi-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/bahi-config-version.cmake
  DESTINATION ${package_dir})
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

if(BAHI_TESTS AND NOT BAHI_SANITIZE AND NOT BAHI_FUZZ AND NOT BAHI_PLANTED_BUGS)
  add_test(NAME install_and_consume
    COMMAND ${CMAKE_COMMAND} -D SOURCE=${CMAKE_CURRENT_SOURCE_DIR}/packaging/consumer -D BUILD=${CMAKE_CURRENT_BINARY_DIR}
      -D COMPILER=${CMAKE_CXX_COMPILER} -P ${CMAKE_CURRENT_SOURCE_DIR}/packaging/consumer_test.cmake)
endif()
