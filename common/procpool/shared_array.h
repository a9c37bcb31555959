// SharedArray<T>: an array that the pool's workers see without copying. Allocate it once, fill it,
// give it (or a part of it) to tasks as an argument; what they write into it is there when their
// call is answered.
//
//   procpool::SharedArray<float> image(width * height);
//   pool.map(blur_rows, image.parts(16));
//
// Promise: the memory has no name that could be left behind; it goes with its last user, in the
// master or in a worker. Copies of a SharedArray are the same memory. Zero-filled at first. Nothing
// is locked: calls that write into the same part at the same time race, as threads would.
//
// Only the process that made an array can give it to a pool.
#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include <procpool/detail/shared_bytes.h>

namespace procpool {

/// An array of trivially copyable elements that the pool's workers see without copying. A copy of
/// it is the same memory.
template <typename T>
class SharedArray {
  static_assert(std::is_trivially_copyable_v<T>,
                "a SharedArray holds bytes that several processes look at: T must be trivially "
                "copyable");

 public:
  /// Type of its elements.
  using value_type = T;

  /// Empty.
  SharedArray() = default;
  /// `size` elements of zero bytes. Throws procpool::Error if there is not enough memory.
  explicit SharedArray(std::size_t size)
      : bytes_(size == 0 ? detail::SharedBytes() : detail::SharedBytes::Allocate(BytesOf(size))) {}
  /// The library's own: elements that lie in memory shared already.
  explicit SharedArray(detail::SharedBytes bytes) : bytes_(std::move(bytes)) {}

  /// Number of elements.
  std::size_t size() const { return bytes_.bytes().size() / sizeof(T); }
  /// Whether it has none.
  bool empty() const { return size() == 0; }
  /// The elements, one behind the other; null if there are none.
  T* data() const { return reinterpret_cast<T*>(bytes_.bytes().data()); }
  /// All of them.
  std::span<T> span() const { return {data(), size()}; }
  /// One of them; the index is not checked.
  T& operator[](std::size_t index) const { return data()[index]; }
  /// The first.
  T* begin() const { return data(); }
  /// Behind the last.
  T* end() const { return data() + size(); }

  /// `count` elements from `first` on: the same memory. Throws std::out_of_range.
  SharedArray part(std::size_t first, std::size_t count) const {
    if (first > size() || count > size() - first) {
      throw std::out_of_range("SharedArray::part() reaches beyond the array");
    }
    return SharedArray(bytes_.Part(first * sizeof(T), count * sizeof(T)));
  }
  /// The array in `count` parts, one after the other; their sizes differ by one at most. Fewer, if
  /// there are fewer elements.
  std::vector<SharedArray> parts(std::size_t count) const {
    std::vector<SharedArray> all;
    count = std::min(count, size());
    all.reserve(count);
    for (std::size_t i = 0, first = 0; i < count; ++i) {
      const std::size_t length = size() / count + (i < size() % count ? 1 : 0);
      all.push_back(part(first, length));
      first += length;
    }
    return all;
  }

  /// The library's own: where the elements lie.
  const detail::SharedBytes& shared_bytes() const { return bytes_; }

 private:
  static std::size_t BytesOf(std::size_t size) {
    if (size > static_cast<std::size_t>(-1) / 2 / sizeof(T)) {
      throw std::length_error("a SharedArray of so many elements cannot exist");
    }
    return size * sizeof(T);
  }

  detail::SharedBytes bytes_;
};

}  // namespace procpool
