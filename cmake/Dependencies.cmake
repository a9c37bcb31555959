# Each library comes from a Debian package; docs/decisions/0002-dependencies.md says why each is here.
find_package(Threads REQUIRED)
find_package(Boost 1.78 REQUIRED)  # header-only parts: Interprocess (robust mutexes since 1.78), Process v1, Asio
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(PNG REQUIRED)
find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)

# xxHash is compiled in from its header: the hot hashes are then inlined and the static worker needs no archive.
add_library(procpool_xxhash INTERFACE)
target_include_directories(procpool_xxhash SYSTEM INTERFACE ${XXHASH_INCLUDE_DIR})
target_compile_definitions(procpool_xxhash INTERFACE XXH_INLINE_ALL)

# spdlog and fmt from their headers: Debian's targets ask for shared libraries, which a static worker cannot link.
find_package(fmt REQUIRED)
add_library(procpool_spdlog INTERFACE)
target_include_directories(procpool_spdlog SYSTEM INTERFACE
  $<TARGET_PROPERTY:spdlog::spdlog_header_only,INTERFACE_INCLUDE_DIRECTORIES>)
target_compile_definitions(procpool_spdlog INTERFACE SPDLOG_FMT_EXTERNAL)
target_link_libraries(procpool_spdlog INTERFACE fmt::fmt-header-only Threads::Threads)

if(PROCPOOL_TESTS)
  find_package(GTest REQUIRED)
endif()
