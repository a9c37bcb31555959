// The name of a type and the signature of a task as text, so that both sides can compare them.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include <procpool/detail/value_form.h>

namespace procpool::detail {

/// "int", "std::vector<double>", as the compiler writes it.
template <typename T>
constexpr std::string_view TypeText() {
  // GCC: "... [with T = int; std::string_view = ...]", Clang: "... [T = int]".
  constexpr std::string_view function = __PRETTY_FUNCTION__;
  constexpr std::size_t begin = function.find("T = ") + 4;
  constexpr std::size_t semicolon = function.find(';', begin);
  constexpr std::size_t end = semicolon != std::string_view::npos ? semicolon : function.rfind(']');
  return function.substr(begin, end - begin);
}

template <typename T>
std::string SizeText() {
  if constexpr ((std::is_class_v<T> || std::is_enum_v<T>)&&std::is_trivially_copyable_v<T>) {
    return " of " + std::to_string(sizeof(T)) + " bytes";
  } else {
    return "";
  }
}

/// A type of the program's own may look alike and be laid out otherwise: its size stands beside it,
/// also where it is what a sequence or a SharedArray consists of.
template <typename T>
std::string TypeWithSize() {
  if constexpr (SequenceOf<T>::value || kIsSharedArray<T>) {
    return std::string(TypeText<T>()) + SizeText<typename T::value_type>();
  } else {
    return std::string(TypeText<T>()) + SizeText<T>();
  }
}

/// "int(int, double)"
template <typename R, typename... Args>
std::string SignatureText() {
  std::string text = TypeWithSize<std::remove_cvref_t<R>>() + "(";
  std::string_view separator;
  ((text.append(separator).append(TypeWithSize<std::remove_cvref_t<Args>>()), separator = ", "),
   ...);
  return text + ")";
}

}  // namespace procpool::detail
