// A batch and the job of its calls, for tests: what workers would say is said by the test.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "master/map_job.h"
#include "tests/fake_batch.h"

namespace procpool {

struct Mapped {
  explicit Mapped(std::uint64_t calls, std::uint64_t chunk, const MapJobOptions& options = {},
                  FakeBatch::Results results = FakeBatch::Results::kInPlace)
      : batch(std::make_shared<FakeBatch>(calls, chunk, results)), job(batch, options) {}

  /// Which calls the item is.
  FakeBatch::Stretch Give(std::uint64_t item) {
    tasks = job.Begin({item, 0}).tasks;
    return batch->last_input;
  }
  bool Complete(std::uint64_t item, std::uint64_t calls) {
    return job.Complete({item, 0}, {.bytes = calls * FakeBatch::kResultBytes});
  }
  bool StepThrew(std::uint64_t item, std::uint64_t step) {
    return job.StepThrew({item, 0}, step, "std::range_error", "words", 17);
  }
  void GiveUp(std::uint64_t item, std::optional<std::uint64_t> step,
              GivenUpItem::Cause cause = GivenUpItem::Cause::kDied) {
    job.GiveUp({.item = item,
                .cause = cause,
                .how = "killed by signal 11 (SIGSEGV)",
                .exit = {ProcessExit::Kind::kSignalled, 11},
                .pid = 17,
                .step = step});
  }

  std::shared_ptr<FakeBatch> batch;
  MapJob job;
  std::uint64_t tasks = 0;
};

}  // namespace procpool
