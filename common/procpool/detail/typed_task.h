// A function of the program's own types as a task of bytes: takes the calls of a chunk out of its
// input one after the other, and writes their results.
//
// Results, by the type of the function's result:
//
//   void      nothing
//   flat      its bytes, call after call; of a call that threw: zero bytes
//   others    number of bytes (8) and the bytes, call after call; of a call that threw: nothing.
//             A chunk that is bare (task_context.h) and yields a sequence: nothing but its elements
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <procpool/detail/byte_task.h>
#include <procpool/detail/task_context.h>
#include <procpool/detail/type_text.h>
#include <procpool/detail/value_bytes.h>

namespace procpool::detail {

template <typename F, typename R, typename... Args>
class TypedTask final : public ByteTask {
  static_assert(((!std::is_lvalue_reference_v<Args> ||
                  std::is_const_v<std::remove_reference_t<Args>>)&&...),
                "a task cannot change its caller's arguments, which are in another process: take "
                "them by value or by const reference, or take a procpool::SharedArray");
  static_assert(!kIsSharedArray<std::remove_cvref_t<R>>,
                "a SharedArray is made in the master and given to the task: it cannot be a result");

 public:
  TypedTask(F function, std::span<const std::byte> context) : function_(std::move(function)) {
    const TaskContext given = TaskContext::Decode(context);
    const std::string mine = SignatureText<R, Args...>();
    if (given.signature != mine) {
      throw SignatureMismatch("the master calls it as " + std::string(given.signature) +
                              ", here it is " + mine);
    }
    bare_ = given.bare;
  }

  void Run(std::span<const std::byte> input, TaskOutput& output) override {
    if (bare_) return RunBare(input, output);
    std::size_t calls = 0;
    ValueReader reader(input, &output);
    if constexpr (kLayout == InputLayout::kFlat) {
      calls = input.size() / Arguments<Args...>::kFlatBytes;
    } else {
      calls = reader.TakeNumber();
      if constexpr (kLayout == InputLayout::kGeneral) reader.FillUp();
    }
    if constexpr (kFlatResult) {
      RunFlat(calls, reader, output);
    } else {
      for (std::size_t call = 0; call < calls; ++call) RunOne(call, reader, output);
    }
  }

 private:
  using Result = std::remove_cvref_t<R>;
  using Holder = std::tuple<std::remove_cvref_t<Args>...>;
  static constexpr InputLayout kLayout = Arguments<Args...>::kLayout;
  static constexpr bool kFlatResult = [] {
    if constexpr (std::is_void_v<R>) {
      return false;
    } else {
      return FormOf<Result>() == ValueForm::kFlat;
    }
  }();

  // Braces: the arguments are read from left to right. One that cannot be read spoils its own call
  // only: the next one's begin where it is said.
  static Holder ReadArguments(ValueReader& reader) {
    if constexpr (kLayout == InputLayout::kGeneral) {
      ValueReader part = reader.TakePart();
      return Holder{part.template Read<std::remove_cvref_t<Args>>()...};
    } else {
      return Holder{reader.template Read<std::remove_cvref_t<Args>>()...};
    }
  }

  R Call(Holder& holder) {
    return std::apply(
        [this](auto&... arguments) -> R { return function_(static_cast<Args&&>(arguments)...); },
        holder);
  }

  void RunFlat(std::size_t calls, ValueReader& reader, TaskOutput& output) {
    if constexpr (kFlatResult) {
      std::span<std::byte> room;
      std::size_t used = 0;
      for (std::size_t call = 0; call < calls; ++call) {
        if (room.size() - used < sizeof(Result)) {
          output.Commit(std::exchange(used, 0));
          room = output.Reserve((calls - call) * sizeof(Result));
        }
        if (call != 0) output.BeginStep(call);
        std::array<std::byte, sizeof(Result)> bytes{};
        try {
          Holder holder = ReadArguments(reader);
          const Result result = Call(holder);
          std::memcpy(bytes.data(), &result, sizeof result);
        } catch (...) {
          output.FailStep(call);
        }
        if (room.size() - used >= sizeof(Result)) {
          std::memcpy(room.data() + used, bytes.data(), sizeof(Result));
          used += sizeof(Result);
        } else {
          output.Commit(std::exchange(used, 0));
          output.Write(bytes);  // the room ends within it
          room = {};
        }
      }
      output.Commit(used);
    }
  }

  void RunOne(std::size_t call, ValueReader& reader, TaskOutput& output) {
    if (call != 0) output.BeginStep(call);
    result_.clear();
    try {
      Holder holder = ReadArguments(reader);
      if constexpr (std::is_void_v<R>) {
        Call(holder);
      } else {
        WriteResult(Call(holder));
      }
    } catch (...) {
      result_.clear();
      output.FailStep(call);
    }
    if constexpr (!std::is_void_v<R>) {
      const std::uint64_t length = result_.size();
      output.Write(std::as_bytes(std::span(&length, 1)));
      output.Write(result_);
    }
  }

  void RunBare(std::span<const std::byte> input, TaskOutput& output) {
    if constexpr (Arguments<Args...>::kMayBeBare) {
      using Argument = std::tuple_element_t<0, Holder>;
      result_.clear();
      try {
        Holder holder{ValueReader::template SequenceFrom<Argument>(input)};
        if constexpr (std::is_void_v<R>) {
          Call(holder);
        } else if constexpr (SequenceOf<Result>::value) {
          const R result = Call(holder);
          return output.Write(std::as_bytes(std::span(result.data(), result.size())));
        } else {
          WriteResult(Call(holder));
        }
      } catch (...) {
        result_.clear();
        output.FailStep(0);
        if constexpr (kFlatResult) result_.resize(sizeof(Result));
      }
      if constexpr (!std::is_void_v<R>) {
        if constexpr (!kFlatResult && !SequenceOf<Result>::value) {
          const std::uint64_t length = result_.size();
          output.Write(std::as_bytes(std::span(&length, 1)));
        }
        output.Write(result_);
      }
    }
  }

  // A sequence as its elements alone: what stands before it says how many.
  template <typename T>
  void WriteResult(const T& result) {
    if constexpr (SequenceOf<T>::value) {
      const auto bytes = std::as_bytes(std::span(result.data(), result.size()));
      result_.assign(bytes.begin(), bytes.end());
    } else if constexpr (FormOf<T>() == ValueForm::kFlat) {
      const auto bytes = std::as_bytes(std::span(&result, 1));
      result_.assign(bytes.begin(), bytes.end());
    } else {
      ValueWriter::Code(result_, result);
    }
  }

  F function_;
  bool bare_ = false;
  std::vector<std::byte> result_;  // of one call, reused
};

}  // namespace procpool::detail
