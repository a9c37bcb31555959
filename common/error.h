// An error a person reads: what was being done, to what, why it failed, what to do about it.
//
// Promise: what() is one line, "cannot <operation> <object>: <cause>; <remedy>" (the remedy may be
// empty). Thrown where the caller cannot go on; outcomes that a caller acts upon (a worker died, a
// channel is full) are values.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace procpool {

/// Who has to act, which decides the exit code: the user (2), or whoever looks after the machine or
/// the job (1).
enum class Blame { kUser, kMachine };

struct ErrorText {
  std::string_view operation;  ///< "open", "parse", "spawn"
  std::string_view object;     ///< "workload 'x.toml'"
  std::string_view cause;      ///< "No such file or directory"
  std::string_view
      remedy;  ///< "give an existing file, or a name from --list-workloads"; may be empty
};

class Error : public std::runtime_error {
 public:
  Error(Blame blame, const ErrorText& text);
  Blame blame() const { return blame_; }

 private:
  Blame blame_;
};

/// The system's text for an errno value, e.g. "No such file or directory". Thread-safe.
std::string ErrnoText(int error_number);

/// Throws Error{kMachine} with the cause taken from the current errno.
[[noreturn]] void ThrowErrno(std::string_view operation, std::string_view object,
                             std::string_view remedy = {});

}  // namespace procpool
