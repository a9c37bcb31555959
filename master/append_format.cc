#include "master/append_format.h"

#include <cstdarg>
#include <cstdio>

namespace procpool {

void Append(std::string& text, const char* format, ...) {
  char line[512];  // NOLINT: a line of a table
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  text += line;
}

}  // namespace procpool
