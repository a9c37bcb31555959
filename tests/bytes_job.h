// A job for tests: strings in, strings out. It keeps what came back and how often the pool asked
// for what.
#pragma once

#include <cstring>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "master/job.h"

namespace procpool {

class BytesJob : public Job {
 public:
  BytesJob(std::string task, std::vector<std::string> inputs, std::vector<unsigned> owners = {})
      : outputs(inputs.size()),
        task_(std::move(task)),
        inputs_(std::move(inputs)),
        owners_(std::move(owners)) {}

  std::string_view task() const override { return task_; }
  std::span<const std::byte> context() const override { return {}; }
  std::size_t items() const override { return inputs_.size(); }
  std::span<const unsigned> owners() const override { return owners_; }
  bool timed() const override { return wants_times; }

  ItemInput Begin(const GivenItem& given) override {
    outputs[given.item].clear();
    ++begun[given.item];
    ItemInput input;
    input.input = std::as_bytes(std::span(inputs_[given.item]));
    return input;
  }

  std::optional<std::span<std::byte>> PlaceFor(const GivenItem& given, std::uint64_t offset,
                                               std::uint64_t bytes) override {
    std::string& output = outputs[given.item];
    if (offset != output.size()) return std::nullopt;
    output.resize(offset + bytes);
    return std::as_writable_bytes(std::span(output)).subspan(offset);
  }

  bool Complete(const GivenItem& given, const ItemResult& result) override {
    ++completed[given.item];
    return result.bytes == outputs[given.item].size();
  }

  void Return(const GivenItem& given) override { ++returned[given.item]; }
  void GiveUp(const GivenUpItem& end) override { given_up[end.item] = end.reason; }

  bool wants_times = false;
  std::vector<std::string> outputs;
  std::map<std::uint64_t, int> begun, completed, returned;
  std::map<std::uint64_t, std::string> given_up;

 private:
  std::string task_;
  std::vector<std::string> inputs_;
  std::vector<unsigned> owners_;
};

}  // namespace procpool
