// Calls of a task of given types: their arguments as bytes, their results as values.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstring>
#include <map>
#include <memory>
#include <ranges>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <procpool/detail/batch.h>
#include <procpool/detail/task_context.h>
#include <procpool/detail/type_text.h>
#include <procpool/detail/value_bytes.h>
#include <procpool/task.h>

namespace procpool::detail {

/// Whether a value of type Given is, as it lies there, the elements of a sequence of type Wanted.
template <typename Wanted, typename Given>
constexpr bool IsSequenceAsItLies() {
  if constexpr (SequenceOf<Wanted>::value && std::ranges::contiguous_range<const Given> &&
                std::ranges::sized_range<const Given> && !std::is_array_v<Given>) {
    return std::is_same_v<std::ranges::range_value_t<const Given>,
                          typename SequenceOf<Wanted>::Element>;
  } else {
    return false;
  }
}

/// What a caller may give for a parameter of type Arg.
template <typename Given, typename Arg>
concept GoesAs = IsSequenceAsItLies<std::remove_cvref_t<Arg>, std::remove_cvref_t<Given>>() ||
                 std::convertible_to < const std::remove_cvref_t<Given>
&, std::remove_cvref_t < Arg >> ;

/// The bytes of a sequence's elements.
template <typename Given>
std::span<const std::byte> BytesOfSequence(const Given& given) {
  return std::as_bytes(std::span(std::ranges::data(given), std::ranges::size(given)));
}

/// Writes a value as the type that the task takes, not as the one that the caller has.
template <typename Arg, typename Given>
void WriteAs(ValueWriter& writer, const Given& given) {
  using Wanted = std::remove_cvref_t<Arg>;
  if constexpr (IsSequenceAsItLies<Wanted, Given>()) {
    writer.WriteElements(BytesOfSequence(given), std::ranges::size(given));
  } else if constexpr (std::is_same_v<Wanted, Given>) {
    writer.Write(given);
  } else {
    writer.Write(static_cast<Wanted>(given));
  }
}

/// Where its bytes end, if they are written from `at` on.
template <typename Arg, typename Given>
std::size_t EndAs(const Given& given, std::size_t at) {
  using Wanted = std::remove_cvref_t<Arg>;
  if constexpr (IsSequenceAsItLies<Wanted, Given>()) {
    return EndOf(std::span(std::ranges::data(given), std::ranges::size(given)), at);
  } else if constexpr (std::is_same_v<Wanted, Given>) {
    return EndOf(given, at);
  } else {
    return EndOf(static_cast<Wanted>(given), at);
  }
}

/// The arguments of one call.
template <typename... Args, typename... Given>
void WriteArguments(ValueWriter& writer, const Given&... given) {
  if constexpr (Arguments<Args...>::kLayout == InputLayout::kGeneral) {
    const std::size_t begin = writer.BeginPart();
    (WriteAs<Args>(writer, given), ...);
    writer.EndPart(begin);
  } else {
    (WriteAs<Args>(writer, given), ...);
  }
}

/// One call as the input of a chunk.
template <typename... Args, typename... Given>
void WriteCall(std::vector<std::byte>& bytes, ValueWriter::Shared& shared, const Given&... given) {
  ValueWriter writer(bytes, shared);
  constexpr InputLayout kLayout = Arguments<Args...>::kLayout;
  if constexpr (kLayout != InputLayout::kFlat) writer.AppendNumber(1);
  if constexpr (kLayout == InputLayout::kGeneral) writer.FillUp();
  WriteArguments<Args...>(writer, given...);
}

/// What the bytes of a call's result mean.
template <typename R>
struct ResultBytes {
  using Value = typename StoredResult<std::remove_cvref_t<R>>::type;
  static constexpr bool kFlat = FormOf<Value>() == ValueForm::kFlat;
  static constexpr bool kSequence = SequenceOf<Value>::value;
  static constexpr std::size_t kFlatBytes = kFlat ? sizeof(Value) : 0;

