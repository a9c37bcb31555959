# Script (cmake -P): links the object files listed in OBJECTS, one a line, into the object OUTPUT, in which all names but
# those that the shared library EXPORTS_OF exports are local. LD, NM and OBJCOPY are the tools.

function(run)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
  set(output "${output}" PARENT_SCOPE)
endfunction()

# Lines "name type value size".
run(${NM} --dynamic --defined-only --format=posix ${EXPORTS_OF})
string(REGEX REPLACE " [^\n]*" "" names "${output}")
file(WRITE ${OUTPUT}.names "${names}")

# Groups are dissolved first: an inline function that is local here must not be dropped for the sake of another one of
# its name, for who calls it would then refer to nothing.
run(${LD} -r --force-group-allocation -o ${OUTPUT}.all @${OBJECTS})
# What GCC has marked as unique in the whole process would stay global; it is made weak first.
run(${NM} --defined-only --format=posix ${OUTPUT}.all)
string(REGEX MATCHALL "[^\n ]+ u [^\n]*\n" unique "${output}")
list(TRANSFORM unique REPLACE " [^\n]*" "")
list(JOIN unique "" unique)
file(WRITE ${OUTPUT}.unique "${unique}")
run(${OBJCOPY} --weaken-symbols=${OUTPUT}.unique ${OUTPUT}.all)
run(${OBJCOPY} --keep-global-symbols=${OUTPUT}.names ${OUTPUT}.all ${OUTPUT})
file(REMOVE ${OUTPUT}.all)
