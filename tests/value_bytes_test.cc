// Values as bytes and back, wherever they begin; and what is cut short is refused.
#include <procpool/detail/value_bytes.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <procpool/detail/type_text.h>
#include <procpool/shared_array.h>
#include "common/shared_memory.h"
#include "tests/own_types.h"

namespace procpool::detail {
namespace {

using Bytes = std::vector<std::byte>;

// Gives the memory that it was told of.
class SharingOutput final : public TaskOutput {
 public:
  std::span<std::byte> Reserve(std::size_t) override { return {}; }
  void Commit(std::size_t) override {}
  void FailStep(std::uint64_t) override {}
  std::shared_ptr<SharedMemory> Shared(std::uint32_t id) override {
    const auto found = memory.find(id);
    if (found == memory.end()) throw std::invalid_argument("no such memory");
    return found->second;
  }
  std::map<std::uint32_t, std::shared_ptr<SharedMemory>> memory{};
};

template <typename T>
void ExpectSame(const T& read, const T& written) {
  if constexpr (kIsSharedArray<T>) {
    EXPECT_EQ(read.data(), written.data());
    EXPECT_EQ(read.size(), written.size());
  } else if constexpr (requires { written == read; }) {
    EXPECT_TRUE(read == written);
  } else {
    EXPECT_TRUE(std::ranges::equal(read, written));  // a view
  }
}

// The bytes in a place of exactly their size, so that a sanitizer sees who looks beyond.
Bytes Exactly(const Bytes& bytes, std::size_t size) {
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)};
}

// Writes the value behind `before` other bytes, in both ways that there are, and reads it back.
template <typename T>
void RoundTripBehind(const T& value, std::size_t before, TaskOutput* output) {
  const Bytes prefix(before, std::byte{0x5A});
  Bytes bytes;
  ValueWriter::Shared shared;
  ValueWriter writer(bytes, shared);
  writer.Append(prefix.data(), prefix.size());
  writer.Write(value);
  if constexpr (kHasKnownSize<T>) {
    ASSERT_EQ(bytes.size(), EndOf(value, before)) << "it is said to end elsewhere";
    Bytes place(bytes.size(), std::byte{0xFF});
    ValueWriter placed(std::span<std::byte>(place), shared);
    placed.Append(prefix.data(), prefix.size());
    placed.Write(value);
    ASSERT_TRUE(place == bytes) << "the two ways of writing differ";
  }
  const Bytes exact = Exactly(bytes, bytes.size());
  ValueReader reader(exact, output);
  static_cast<void>(reader.Take(before));
  ExpectSame(reader.template Read<T>(), value);
  EXPECT_TRUE(reader.AtEnd());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const Bytes cut = Exactly(bytes, length);
    ValueReader too_short(cut, output);
    EXPECT_THROW(
        {
          static_cast<void>(too_short.Take(before));
          static_cast<void>(too_short.template Read<T>());
        },
        std::invalid_argument)
        << length << " of " << bytes.size() << " bytes";
  }
}

template <typename T>
void RoundTrip(const T& value, TaskOutput* output = nullptr) {
  for (std::size_t before = 0; before <= 33; ++before) {
    SCOPED_TRACE(std::string(TypeText<T>()) + " behind " + std::to_string(before) + " bytes");
    ASSERT_NO_FATAL_FAILURE(RoundTripBehind(value, before, output));
  }
}

TEST(ValueBytes, FlatValuesComeBack) {
  RoundTrip(0);
  RoundTrip(-7);
  RoundTrip(1.5);
  RoundTrip('c');
  RoundTrip(true);
  RoundTrip(std::numeric_limits<std::uint64_t>::max());
  RoundTrip(own::Point{1, 2});
  RoundTrip(own::Color::kBlue);
  RoundTrip(std::array<int, 3>{1, 2, 3});
  RoundTrip(own::Wide{3, 4});
  RoundTrip(own::Line{5});
  RoundTrip(own::Count(6));
}

TEST(ValueBytes, SequencesComeBack) {
  RoundTrip(std::vector<int>{1, 2, 3, 4, 5});
  RoundTrip(std::vector<char>(17, 'x'));
  RoundTrip(std::vector<own::Point>{{1, 2}, {3, 4}});
  RoundTrip(std::vector<own::Color>{own::Color::kRed});
  RoundTrip(std::vector<own::Count>(3, own::Count(2)));
  RoundTrip(std::string("abc"));
  RoundTrip(std::string(16, 'y'));
  RoundTrip(std::string("with a \0 inside", 15));
  RoundTrip(std::string_view("a view"));
  const std::vector<double> numbers{1, 2, 3};
  RoundTrip(std::span<const double>(numbers));
  const std::array<bool, 3> flags{true, false, true};
  RoundTrip(std::span<const bool>(flags));
}

TEST(ValueBytes, EmptySequencesComeBack) {
  RoundTrip(std::vector<int>());
  RoundTrip(std::vector<own::Wide>());
  RoundTrip(std::string());
  RoundTrip(std::string_view());
  RoundTrip(std::span<const double>());
}

TEST(ValueBytes, CodedValuesComeBack) {
  RoundTrip(own::Name{"Ada"});
  RoundTrip(own::Name{});
  RoundTrip(own::Name{std::string(100, 'z')});
}

