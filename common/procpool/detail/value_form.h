// In what form a value of a type travels between master and worker.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include <procpool/shared_array.h>

namespace procpool::detail {

enum class ValueForm {
  kFlat,      ///< its bytes
  kSequence,  ///< so many elements, each its bytes
  kShared,    ///< where in shared memory it lies
  kCoded,     ///< what its codec makes of it (procpool/cereal.h)
};

template <typename T>
inline constexpr bool kIsSharedArray = false;
template <typename T>
inline constexpr bool kIsSharedArray<SharedArray<T>> = true;

template <typename T>
concept FlatElement =
    std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> && !std::is_member_pointer_v<T>;

template <typename T>
struct SequenceOf {
  static constexpr bool value = false;
};
template <FlatElement T>
struct SequenceOf<std::span<const T>> {
  static constexpr bool value = true;
  using Element = T;
  using Stored = std::vector<T>;
};
template <typename T>
requires(FlatElement<T> && !std::is_same_v<T, bool>) struct SequenceOf<std::vector<T>> {
  static constexpr bool value = true;
  using Element = T;
  using Stored = std::vector<T>;
};
template <>
struct SequenceOf<std::string> {
  static constexpr bool value = true;
  using Element = char;
  using Stored = std::string;
};
template <>
struct SequenceOf<std::string_view> {
  static constexpr bool value = true;
  using Element = char;
  using Stored = std::string;
};

/// Elements are aligned as they are in memory; no more than this is kept on the way.
inline constexpr std::size_t kMostAlignment = 16;

template <typename T>
constexpr ValueForm FormOf() {
  static_assert(!std::is_pointer_v<T> && !std::is_member_pointer_v<T>,
                "a pointer means nothing in another process: pass the value, a std::span or a "
                "procpool::SharedArray");
  static_assert(!std::is_same_v<T, std::nullptr_t>, "a null pointer carries nothing");
  if constexpr (kIsSharedArray<T>) {
    return ValueForm::kShared;
  } else if constexpr (SequenceOf<T>::value) {
    static_assert(alignof(typename SequenceOf<T>::Element) <= kMostAlignment,
                  "elements of a sequence may be aligned to 16 bytes at most");
    return ValueForm::kSequence;
  } else if constexpr (FlatElement<T>) {
    return ValueForm::kFlat;
  } else {
    return ValueForm::kCoded;
  }
}

/// What a result is kept as: views become containers.
template <typename T>
struct StoredResult {
  using type = T;
};
template <typename T>
requires SequenceOf<T>::value struct StoredResult<T> {
  using type = typename SequenceOf<T>::Stored;
};

/// How the calls of one chunk lie in its input.
enum class InputLayout {
  kCount,    ///< no arguments: how many calls (8 bytes)
  kFlat,     ///< all arguments are flat: call after call, argument after argument, no gaps
  kGeneral,  ///< how many calls (16 bytes); then each call's arguments, a part
};

template <typename... Args>
struct Arguments {
  static constexpr bool kAllFlat =
      ((FormOf<std::remove_cvref_t<Args>>() == ValueForm::kFlat) && ...);
  static constexpr InputLayout kLayout = sizeof...(Args) == 0 ? InputLayout::kCount
                                         : kAllFlat           ? InputLayout::kFlat
                                                              : InputLayout::kGeneral;
  /// Bytes of one call's arguments, if all are flat.
  static constexpr std::size_t kFlatBytes =
      kAllFlat ? (std::size_t{0} + ... + sizeof(std::remove_cvref_t<Args>)) : 0;
  /// Whether a chunk of one call may be nothing but the elements of its only argument.
  static constexpr bool kMayBeBare = [] {
    if constexpr (sizeof...(Args) == 1) {
      return ((FormOf<std::remove_cvref_t<Args>>() == ValueForm::kSequence) && ...);
    } else {
      return false;
    }
  }();
};

}  // namespace procpool::detail
