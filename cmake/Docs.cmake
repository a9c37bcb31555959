# The target `docs`: the reference of the library, out of its public headers, in BUILD/reference/html. A warning is an error.
if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()
find_program(PROCPOOL_DOXYGEN doxygen)
mark_as_advanced(PROCPOOL_DOXYGEN)
if(NOT PROCPOOL_DOXYGEN)
  return()
endif()
set(reference ${PROJECT_BINARY_DIR}/reference)
file(CONFIGURE OUTPUT ${reference}/Doxyfile CONTENT
"@INCLUDE = docs/Doxyfile
PROJECT_NUMBER = ${PROJECT_VERSION}
OUTPUT_DIRECTORY = \"${reference}\"
")
add_custom_target(docs COMMAND ${PROCPOOL_DOXYGEN} ${reference}/Doxyfile WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
  COMMENT "Writing the reference of the library" VERBATIM)
