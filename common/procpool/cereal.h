// Lets tasks take and return types that are not trivially copyable: whatever cereal can serialise.
// Include it, and cereal's headers for the standard containers that are used, wherever such a task
// is declared, defined or called:
//
//   #include <cereal/types/map.hpp>
//   #include <procpool/cereal.h>
//
//   const procpool::Task count_words{"count_words", [](const std::string& path) {
//     std::map<std::string, int> counts; …; return counts; }};
//
// A type of one's own has a serialize() function, as cereal's documentation says.
#pragma once

#include <cstddef>
#include <istream>
#include <ostream>
#include <span>
#include <streambuf>
#include <vector>

#include <cereal/archives/binary.hpp>

#include <procpool/detail/value_bytes.h>

namespace procpool::detail {

// Straight into the bytes, without a string stream's copies.
class AppendingBuffer final : public std::streambuf {
 public:
  explicit AppendingBuffer(std::vector<std::byte>& bytes) : bytes_(bytes) {}

 private:
  int_type overflow(int_type character) override {
    if (!traits_type::eq_int_type(character, traits_type::eof())) {
      bytes_.push_back(static_cast<std::byte>(character));
    }
    return traits_type::not_eof(character);
  }
  std::streamsize xsputn(const char* data, std::streamsize count) override {
    const auto* begin = reinterpret_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), begin, begin + count);
    return count;
  }

  std::vector<std::byte>& bytes_;
};

class ReadingBuffer final : public std::streambuf {
 public:
  explicit ReadingBuffer(std::span<const std::byte> bytes) {
    // A streambuf wants them writable, and does not write.
    auto* begin = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));  // NOLINT
    setg(begin, begin, begin + bytes.size());
  }
};

template <typename T>
void AppendCoded(CodedType<T>, std::vector<std::byte>& bytes, const T& value) {
  AppendingBuffer buffer(bytes);
  std::ostream stream(&buffer);
  cereal::BinaryOutputArchive archive(stream);
  archive(value);
}

template <typename T>
T ReadCoded(CodedType<T>, std::span<const std::byte> bytes) {
  ReadingBuffer buffer(bytes);
  std::istream stream(&buffer);
  cereal::BinaryInputArchive archive(stream);
  T value{};
  archive(value);
  return value;
}

}  // namespace procpool::detail