  /// The bytes may lie at any address.
  static Value FromBytes(std::span<const std::byte> bytes) {
    if constexpr (kFlat) {
      return ValueReader(bytes).template TakeFlat<Value>();
    } else if constexpr (kSequence) {
      Value value;
      value.resize(bytes.size() / sizeof(typename SequenceOf<Value>::Element));
      if (!value.empty()) std::memcpy(value.data(), bytes.data(), bytes.size());
      return value;
    } else {
      return ValueReader::CodedFrom<Value>(bytes);
    }
  }
};
template <>
struct ResultBytes<void> {
  using Value = std::monostate;
  static constexpr bool kFlat = false;
  static constexpr bool kSequence = false;
  static constexpr std::size_t kFlatBytes = 0;

  static Value FromBytes(std::span<const std::byte>) { return {}; }
};

/// Cuts the result of a chunk into those of its calls, one after the other.
template <typename R>
class ResultCutter {
 public:
  ResultCutter(std::span<const std::byte> bytes, bool bare) : reader_(bytes), bytes_(bytes) {
    whole_ = bare && ResultBytes<R>::kSequence;
  }
  std::span<const std::byte> Next() {
    if constexpr (std::is_void_v<R>) {
      return {};
    } else if constexpr (ResultBytes<R>::kFlat) {
      return reader_.Take(ResultBytes<R>::kFlatBytes);
    } else {
      return whole_ ? bytes_ : reader_.Take(reader_.TakeNumber());
    }
  }

 private:
  ValueReader reader_;
  std::span<const std::byte> bytes_;
  bool whole_;
};

/// What all batches of a task have in common.
template <typename R, typename... Args>
class TypedBatch : public Batch {
 public:
  TypedBatch(const Task<R(Args...)>& task, std::uint64_t chunk_size)
      : task_(task.name()), chunk_size_(chunk_size) {
    const std::string signature = SignatureText<R, Args...>();
    context_ = TaskContext{bare(), signature}.Encode();
  }

  std::string_view task() const final { return task_; }
  const std::vector<std::byte>& context() const final { return context_; }
  std::uint64_t chunk_size() const final { return chunk_size_; }
  std::size_t FlatResultBytes() const final { return ResultBytes<R>::kFlatBytes; }

 protected:
  using Layout = Arguments<Args...>;
  using Shared = std::vector<std::shared_ptr<SharedMemory>>;

  bool bare() const { return chunk_size_ == 1 && Layout::kMayBeBare; }

  /// `call(i)` gives the arguments of the chunk's call i, as a tuple of references.
  template <typename CallAt>
  std::span<const std::byte> Encode(std::uint64_t count, InputRoom& room, Shared& shared,
                                    const CallAt& call) const {
    if constexpr (Layout::kMayBeBare) {
      if (bare()) return EncodeBare(room, std::get<0>(call(0)));
    }
    if constexpr ((kHasKnownSize<std::remove_cvref_t<Args>> && ...)) {
      const std::span<std::byte> place = room.Exactly(SizeOf(count, call));
      ValueWriter writer(place, shared);
      Write(count, writer, call);
      return place;
    } else {
      std::vector<std::byte>& bytes = room.Growing();
      ValueWriter writer(bytes, shared);
      Write(count, writer, call);
      return bytes;
    }
  }

 private:
  template <typename Given>
  static std::span<const std::byte> EncodeBare(InputRoom& room, const Given& given) {
    using Wanted = std::remove_cvref_t<std::tuple_element_t<0, std::tuple<Args...>>>;
    if constexpr (IsSequenceAsItLies<Wanted, Given>()) {
      return BytesOfSequence(given);  // it stays where it is, and so does the batch's argument
    } else {
      const Wanted converted(given);
      const std::span<const std::byte> bytes = BytesOfSequence(converted);
      const std::span<std::byte> place = room.Exactly(bytes.size());
      if (!bytes.empty()) std::memcpy(place.data(), bytes.data(), bytes.size());
      return place;
    }
  }

