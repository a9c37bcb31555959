#include "worker/exception_text.h"

#include <cxxabi.h>

#include <cstdlib>
#include <exception>
#include <memory>
#include <typeinfo>
#include <utility>

namespace procpool {

ExceptionText DescribeException() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(
      type != nullptr ? abi::__cxa_demangle(type->name(), nullptr, nullptr, &status) : nullptr,
      std::free);
  std::string type_name = name ? name.get() : "unknown type";
  try {
    throw;
  } catch (const std::exception& exception) {
    return {std::move(type_name), exception.what()};
  } catch (...) {
    return {std::move(type_name), "no description"};
  }
}

}  // namespace procpool
