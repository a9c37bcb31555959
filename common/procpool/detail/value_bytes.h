// Values as bytes and back. The layout is that of the process' own memory: both ends are the same
// build on the same machine.
//
//   kFlat      its bytes
//   kSequence  number of elements (8 bytes), filled up to 16; the elements, filled up to 16
//   kShared    region (4 bytes), 4 bytes of zero, offset (8), bytes (8)
//   kCoded     number of bytes (8), the bytes
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <procpool/detail/byte_task.h>
#include <procpool/detail/value_form.h>

namespace procpool::detail {

constexpr std::size_t FilledUp(std::size_t size) {
  return (size + kMostAlignment - 1) / kMostAlignment * kMostAlignment;
}

/// Names a type to the functions that code it, which are found by it.
template <typename T>
struct CodedType {};

/// Whether the size of a value's bytes can be told without writing them.
template <typename T>
inline constexpr bool kHasKnownSize = FormOf<T>() != ValueForm::kCoded;

/// Where the bytes end, if a value is written from `at` on.
template <typename T>
requires kHasKnownSize<T> std::size_t EndOf(const T& value, std::size_t at) {
  if constexpr (FormOf<T>() == ValueForm::kFlat) {
    return at + sizeof(T);
  } else if constexpr (FormOf<T>() == ValueForm::kShared) {
    return at + 3 * sizeof(std::uint64_t);
  } else {
    return FilledUp(FilledUp(at) + kMostAlignment +
                    value.size() * sizeof(typename SequenceOf<T>::Element));
  }
}

/// Appends values to bytes, and notes what memory they refer to.
class ValueWriter {
 public:
  using Shared = std::vector<std::shared_ptr<SharedMemory>>;

  ValueWriter(std::vector<std::byte>& bytes, Shared& shared) : growing_(&bytes), shared_(shared) {}
  /// Into a place of the right size, which is what EndOf() says. Nothing coded can be written
  /// there.
  ValueWriter(std::span<std::byte> place, Shared& shared) : place_(place), shared_(shared) {}

  void Append(const void* data, std::size_t size) {
    if (size == 0) return;
    if (growing_ == nullptr) {
      std::memcpy(place_.data() + at_, data, size);
      at_ += size;
    } else {
      // Not insert(): GCC 12 takes fright at it (-Wstringop-overflow), and so would users.
      const std::size_t at = growing_->size();
      growing_->resize(at + size);
      std::memcpy(growing_->data() + at, data, size);
    }
  }
  void AppendNumber(std::uint64_t number) { Append(&number, sizeof number); }
  /// What follows is a part, up to EndPart(), which gets what this returns: its length stands
  /// before it. Begins and ends filled up.
  std::size_t BeginPart() {
    AppendNumber(0);
    FillUp();
    return At();
  }
  void EndPart(std::size_t begin) {
    FillUp();
    const std::uint64_t length = At() - begin;
    std::byte* const bytes = growing_ == nullptr ? place_.data() : growing_->data();
    std::memcpy(bytes + begin - kMostAlignment, &length, sizeof length);
  }
  void FillUp() {
    constexpr std::byte kZeros[kMostAlignment] = {};
    Append(kZeros, FilledUp(At()) - At());
  }
  void WriteElements(std::span<const std::byte> elements, std::uint64_t count) {
    FillUp();
    AppendNumber(count);
    FillUp();
    Append(elements.data(), elements.size());
    FillUp();
  }

  template <typename T>
  void Write(const T& value) {
    constexpr ValueForm form = FormOf<T>();
    if constexpr (form == ValueForm::kFlat) {
      Append(&value, sizeof value);
    } else if constexpr (form == ValueForm::kSequence) {
      WriteElements(std::as_bytes(std::span(value.data(), value.size())), value.size());
    } else if constexpr (form == ValueForm::kShared) {
      const SharedBytes& bytes = value.shared_bytes();
      AppendNumber(bytes.id());
      AppendNumber(bytes.offset());
      AppendNumber(bytes.bytes().size());
      if (bytes.memory() != nullptr) shared_.push_back(bytes.memory());
    } else {
      std::vector<std::byte>& bytes = *growing_;
      const std::size_t length_at = bytes.size();
      AppendNumber(0);
      const std::size_t begin = bytes.size();
      Code(bytes, value);
      const std::uint64_t length = bytes.size() - begin;
      std::memcpy(bytes.data() + length_at, &length, sizeof length);
    }
  }

