// cereal's binary archive: 8 bytes of length, then the array as it lies in memory, which is what
// cereal writes for a std::vector of numbers. The archive works over a stream buffer that is the
// caller's memory itself, so an array is one copy and no virtual call per number.
#include <cereal/archives/binary.hpp>
#include <exception>
#include <istream>
#include <ostream>
#include <streambuf>
#include <vector>

#include "common/codec.h"
#include "common/rows_payload.h"

namespace procpool {
namespace {

// Memory as a stream buffer. It neither grows nor refills: at its end the archive throws.
class MemoryBuffer final : public std::streambuf {
 public:
  explicit MemoryBuffer(std::span<std::byte> out) {
    char* begin = reinterpret_cast<char*>(out.data());
    setp(begin, begin + out.size());
  }
  explicit MemoryBuffer(std::span<const std::byte> in) {
    // Reading never writes to a get area.
    char* begin = const_cast<char*>(reinterpret_cast<const char*>(in.data()));
    setg(begin, begin, begin + in.size());
  }
  std::size_t written() const { return static_cast<std::size_t>(pptr() - pbase()); }
  std::size_t left() const { return static_cast<std::size_t>(egptr() - gptr()); }
};

class Writer {
 public:
  explicit Writer(std::span<std::byte> out) : buffer_(out), stream_(&buffer_), archive_(stream_) {}
  template <typename... Numbers>
  void Scalars(Numbers... numbers) {
    archive_(numbers...);
  }
  template <typename Number>
  void Array(std::span<const Number> numbers) {
    archive_(cereal::make_size_tag(static_cast<cereal::size_type>(numbers.size())));
    archive_(cereal::binary_data(numbers.data(), numbers.size_bytes()));
  }
  std::size_t written() const { return buffer_.written(); }

 private:
  MemoryBuffer buffer_;
  std::ostream stream_;
  cereal::BinaryOutputArchive archive_;
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> in)
      : buffer_(in), stream_(&buffer_), archive_(stream_) {}
  template <typename... Numbers>
  void Scalars(Numbers&... numbers) {
    archive_(numbers...);
  }
  // The length that the next array claims; as many numbers are surely there.
  template <typename Number>
  DecodeFault Length(std::size_t most, std::size_t& length) {
    cereal::size_type claimed = 0;
    archive_(cereal::make_size_tag(claimed));
    if (claimed > most) return WrongNumberText(claimed, most);
    if (claimed > buffer_.left() / sizeof(Number)) return "it ends inside an array";
    length = claimed;
    return std::nullopt;
  }
  template <typename Number>
  void Numbers(std::span<Number> numbers) {
    archive_(cereal::binary_data(numbers.data(), numbers.size_bytes()));
  }
  DecodeFault End() const {
    if (buffer_.left() != 0) return "there are bytes behind its end";
    return std::nullopt;
  }

 private:
  MemoryBuffer buffer_;
  std::istream stream_;
  cereal::BinaryInputArchive archive_;
};

class CerealCodec final : public Codec {
 public:
  std::string_view name() const override { return "cereal"; }

  std::size_t EncodeRows(const RowsItem& item, std::span<std::byte> out) override {
    return Encode(out, [&](Writer& writer) { writer.Scalars(item.first_row, item.rows); });
  }
  std::size_t EncodeCoords(std::span<const double> z, std::span<const double> c,
                           std::span<std::byte> out) override {
    return Encode(out, [&](Writer& writer) {
      writer.Array(z);
      writer.Array(c);
    });
  }
  std::size_t EncodeCounts(std::span<const std::int32_t> counts,
                           std::span<std::byte> out) override {
    return Encode(out, [&](Writer& writer) { writer.Array(counts); });
  }

  DecodeFault DecodeRows(std::span<const std::byte> bytes, RowsItem& item) override {
    return Decode(bytes, [&](Reader& reader) -> DecodeFault {
      reader.Scalars(item.first_row, item.rows);
      return std::nullopt;
    });
  }
  DecodeFault DecodeCoords(std::span<const std::byte> bytes, std::size_t most_points,
                           CoordsView& coords) override {
    const auto array = [&](Reader& reader, std::vector<double>& numbers) {
      std::size_t length = 0;
      if (auto fault = reader.Length<double>(2 * most_points, length)) return fault;
      numbers.resize(length);
      reader.Numbers(std::span(numbers));
      return DecodeFault();
    };
    return Decode(bytes, [&](Reader& reader) -> DecodeFault {
      if (auto fault = array(reader, z_)) return fault;
      if (auto fault = array(reader, c_)) return fault;
      coords = {z_, c_};
      return CoordsFault(coords);
    });
  }
  DecodeFault DecodeCounts(std::span<const std::byte> bytes,
                           std::span<std::int32_t> counts) override {
    return Decode(bytes, [&](Reader& reader) -> DecodeFault {
      std::size_t length = 0;
      if (auto fault = reader.Length<std::int32_t>(counts.size(), length)) return fault;
      if (length != counts.size()) return WrongNumberText(length, counts.size());
      reader.Numbers(counts);
      return std::nullopt;
    });
  }

 protected:
  std::size_t MostDoubleBytes() const override { return sizeof(double); }
  std::size_t MostCountBytes() const override { return sizeof(std::int32_t); }

 private:
  template <typename Write>
  std::size_t Encode(std::span<std::byte> out, const Write& write) const {
    try {
      Writer writer(out);
      write(writer);
      return writer.written();
    } catch (const cereal::Exception& exception) {
      Refuse(exception.what(), "");
    }
  }
  template <typename Read>
  static DecodeFault Decode(std::span<const std::byte> bytes, const Read& read) {
    try {
      Reader reader(bytes);
      if (auto fault = read(reader)) return fault;
      return reader.End();
    } catch (const cereal::Exception&) {
      return "it ends too early";
    }
  }

  std::vector<double> z_, c_;
};

}  // namespace

std::unique_ptr<Codec> MakeCerealCodec() {
  return std::make_unique<CerealCodec>();
}

}  // namespace procpool
