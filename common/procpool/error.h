// An error a person reads: what was being done, to what, why it failed, what to do about it.
//
// Promise: what() is one line, "cannot <operation> <object>: <cause>; <remedy>" (the remedy may be
// empty). Thrown where the caller cannot go on; outcomes that a caller acts upon (a worker died, a
// channel is full) are values.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <procpool/detail/export.h>

namespace procpool {

/// Who has to act, which decides the exit code: the user (2), or whoever looks after the machine or
/// the job (1).
enum class Blame { kUser, kMachine };

/// What an Error says, in parts.
struct ErrorText {
  std::string_view operation;  ///< "open", "parse", "spawn"
  std::string_view object;     ///< "workload 'x.toml'"
  std::string_view cause;      ///< "No such file or directory"
  std::string_view remedy;     ///< "give an existing file, or another name"; may be empty
};

/// What all errors of the library derive from.
class PROCPOOL_EXPORT Error : public std::runtime_error {
 public:
  /// Its what() is the text as one line.
  Error(Blame blame, const ErrorText& text);
  /// Who has to act.
  Blame blame() const { return blame_; }

 private:
  Blame blame_;
};

}  // namespace procpool
