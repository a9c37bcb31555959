#include "common/os_error.h"

#include <cerrno>
#include <system_error>

namespace procpool {

std::string ErrnoText(int error_number) {
  return std::generic_category().message(error_number);
}

void ThrowErrno(std::string_view operation, std::string_view object, std::string_view remedy) {
  const std::string cause = ErrnoText(errno);
  throw Error(Blame::kMachine, {operation, object, cause, remedy});
}

}  // namespace procpool
