# What programs that use procpool link with (docs/decisions/0017-library-targets.md):
#
#   procpool::procpool         the shared library, master's and worker's side in one
#   procpool::procpool_static  the same for programs that are linked statically, which start sooner
#
# Users include <procpool/…> only, and get no flag of this project.

set(PROCPOOL_PARTS procpool_core procpool_pool procpool_worker)
set(objects "")
foreach(part IN LISTS PROCPOOL_PARTS)
  list(APPEND objects $<TARGET_OBJECTS:${part}>)
endforeach()

# The headers for users lie beside the parts that they belong to; here they are together, as they are installed.
set(PROCPOOL_INCLUDE_DIR ${PROJECT_BINARY_DIR}/include)
set(PROCPOOL_PUBLIC_HEADERS "")  # "procpool/task.h", …
file(REMOVE_RECURSE ${PROCPOOL_INCLUDE_DIR})
foreach(side IN ITEMS common master worker)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/${side} ${PROJECT_SOURCE_DIR}/${side}/procpool/*.h)
  foreach(header IN LISTS headers)
    cmake_path(GET header PARENT_PATH folder)
    file(MAKE_DIRECTORY ${PROCPOOL_INCLUDE_DIR}/${folder})
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${side}/${header} ${PROCPOOL_INCLUDE_DIR}/${header} SYMBOLIC)
  endforeach()
  list(APPEND PROCPOOL_PUBLIC_HEADERS ${headers})
endforeach()

function(procpool_offer_to_users target)
  target_compile_features(${target} INTERFACE cxx_std_20)
  target_include_directories(${target} INTERFACE $<BUILD_INTERFACE:${PROCPOOL_INCLUDE_DIR}>)
  add_library(procpool::${ARGV1} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${ARGV1} LINKER_LANGUAGE CXX)
endfunction()

add_library(procpool SHARED ${objects})
procpool_offer_to_users(procpool procpool)
set_target_properties(procpool PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
target_link_libraries(procpool PRIVATE procpool_flags Threads::Threads)
set(exports ${PROJECT_SOURCE_DIR}/cmake/exports.map)
target_link_options(procpool PRIVATE LINKER:--version-script=${exports} LINKER:--gc-sections)
set_target_properties(procpool PROPERTIES LINK_DEPENDS ${exports})

if(PROCPOOL_SANITIZE)
  return()  # a sanitizer's run-time library is a shared one
endif()
target_link_options(procpool PRIVATE LINKER:--no-undefined)

# One object, in which all names but those that the shared library exports are local.
set(one_object ${CMAKE_CURRENT_BINARY_DIR}/procpool.o)
set(object_list ${CMAKE_CURRENT_BINARY_DIR}/procpool.objects)
file(GENERATE OUTPUT ${object_list} CONTENT "\"$<JOIN:${objects},\"\n\">\"\n")
add_custom_command(OUTPUT ${one_object}
  COMMAND ${CMAKE_COMMAND} -DOUTPUT=${one_object} -DOBJECTS=${object_list} -DEXPORTS_OF=$<TARGET_FILE:procpool>
    -DLD=${CMAKE_LINKER} -DNM=${CMAKE_NM} -DOBJCOPY=${CMAKE_OBJCOPY} -P ${PROJECT_SOURCE_DIR}/cmake/OneObject.cmake
  DEPENDS procpool ${objects} ${object_list} ${PROJECT_SOURCE_DIR}/cmake/OneObject.cmake
  COMMENT "Making one object of the library"
  VERBATIM)
add_library(procpool_archive STATIC ${one_object})
procpool_offer_to_users(procpool_archive procpool_static)
set_target_properties(procpool_archive PROPERTIES OUTPUT_NAME procpool)
# As one object it would come along whole: a worker has no use for the master's side.
target_link_options(procpool_archive INTERFACE -pthread LINKER:--gc-sections)