TEST(ValueBytes, SharedArraysAreTheSameMemory) {
  SharingOutput output;
  const SharedArray<int> array(100);
  output.memory[array.shared_bytes().id()] = array.shared_bytes().memory();
  RoundTrip(array, &output);
  RoundTrip(array.part(10, 20), &output);
  RoundTrip(array.part(100, 0), &output);
  RoundTrip(SharedArray<int>(), &output);
}

TEST(ValueBytes, TheMemoryThatIsReferredToIsNoted) {
  const SharedArray<int> array(4);
  Bytes bytes;
  ValueWriter::Shared shared;
  ValueWriter writer(bytes, shared);
  writer.Write(7);
  writer.Write(std::string("text"));
  writer.Write(SharedArray<int>());
  EXPECT_TRUE(shared.empty());
  writer.Write(array);
  ASSERT_EQ(shared.size(), 1U);
  EXPECT_EQ(shared[0], array.shared_bytes().memory());
}

TEST(ValueBytes, AStretchOutsideTheMemoryIsRefused) {
  SharingOutput output;
  const SharedArray<char> array(4096);
  const std::uint32_t id = array.shared_bytes().id();
  output.memory[id] = array.shared_bytes().memory();
  const std::uint64_t size = array.shared_bytes().memory()->buffer.bytes().size();
  using Numbers = std::array<std::uint64_t, 3>;
  for (const Numbers& numbers :
       {Numbers{id, 0, size + 1}, Numbers{id, size + 1, 0},
        Numbers{id, 1, std::numeric_limits<std::uint64_t>::max()}, Numbers{id + 1, 0, 1}}) {
    ValueReader reader(std::as_bytes(std::span(numbers)), &output);
    EXPECT_THROW(static_cast<void>(reader.Read<SharedArray<char>>()), std::invalid_argument)
        << numbers[1] << "+" << numbers[2];
  }
}

TEST(ValueBytes, ElementsAreAlignedWhereverTheyBegin) {
  for (std::size_t before = 0; before <= 33; ++before) {
    const std::vector<own::Wide> elements{{1, 2}, {3, 4}, {5, 6}};
    const Bytes prefix(before);
    Bytes bytes;
    ValueWriter::Shared shared;
    ValueWriter writer(bytes, shared);
    writer.Append(prefix.data(), before);
    writer.Write(std::span<const own::Wide>(elements));
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % kMostAlignment, 0U);
    ValueReader reader(bytes);
    static_cast<void>(reader.Take(before));
    const auto view = reader.Read<std::span<const own::Wide>>();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(view.data()) % alignof(own::Wide), 0U);
    EXPECT_TRUE(std::ranges::equal(view, elements));
  }
}

TEST(ValueBytes, SeveralValuesStandOneBehindTheOther) {
  Bytes bytes;
  ValueWriter::Shared shared;
  ValueWriter writer(bytes, shared);
  writer.Write('c');
  writer.Write(std::string("ab"));
  writer.Write(1.25);
  writer.Write(std::vector<int>());
  writer.Write(own::Name{"Bo"});
  writer.Write(std::vector<int>{4, 5});
  writer.Write(true);
  ValueReader reader(bytes);
  EXPECT_EQ(reader.Read<char>(), 'c');
  EXPECT_EQ(reader.Read<std::string>(), "ab");
  EXPECT_EQ(reader.Read<double>(), 1.25);
  EXPECT_EQ(reader.Read<std::vector<int>>(), std::vector<int>());
  EXPECT_EQ(reader.Read<own::Name>(), own::Name{"Bo"});
  EXPECT_EQ(reader.Read<std::vector<int>>(), (std::vector{4, 5}));
  EXPECT_EQ(reader.Read<bool>(), true);
  EXPECT_TRUE(reader.AtEnd());
}

TEST(ValueBytes, ViewsLookIntoTheBytesAndContainersDoNot) {
  Bytes bytes;
  ValueWriter::Shared shared;
  ValueWriter(bytes, shared).Write(std::string("abc"));
  const auto inside = [&](const char* place) {
    const auto* at = reinterpret_cast<const std::byte*>(place);
    return at >= bytes.data() && at < bytes.data() + bytes.size();
  };
  EXPECT_TRUE(inside(ValueReader(bytes).Read<std::string_view>().data()));
  const auto text = ValueReader(bytes).Read<std::string>();
  EXPECT_FALSE(inside(text.data()));
}

TEST(ValueBytes, ALengthThatCannotBeIsRefused) {
  constexpr auto kHuge = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint64_t count : {kHuge, kHuge / 8, kHuge / 4 + 1, std::uint64_t{5}}) {
    Bytes bytes(32);
    std::memcpy(bytes.data(), &count, sizeof count);
    EXPECT_THROW(static_cast<void>(ValueReader(bytes).Read<std::vector<int>>()),
                 std::invalid_argument)
        << count;
    EXPECT_THROW(static_cast<void>(ValueReader(bytes).Read<std::span<const double>>()),
                 std::invalid_argument)
        << count;
  }
  Bytes bytes(16);
  std::memcpy(bytes.data(), &kHuge, sizeof kHuge);
  EXPECT_THROW(static_cast<void>(ValueReader(bytes).Read<own::Name>()), std::invalid_argument);
  ValueReader reader(bytes);
  EXPECT_THROW(static_cast<void>(reader.Take(17)), std::invalid_argument);
  static_cast<void>(reader.Take(1));
  EXPECT_THROW(static_cast<void>(reader.Take(kHuge)), std::invalid_argument);
  EXPECT_EQ(reader.Take(15).size(), 15U) << "what was refused took nothing";
}

}  // namespace
}  // namespace procpool::detail
