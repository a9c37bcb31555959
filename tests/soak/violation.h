// What a soak stops at: something that must not be, in words.
#pragma once

#include <stdexcept>
#include <string>

namespace procpool::soak {

class Violation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void Require(bool holds, const std::string& what) {
  if (!holds) throw Violation(what);
}

}  // namespace procpool::soak
