// Over shared memory a task can write where it should not: that is found in the end.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/checksum.h"
#include "common/log.h"
#include "master/worker_pool.h"
#include "tests/bytes_job.h"
#include "tests/temporary_folder.h"

namespace procpool {
namespace {

// A job whose results lie in one shared buffer, each checked again at the end.
class NeighbourJob final : public BytesJob {
 public:
  // Creates the file `go` once item `victim` is complete.
  NeighbourJob(WorkerPool& pool, const std::vector<std::string>& inputs, std::uint64_t victim,
               std::string go)
      : BytesJob("overwrite-neighbour", inputs),
        victim_(victim),
        go_(std::move(go)),
        buffer_(pool.Allocate(inputs.size() * 4096, "test grid")) {}

  ItemInput Begin(const GivenItem& given) override {
    ItemInput input = BytesJob::Begin(given);
    input.place = Place(given.item);
    input.place_buffer = &buffer_;
    return input;
  }
  std::optional<std::span<std::byte>> PlaceFor(const GivenItem& given, std::uint64_t offset,
                                               std::uint64_t bytes) override {
    if (offset > 4096 || bytes > 4096 - offset) return std::nullopt;
    return Place(given.item).subspan(offset, bytes);
  }
  bool Complete(const GivenItem& given, const ItemResult& result) override {
    hashes_[given.item] = result.hash;
    if (given.item == victim_) std::ofstream(go_).put('\n');
    return result.bytes == 4096;
  }
  std::vector<std::uint64_t> Recheck() override {
    std::vector<std::uint64_t> spoilt;
    for (const auto& [item, hash] : hashes_) {
      if (Hash(Place(item)) != hash) spoilt.push_back(item);
    }
    return spoilt;
  }
  std::span<std::byte> Place(std::uint64_t item) {
    return buffer_.bytes().subspan(item * 4096, 4096);
  }

 private:
  std::uint64_t victim_;
  std::string go_;
  Buffer buffer_;
  std::map<std::uint64_t, std::uint64_t> hashes_;
};

TEST(SharedGridTest, ATaskThatWritesOverItsNeighbourIsFoundOut) {
  const TemporaryFolder folder;
  const std::string marker = folder.In("neighbour");
  StartLog("test", "off");
  WorkerPool pool({.procs = 1, .worker_program = MISBEHAVING_WORKER, .log_level = "off"});
  const std::string go = marker + ".go";
  // Item 2 writes over item 1. Done before the master has taken item 1 in, that would be a wrong
  // result on arrival and the end of the worker, which is another test; so item 2 waits for it.
  NeighbourJob job(pool, {"", "", marker, ""}, 1, go);
  const JobReport report = pool.Run(job, {});
  EXPECT_EQ(report.status, JobReport::Status::kDone) << report.error;
  ASSERT_FALSE(report.warnings.empty());
  EXPECT_NE(report.warnings[0].find("item 1"), std::string::npos) << report.warnings[0];
  for (std::uint64_t item = 0; item < 4; ++item) {
    EXPECT_TRUE(std::ranges::all_of(job.Place(item), [](std::byte b) {
      return b == std::byte{0x11};
    })) << item;
  }
}

}  // namespace
}  // namespace procpool
