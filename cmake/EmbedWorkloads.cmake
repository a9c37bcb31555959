# procpool_embed_workloads(<target> <name>...): compiles configs/<name>.toml into <target>, in the order given, as what
# common/workload_builtin.h declares. Run as a script (cmake -P) the same file writes the source, when a TOML changes.

if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(PROCPOOL_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})

  function(procpool_embed_workloads target)
    set(inputs ${ARGN})
    list(TRANSFORM inputs PREPEND ${PROJECT_SOURCE_DIR}/configs/)
    list(TRANSFORM inputs APPEND .toml)
    set(output ${CMAKE_CURRENT_BINARY_DIR}/workload_builtin.cc)
    add_custom_command(
      OUTPUT ${output}
      COMMAND ${CMAKE_COMMAND} "-DOUTPUT=${output}" "-DINPUTS=${inputs}" -P ${PROCPOOL_EMBED_SCRIPT}
      DEPENDS ${inputs} ${PROCPOOL_EMBED_SCRIPT}
      COMMENT "Embedding the built-in workloads"
      VERBATIM)
    target_sources(${target} PRIVATE ${output})
  endfunction()
  return()
endif()

set(entries "")
foreach(input IN LISTS INPUTS)
  get_filename_component(name ${input} NAME_WLE)
  file(READ ${input} text)
  string(FIND "${text}" ")toml\"" delimiter)
  if(NOT delimiter EQUAL -1)
    message(FATAL_ERROR "${input} contains )toml\", which would end the literal it is embedded in")
  endif()
  string(APPEND entries "    {\"${name}\", R\"toml(${text})toml\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Written by cmake/EmbedWorkloads.cmake from configs/*.toml.
#include \"common/workload_builtin.h\"

#include <array>

namespace procpool {
namespace {

constexpr auto kTexts = std::to_array<BuiltinWorkloadText>({
${entries}});

}  // namespace

std::span<const BuiltinWorkloadText> BuiltinWorkloadTexts() { return kTexts; }

}  // namespace procpool
")
