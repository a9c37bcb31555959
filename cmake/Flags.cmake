# One interface target carries what every target of the project is compiled with. None of it reaches who uses the library.
add_library(procpool_flags INTERFACE)
target_compile_options(procpool_flags INTERFACE
  -Wall -Wextra -Wpedantic
  # Elsewhere another compiler may warn of something else; that shall not be an error in somebody's build.
  $<$<BOOL:${PROJECT_IS_TOP_LEVEL}>:-Werror>
  -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  # GCC 12 reports overlapping copies inside std::string's operator+ that cannot happen (GCC bug 105329).
  -Wno-restrict
  # A designated initialiser leaves the other members at their defaults; that is what it is for.
  -Wno-missing-field-initializers
  # Bit-exact arithmetic: a*b+c is two roundings everywhere, never one (docs/decisions/0003-bit-exact-kernels.md).
  -ffp-contract=off)
# The headers for users lie in three directories, one beside each part of the library.
target_include_directories(procpool_flags INTERFACE ${PROJECT_SOURCE_DIR}
  ${PROJECT_SOURCE_DIR}/common ${PROJECT_SOURCE_DIR}/master ${PROJECT_SOURCE_DIR}/worker)
target_compile_definitions(procpool_flags INTERFACE
  # message_queue's try-calls lock too: after 50 ms they give up instead of waiting for a stopped process.
  BOOST_INTERPROCESS_ENABLE_TIMEOUT_WHEN_LOCKING
  BOOST_INTERPROCESS_TIMEOUT_WHEN_LOCKING_DURATION_MS=50)

# What the library is made of (cmake/Library.cmake) is compiled once for all that it goes into: as a shared library needs
# it, with nothing visible outside but what says so (procpool/detail/export.h), and in sections, so that a program that is
# linked statically gets only what it calls.
function(procpool_part_of_library target)
  set_target_properties(${target} PROPERTIES
    POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_options(${target} PRIVATE -ffunction-sections -fdata-sections)
endfunction()

if(PROCPOOL_FUZZ)
  # Clang knows not every warning that is named here.
  target_compile_options(procpool_flags INTERFACE -Wno-unknown-warning-option -fsanitize=fuzzer-no-link)
endif()
if(PROCPOOL_SANITIZE)
  string(REPLACE "," ";" sanitizers "${PROCPOOL_SANITIZE}")
  foreach(sanitizer IN LISTS sanitizers)
    target_compile_options(procpool_flags INTERFACE -fsanitize=${sanitizer})
    target_link_options(procpool_flags INTERFACE -fsanitize=${sanitizer})
  endforeach()
  # A look at every pointer before it is followed takes a third of the time that building takes. Null is found without: such
  # an access ends the program. Alignment is looked at by Clang, in the fuzz targets, which is where bytes from elsewhere are.
  if("undefined" IN_LIST sanitizers AND NOT PROCPOOL_FUZZ)
    target_compile_options(procpool_flags INTERFACE -fno-sanitize=null,alignment)
  endif()
  # What is compiled once and then runs for a moment (PROCPOOL_COLD) is not worth optimising.
  target_compile_options(procpool_flags INTERFACE $<IF:$<BOOL:$<TARGET_PROPERTY:PROCPOOL_COLD>>,-O0,-O1>
    -g1 -fno-omit-frame-pointer -fno-sanitize-recover=all
    -Wno-tsan)  # Asio uses fences, which thread sanitizer does not follow
endif()

# The worker is linked statically (a dynamic C++ program spends over 1 ms in the loader), but for the sanitizers,
# whose run-time must be a shared one.
add_library(procpool_static INTERFACE)
if(NOT PROCPOOL_SANITIZE)
  # What nobody calls stays out: each page that starting touches costs time, and the codecs' libraries bring much along.
  target_link_options(procpool_static INTERFACE -static LINKER:--gc-sections)
endif()