  /// What a codec makes of a value, and nothing else.
  template <typename T>
  static void Code(std::vector<std::byte>& bytes, const T& value) {
    if constexpr (requires { AppendCoded(CodedType<T>{}, bytes, value); }) {
      AppendCoded(CodedType<T>{}, bytes, value);
    } else {
      static_assert(sizeof(T) == 0,
                    "this type is not trivially copyable: include <procpool/cereal.h> and give it "
                    "a serialize() function");
    }
  }

 private:
  std::size_t At() const { return growing_ == nullptr ? at_ : growing_->size(); }

  std::vector<std::byte>* growing_ = nullptr;
  std::span<std::byte> place_;
  std::size_t at_ = 0;
  Shared& shared_;
};

/// Reads values one after the other. Throws std::invalid_argument where the bytes end too soon.
/// Views that it returns look into the bytes.
class ValueReader {
 public:
  /// `output` finds shared memory; nullptr where there can be none.
  explicit ValueReader(std::span<const std::byte> bytes, TaskOutput* output = nullptr)
      : all_(bytes), output_(output) {}

  bool AtEnd() const { return at_ == all_.size(); }
  std::span<const std::byte> Take(std::size_t size) {
    if (size > all_.size() - at_) throw std::invalid_argument("the bytes of a call end too soon");
    at_ += size;
    return all_.subspan(at_ - size, size);
  }
  std::uint64_t TakeNumber() { return TakeFlat<std::uint64_t>(); }
  /// The part that follows, whatever is made of it.
  ValueReader TakePart() {
    const std::uint64_t length = TakeNumber();
    FillUp();
    return ValueReader(Take(length), output_);
  }
  void FillUp() {
    const std::size_t filled = FilledUp(at_);
    if (filled > all_.size()) throw std::invalid_argument("the bytes of a call end too soon");
    at_ = filled;
  }

  template <typename T>
  T TakeFlat() {
    // A trivially copyable type may lack a default constructor, so there is no T to copy into.
    alignas(T) std::byte storage[sizeof(T)];
    std::memcpy(storage, Take(sizeof(T)).data(), sizeof(T));
    return *std::launder(reinterpret_cast<const T*>(storage));
  }

  template <typename T>
  T Read() {
    constexpr ValueForm form = FormOf<T>();
    if constexpr (form == ValueForm::kFlat) {
      return TakeFlat<T>();
    } else if constexpr (form == ValueForm::kSequence) {
      FillUp();
      const std::uint64_t count = TakeNumber();
      FillUp();
      T sequence = SequenceFrom<T>(TakeElements<T>(count));
      FillUp();
      return sequence;
    } else if constexpr (form == ValueForm::kShared) {
      const std::uint64_t region = TakeNumber();
      const std::uint64_t offset = TakeNumber();
      const std::uint64_t bytes = TakeNumber();
      if (region == 0 || output_ == nullptr) return T();
      return T(SharedBytes(output_->Shared(static_cast<std::uint32_t>(region)), offset, bytes));
    } else {
      return CodedFrom<T>(Take(TakeNumber()));
    }
  }

  template <typename T>
  static T CodedFrom(std::span<const std::byte> bytes) {
    if constexpr (requires { ReadCoded(CodedType<T>{}, bytes); }) {
      return ReadCoded(CodedType<T>{}, bytes);
    } else {
      static_assert(sizeof(T) == 0,
                    "this type is not trivially copyable: include <procpool/cereal.h> and give it "
                    "a serialize() function");
    }
  }

  /// A view or a container of the elements that the bytes are.
  template <typename T>
  static T SequenceFrom(std::span<const std::byte> bytes) {
    using Element = typename SequenceOf<T>::Element;
    const auto* elements = reinterpret_cast<const Element*>(bytes.data());
    const std::size_t count = bytes.size() / sizeof(Element);
    if constexpr (std::is_same_v<T, std::vector<Element>>) {
      return count == 0 ? T() : T(elements, elements + count);
    } else {
      return T(elements, count);
    }
  }

 private:
  template <typename T>
  std::span<const std::byte> TakeElements(std::uint64_t count) {
    constexpr std::size_t size = sizeof(typename SequenceOf<T>::Element);
    if (count > (all_.size() - at_) / size) {
      throw std::invalid_argument("the bytes of a call end too soon");
    }
    return Take(count * size);
  }

  std::span<const std::byte> all_;
  std::size_t at_ = 0;
  TaskOutput* output_;
};

}  // namespace procpool::detail
