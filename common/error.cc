#include <procpool/error.h>

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

}  // namespace procpool
