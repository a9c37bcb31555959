// Which rows a comparison has.
#include <algorithm>
#include <tuple>

#include <procpool/error.h>
#include "master/lab/compare.h"

namespace procpool {
namespace {

constexpr std::size_t kMostVariants = 100;

// What makes two variants the same measurement.
auto Identity(const Variant& variant) {
  const RunOptions& o = variant.options;
  return std::tuple(variant.Name(), o.transport, o.procs, o.chunks, o.schedule, o.payload, o.input,
                    o.codec, o.kernel, o.wait, o.times, variant.start);
}

// Settings that mean nothing to a transport get their plainest value.
Variant Canonical(Variant variant) {
  RunOptions& options = variant.options;
  if (variant.peer) {
    // Its coordinates exist before it begins, in its own memory.
    options.transport = variant.peer->name;
    options.schedule = Schedule::kDynamic;
    options.codec = "raw";
    options.wait = WaitMode::kAuto;
    options.times = true;
    options.input = CoordsInput::kArray;
    variant.start = Temperature::kWarm;
  }
  if (options.InProcess()) {
    options.codec = "raw";
    options.wait = WaitMode::kAuto;
  }
  if (options.transport == "serial") {
    options.procs = 1;
    options.schedule = Schedule::kDynamic;
  }
  if (options.payload == RowsPayload::kRows) options.input = CoordsInput::kComputed;
  return variant;
}

}  // namespace

std::vector<Variant> VariantsOf(const CompareOptions& options,
                                const std::vector<PeerProgram>& peers) {
  std::vector<Variant> variants;
  Variant variant{.options = options.base};
  RunOptions& run = variant.options;
  const auto add = [&] {
    Variant next = Canonical(variant);
    const bool known = std::ranges::any_of(
        variants, [&](const Variant& other) { return Identity(other) == Identity(next); });
    if (!known) variants.push_back(std::move(next));
  };
  const auto each_transport = [&] {
    for (const std::string& transport : options.transports) {
      run.transport = transport;
      for (const std::string& codec : options.codecs) {
        run.codec = codec;
        for (const WaitMode wait : options.waits) {
          run.wait = wait;
          for (const bool times : options.times) {
            run.times = times;
            for (const Temperature start : options.starts) {
              variant.start = start;
              add();
            }
          }
        }
      }
    }
  };
  const auto each_peer = [&] {
    for (const PeerProgram& peer : peers) {
      variant.peer = peer;
      add();
    }
    variant.peer.reset();
  };
  const auto each_payload = [&] {
    for (const RowsPayload payload : options.payloads) {
      run.payload = payload;
      for (const CoordsInput input : options.inputs) {
        run.input = input;
        each_transport();
        each_peer();
      }
    }
  };
  for (const std::string& kernel : options.kernels) {
    run.kernel = kernel;
    for (const unsigned procs : options.procs) {
      run.procs = procs;
      const std::vector<std::uint64_t> by_default{8ULL * procs};
      for (const std::uint64_t chunks : options.chunks.empty() ? by_default : options.chunks) {
        run.chunks = chunks;
        for (const Schedule schedule : options.schedules) {
          run.schedule = schedule;
          each_payload();
        }
      }
    }
  }
  if (variants.size() > kMostVariants) {
    throw Error(Blame::kUser, {"compare", std::to_string(variants.size()) + " combinations",
                               "at most " + std::to_string(kMostVariants) + " make a table",
                               "give shorter lists"});
  }
  return variants;
}

std::size_t BaselineOf(const std::vector<Variant>& variants, std::size_t index) {
  const RunOptions& own = variants[index].options;
  // Threads with as many settings as possible in common, the weightiest first.
  const auto likeness = [&](const Variant& variant) {
    const RunOptions& o = variant.options;
    return std::tuple(o.kernel == own.kernel, o.payload == own.payload, o.procs == own.procs,
                      o.chunks == own.chunks, o.schedule == own.schedule, o.input == own.input,
                      o.times == own.times, variant.start == Temperature::kWarm);
  };
  std::optional<std::size_t> best;
  for (std::size_t other = 0; other < variants.size(); ++other) {
    if (variants[other].peer || variants[other].options.transport != "threads") continue;
    if (!best || likeness(variants[other]) > likeness(variants[*best])) best = other;
  }
  return best.value_or(0);
}

}  // namespace procpool
