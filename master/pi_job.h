// The job of `master pi`: points spread over items as evenly as can be, hits added up.
#pragma once

#include <cstdint>
#include <vector>

#include "common/pi_payload.h"
#include "master/job.h"

namespace procpool {

class PiJob final : public Job {
 public:
  /// 1 <= items <= points.
  PiJob(std::uint64_t seed, std::uint64_t points, std::size_t items);

  std::string_view task() const override { return kPiTask; }
  std::span<const std::byte> context() const override { return {}; }
  std::size_t items() const override { return items_.size(); }

  ItemInput Begin(const GivenItem& given) override;
  std::optional<std::span<std::byte>> PlaceFor(const GivenItem& given, std::uint64_t offset,
                                               std::uint64_t bytes) override;
  bool Complete(const GivenItem& given, const ItemResult& result) override;
  void Return(const GivenItem& /*given*/) override {}
  void GiveUp(const GivenUpItem& /*given_up*/) override {}

  /// Once every item is done.
  std::uint64_t inside() const { return inside_; }

 private:
  std::vector<PiItem> items_;
  std::uint64_t answer_ = 0;
  std::uint64_t inside_ = 0;
};

}  // namespace procpool
