// What the master tells a worker about the calls of one job, before the first of them.
//
//   0  1  1: each item is one call, and its input is nothing but the elements of its only argument
//   1  7  zero
//   8  …  the signature's text: a worker whose task is of another type refuses the job
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <procpool/detail/export.h>

namespace procpool {

/// Thrown where a worker has a task of that name, but of another type. Between one program and
/// itself that cannot be; two programs that do not share the declaration find out here.
class PROCPOOL_EXPORT SignatureMismatch : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

namespace detail {

struct TaskContext {
  bool bare = false;
  std::string_view signature;

  std::vector<std::byte> Encode() const {
    std::vector<std::byte> bytes(kHead + signature.size());
    bytes[0] = static_cast<std::byte>(bare);
    if (!signature.empty()) std::memcpy(bytes.data() + kHead, signature.data(), signature.size());
    return bytes;
  }
  static TaskContext Decode(std::span<const std::byte> bytes) {
    if (bytes.size() < kHead) throw std::invalid_argument("the job's context is cut short");
    return {bytes[0] != std::byte{0},
            {reinterpret_cast<const char*>(bytes.data()) + kHead, bytes.size() - kHead}};
  }

 private:
  static constexpr std::size_t kHead = 8;
};

}  // namespace detail
}  // namespace procpool
