# Each library comes from a Debian package; docs/decisions/0002-dependencies.md says why each is here.
find_package(Threads REQUIRED)
find_package(Boost 1.78 REQUIRED)  # header-only parts: Interprocess (robust mutexes since 1.78), Process v1, Asio
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)
mark_as_advanced(XXHASH_INCLUDE_DIR)

# xxHash is compiled in from its header: the hot hashes are then inlined and the static worker needs no archive.
add_library(procpool_xxhash INTERFACE)
target_include_directories(procpool_xxhash SYSTEM INTERFACE ${XXHASH_INCLUDE_DIR})
target_compile_definitions(procpool_xxhash INTERFACE XXH_INLINE_ALL)

# spdlog and fmt from their headers: Debian's targets ask for shared libraries, which a static worker cannot link.
add_library(procpool_spdlog INTERFACE)
target_include_directories(procpool_spdlog SYSTEM INTERFACE
  $<TARGET_PROPERTY:spdlog::spdlog_header_only,INTERFACE_INCLUDE_DIRECTORIES>)
target_compile_definitions(procpool_spdlog INTERFACE SPDLOG_FMT_EXTERNAL)
target_link_libraries(procpool_spdlog INTERFACE fmt::fmt-header-only Threads::Threads)

if(NOT PROCPOOL_PROGRAMS)
  return()  # that is all the library is made of
endif()

find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(PNG REQUIRED)
find_package(ZLIB REQUIRED)

# xsimd is headers only; used where there are kernels for the instruction set.
option(PROCPOOL_X86_KERNELS "Kernels for SSE2, AVX2 and AVX-512, on x86-64" ON)
if(PROCPOOL_X86_KERNELS)
  find_path(XSIMD_INCLUDE_DIR xsimd/xsimd.hpp REQUIRED)
  add_library(procpool_xsimd INTERFACE)
  target_include_directories(procpool_xsimd SYSTEM INTERFACE ${XSIMD_INCLUDE_DIR})
endif()

# cereal is headers only.
find_path(CEREAL_INCLUDE_DIR cereal/cereal.hpp REQUIRED)
add_library(procpool_cereal INTERFACE)
target_include_directories(procpool_cereal SYSTEM INTERFACE ${CEREAL_INCLUDE_DIR})

# Protocol Buffers: the lite runtime as an archive, for the static worker; FindProtobuf names the shared library.
find_program(PROTOC protoc REQUIRED)
find_library(PROTOBUF_LITE_ARCHIVE libprotobuf-lite.a REQUIRED)
find_path(PROTOBUF_INCLUDE_DIR google/protobuf/message_lite.h REQUIRED)
add_library(procpool_protobuf INTERFACE)
target_include_directories(procpool_protobuf SYSTEM INTERFACE ${PROTOBUF_INCLUDE_DIR})
target_link_libraries(procpool_protobuf INTERFACE ${PROTOBUF_LITE_ARCHIVE} Threads::Threads)

if(PROCPOOL_TESTS)
  find_package(GTest REQUIRED)
endif()
