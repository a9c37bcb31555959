// Memory that a hostile worker writes while the master looks at it: the ring's counters and bytes,
// the page that says what it works on and what was taken back, and locators that name a stretch of
// a region.
//
// What must hold whatever stands there: the near end moves no byte outside of its ring, never more
// than was asked, and from where it had left off; a locator is resolved to the stretch that it
// names or not at all; what the master took back is not begun by an honest worker.
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <vector>

#include "common/ring.h"
#include "common/work_mark.h"
#include "tests/fuzz/fuzz_input.h"

namespace procpool {
namespace {

// ---- the ring

class HostileRing {
 public:
  explicit HostileRing(FuzzInput& input)
      : capacity_(1 + input.Pick(64)),
        bytes_(std::make_unique<std::byte[]>(capacity_)),
        producer_(&counters_, {bytes_.get(), capacity_}),
        consumer_(&counters_, {bytes_.get(), capacity_}) {}

  void Act(FuzzInput& input) {
    switch (input.Pick(6)) {
      case 0:
        return counters_.head.store(Counter(input));
      case 1:
        return counters_.tail.store(Counter(input));
      case 2: {  // the bytes themselves
        const auto bytes = input.Bytes(capacity_);
        return bytes.empty() ? void() : void(std::memcpy(bytes_.get(), bytes.data(), bytes.size()));
      }
      case 3:
        return Write(input);
      default:
        return Read(input);
    }
  }

 private:
  // Near where this side is, or anywhere.
  std::uint64_t Counter(FuzzInput& input) const {
    const std::uint64_t base = input.Flip() ? read_ : written_;
    return input.Flip() ? base + input.Number() : base - input.Number();
  }

  void Write(FuzzInput& input) {
    const std::size_t asked = input.Pick(100);
    const auto given = std::make_unique<std::byte[]>(asked);
    std::memset(given.get(), input.Byte(), asked);
    const std::size_t cut = asked == 0 ? 0 : input.Pick(asked + 1);
    const iovec pieces[] = {{given.get(), cut}, {given.get() + cut, asked - cut}};
    std::vector<std::byte> model(bytes_.get(), bytes_.get() + capacity_);
    const std::ptrdiff_t moved = producer_.Write(pieces);
    if (moved > 0) {
      Require(static_cast<std::size_t>(moved) <= std::min(asked, capacity_), "more than was given");
      for (std::size_t i = 0; i < static_cast<std::size_t>(moved); ++i) {
        model[(written_ + i) % capacity_] = given[i];
      }
      written_ += static_cast<std::uint64_t>(moved);
    }
    Require(moved >= kRingCorrupt, "a result that there is not");
    Require(std::memcmp(model.data(), bytes_.get(), capacity_) == 0, "bytes in another place");
    producer_.HasRoom();
  }

  void Read(FuzzInput& input) {
    const std::size_t asked = input.Pick(100);
    const auto taken = std::make_unique<std::byte[]>(asked);
    const std::size_t cut = asked == 0 ? 0 : input.Pick(asked + 1);
    const iovec pieces[] = {{taken.get(), cut}, {taken.get() + cut, asked - cut}};
    const std::uint64_t present = counters_.head.load() - read_;
    const std::ptrdiff_t moved = consumer_.Read(pieces);
    if (present > capacity_) return Require(moved == kRingCorrupt, "impossible counters go unseen");
    Require(moved == static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(asked, present)),
            "more or less than is there");
    for (std::size_t i = 0; i < static_cast<std::size_t>(moved); ++i) {
      Require(taken[i] == bytes_[(read_ + i) % capacity_], "bytes from another place");
    }
    read_ += static_cast<std::uint64_t>(moved);
    consumer_.HasBytes();
  }

  RingCounters counters_;
  std::size_t capacity_;
  std::unique_ptr<std::byte[]> bytes_;  // NOLINT: an array of exactly this size
  RingProducer producer_;
  RingConsumer consumer_;
  std::uint64_t written_ = 0;
  std::uint64_t read_ = 0;
};

// ---- locators

void ResolveLocators(FuzzInput& input) {
  static const RegionTable table = [] {
    RegionTable made;
    made.Add(1, std::make_shared<SharedRegion>(SharedRegion::Create(1)));
    made.Add(2, std::make_shared<SharedRegion>(SharedRegion::Create(10'000)));
    return made;
  }();
  const Locator locator{static_cast<std::uint32_t>(input.Pick(4)), 0, input.Number(),
                        input.Number()};
  const auto found = table.Resolve(locator);
  const auto region = table.Find(locator.region);
  if (region == nullptr) return Require(!found, "a stretch of a region that there is not");
  // With more bits than a locator has.
  const auto end = static_cast<unsigned __int128>(locator.offset) + locator.bytes;
  Require(found.has_value() == (end <= region->bytes().size()), "a stretch beyond its region");
  if (!found) return;
  Require(
      found->size() == locator.bytes && found->data() == region->bytes().data() + locator.offset,
      "another stretch than the one named");
  if (found->empty()) return;
  const auto back = table.Locate(*found);
  Require(back && back->region == locator.region && back->offset == locator.offset,
          "a stretch that is not found where it was");
}

// ---- the mark and what was taken back

/// The page as the worker has it: bytes to scribble over.
struct HostileMark {
  HostileMark() : master(WorkMark::Create()) {
    struct stat status {};
    Require(::fstat(master.fd(), &status) == 0, "the page has no size");
    worker = std::make_unique<SharedRegion>(
        SharedRegion::Open(UniqueFd(::dup(master.fd())), static_cast<std::size_t>(status.st_size)));
  }

  WorkMark master;
  std::unique_ptr<SharedRegion> worker;
};

void ReadMark(FuzzInput& input) {
  static HostileMark mark;
  const std::span<std::byte> page = mark.worker->bytes();
  std::memset(page.data(), 0, page.size());
  for (int i = 0; i < 4; ++i) {
    const std::size_t at = input.Word() % page.size();
    const auto bytes = input.Bytes(std::min<std::size_t>(input.Byte(), page.size() - at));
    if (!bytes.empty()) std::memcpy(page.data() + at, bytes.data(), bytes.size());
    const auto begun = mark.master.Read();
    Require(!begun || begun->job != 0, "a mark that names no job");
    const std::uint64_t number = 1 + input.Number() % 1000;
    Revocations& revocations = mark.master.revocations();
    // Whatever stood there: an honest worker from here on does not begin what was taken back, and
    // begins what was not.
    const bool revoked = revocations.Revoke(number);
    if (revoked) Require(!revocations.Begin(number), "what was taken back is begun");
  }
}

void Play(FuzzInput input) {
  const std::size_t what = input.Pick(8);
  if (what == 0) return ReadMark(input);
  if (what == 1) {
    while (!input.AtEnd()) ResolveLocators(input);
    return;
  }
  HostileRing ring(input);
  while (!input.AtEnd()) ring.Act(input);
}

}  // namespace
}  // namespace procpool

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  procpool::Play(procpool::FuzzInput(data, size));
  return 0;
}