  template <typename CallAt>
  static std::size_t SizeOf(std::uint64_t count, const CallAt& call) {
    if constexpr (Layout::kLayout == InputLayout::kCount) {
      return sizeof(std::uint64_t);
    } else if constexpr (Layout::kLayout == InputLayout::kFlat) {
      return count * Layout::kFlatBytes;
    } else {
      std::size_t at = FilledUp(sizeof(std::uint64_t));
      for (std::uint64_t i = 0; i < count; ++i) {
        at = FilledUp(at + sizeof(std::uint64_t));  // the part's length
        std::apply([&](const auto&... arguments) { ((at = EndAs<Args>(arguments, at)), ...); },
                   call(i));
        at = FilledUp(at);
      }
      return at;
    }
  }

  template <typename CallAt>
  static void Write(std::uint64_t count, ValueWriter& writer, const CallAt& call) {
    if constexpr (Layout::kLayout != InputLayout::kFlat) writer.AppendNumber(count);
    if constexpr (Layout::kLayout == InputLayout::kGeneral) writer.FillUp();
    if constexpr (Layout::kLayout != InputLayout::kCount) {
      for (std::uint64_t i = 0; i < count; ++i) {
        std::apply([&](const auto&... arguments) { WriteArguments<Args...>(writer, arguments...); },
                   call(i));
      }
    }
  }

  std::string task_;
  std::uint64_t chunk_size_;
  std::vector<std::byte> context_;
};

/// Results of calls in order, however they came. For batches that end.
template <typename R>
class ResultStore {
 public:
  using Bytes = ResultBytes<R>;
  using Value = typename Bytes::Value;

  explicit ResultStore(std::uint64_t calls) : calls_(calls) {
    if constexpr (Bytes::kFlat) flat_.resize(calls * kUnits);
  }

  std::span<std::byte> Flat(std::uint64_t first, std::uint64_t count) {
    return std::as_writable_bytes(std::span(flat_).subspan(first * kUnits, count * kUnits));
  }
  void Add(DoneChunk chunk, bool bare) {
    if constexpr (!Bytes::kFlat && !std::is_void_v<R>) {
      if (chunk.again) {
        if (chunk.without.empty()) again_.emplace(chunk.first, std::move(chunk.bytes));
      } else {
        chunks_.emplace(chunk.first, Chunk{chunk.count, std::move(chunk.bytes)});
      }
      bare_ = bare;
    }
  }

  /// To be called once, when all is there.
  std::vector<Value> Take() {
    if constexpr (std::is_void_v<R>) {
      return std::vector<Value>(calls_);
    } else if constexpr (kStoredAsValues) {
      return std::move(flat_);
    } else {
      std::vector<Value> values;
      values.reserve(calls_);
      if constexpr (Bytes::kFlat) {
        ValueReader reader(flat_);
        for (std::uint64_t i = 0; i < calls_; ++i)
          values.push_back(reader.template TakeFlat<Value>());
      } else {
        for (auto& [first, chunk] : chunks_) {
          ResultCutter<R> cutter(chunk.bytes, bare_);
          for (std::uint64_t call = first; call < first + chunk.calls; ++call) {
            const std::span<const std::byte> bytes = cutter.Next();
            const auto again = again_.find(call);
            if (again == again_.end()) {
              values.push_back(Bytes::FromBytes(bytes));
            } else {
              values.push_back(Bytes::FromBytes(ResultCutter<R>(again->second, bare_).Next()));
            }
          }
          chunk.bytes = {};
        }
      }
      return values;
    }
  }

 private:
  // Results are received where get() will have them, unless a vector of them cannot be written to
  // as bytes.
  static constexpr bool kStoredAsValues = [] {
    if constexpr (Bytes::kFlat) {
      return std::is_default_constructible_v<Value> && !std::is_same_v<Value, bool>;
    } else {
      return false;
    }
  }();
  using Unit = std::conditional_t<kStoredAsValues, Value, std::byte>;
  static constexpr std::size_t kUnits = kStoredAsValues ? 1 : Bytes::kFlatBytes;
  struct Chunk {
    std::uint64_t calls;
    std::vector<std::byte> bytes;
  };

  std::uint64_t calls_;
  std::vector<Unit> flat_;
  std::map<std::uint64_t, Chunk> chunks_;
  std::map<std::uint64_t, std::vector<std::byte>> again_;
  bool bare_ = false;
};

}  // namespace procpool::detail
