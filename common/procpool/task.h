// A task: a function that workers can be asked to call, with the name that both sides know it by
// and its C++ type.
//
// In a program that is its own worker, one line declares and defines it:
//
//   const procpool::Task square{"square", [](int x) { return x * x; }};
//
// Where master and worker are two programs, a header that both include declares it, so that a call
// with other types does not compile; the worker's program defines it:
//
//   inline constexpr procpool::Task<int(int)> square{"square"};    // tasks.h
//   procpool::define(square, [](int x) { return x * x; });         // in main() of the worker
//
// Where they share no declaration, a worker whose task of that name has another type refuses it
// before the first call (SignatureMismatch).
//
// Arguments and results: trivially copyable values; std::vector, std::span<const T> and strings of
// such, which travel as they are and over shared memory without a copy; procpool::SharedArray (as
// an argument); any other type through its codec, see procpool/cereal.h. A view that a task gets as
// an argument is valid during the call.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <procpool/detail/task_registry.h>
#include <procpool/detail/typed_task.h>

namespace procpool {
namespace detail {

template <typename Function>
struct SignatureOf;
template <typename Signature>
struct SignatureOf<std::function<Signature>> {
  using type = Signature;
};

}  // namespace detail

template <typename Signature>
class Task;

/// Offers a task to the master that starts this program as a worker; to be called before
/// worker_main(). A name is defined once: again is std::invalid_argument. Each job of a worker gets
/// a copy of `function`, which keeps what it changes of itself from call to call.
template <typename R, typename... Args, typename F>
void define(const Task<R(Args...)>& task, F function) {
  static_assert(std::is_invocable_r_v<R, F&, Args...>,
                "the function cannot be called as the task is declared");
  TaskRegistry::OfThisProgram().Add(
      std::string(task.name()),
      [function =
           std::move(function)](std::span<const std::byte> context) -> std::unique_ptr<ByteTask> {
        return std::make_unique<detail::TypedTask<F, R, Args...>>(function, context);
      });
}

/// A task of the signature R(Args...): what a Pool is given to call.
template <typename R, typename... Args>
class Task<R(Args...)> {
 public:
  /// What a call yields: views become containers.
  using Result = typename detail::StoredResult<std::remove_cvref_t<R>>::type;

  /// Declares it. `name` must outlive the task: a literal.
  constexpr explicit Task(std::string_view name) : name_(name) {}
  /// Declares and defines it.
  template <typename F>
  requires std::is_invocable_r_v<R, F&, Args...> Task(std::string_view name, F function)
      : name_(name) {
    define(*this, std::move(function));
  }

  /// What both sides know it by.
  constexpr std::string_view name() const { return name_; }

 private:
  std::string_view name_;
};

/// The signature is that of the function.
template <typename F>
Task(std::string_view, F)
    -> Task<typename detail::SignatureOf<decltype(std::function{std::declval<F>()})>::type>;

}  // namespace procpool
