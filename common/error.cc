#include "common/error.h"

#include <cerrno>
#include <system_error>

namespace procpool {
namespace {

std::string Sentence(const ErrorText& text) {
  std::string line = "cannot ";
  line.append(text.operation);
  if (!text.object.empty()) line.append(" ").append(text.object);
  line.append(": ").append(text.cause);
  if (!text.remedy.empty()) line.append("; ").append(text.remedy);
  return line;
}

}  // namespace

Error::Error(Blame blame, const ErrorText& text)
    : std::runtime_error(Sentence(text)), blame_(blame) {}

std::string ErrnoText(int error_number) {
  return std::generic_category().message(error_number);
}

void ThrowErrno(std::string_view operation, std::string_view object, std::string_view remedy) {
  const std::string cause = ErrnoText(errno);
  throw Error(Blame::kMachine, {operation, object, cause, remedy});
}

}  // namespace procpool
