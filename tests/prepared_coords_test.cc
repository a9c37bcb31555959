// Coordinates that lie ready are those that the job would compute, and the job gives out the same
// bytes wherever they come from.
#include "master/prepared_coords.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "common/kernel.h"
#include "common/rows_payload.h"
#include "common/workload.h"
#include "master/rows_job.h"

namespace procpool {
namespace {

constexpr std::uint32_t kWidth = 37;
constexpr std::uint32_t kHeight = 23;
constexpr std::size_t kPoints = std::size_t{kWidth} * kHeight;

class PreparedCoords : public ::testing::TestWithParam<std::string> {
 protected:
  PreparedCoords()
      : workload_(LoadWorkload(GetParam(), {.width = kWidth, .height = kHeight})),
        plan_(MakePlan(fractal().Height(), 5, 2, Schedule::kGuided)),
        grid_(Buffer::Private(kPoints * sizeof(std::int32_t))),
        prepared_(PrepareCoords(fractal(), plan_, Buffer::Private)) {}

  const Fractal& fractal() const { return workload_.fractal; }
  RowsJob MakeJob(const Buffer* prepared, bool copy) const {
    return {fractal(),
            plan_,
            grid_,
            {.payload = RowsPayload::kCoords,
             .prepared = prepared,
             .copy_prepared = copy,
             .allocate = Buffer::Private}};
  }

  Workload workload_;
  Plan plan_;
  Buffer grid_;
  Buffer prepared_;
};

INSTANTIATE_TEST_SUITE_P(Workloads, PreparedCoords,
                         ::testing::Values("julia-book", "julia-lesson", "mandelbrot-workshop"),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST_P(PreparedCoords, AreThoseThatAreComputed) {
  const AxisPoints rows(fractal().RowAxis());
  const AxisPoints columns(fractal().ColumnAxis());
  std::size_t bytes = 0;
  for (const Chunk& chunk : plan_.chunks) {
    const std::size_t points = chunk.rows * fractal().Width();
    std::vector<double> expected(4 * points);
    FillCoords(fractal(), rows, columns, chunk.first_row * fractal().Width(), points,
               expected.data(), expected.data() + 2 * points);
    const auto found = PreparedBytes(prepared_, fractal(), chunk);
    EXPECT_TRUE(std::ranges::equal(found, std::as_bytes(std::span(expected)))) << chunk.id;
    bytes += found.size();
  }
  EXPECT_EQ(bytes, kPoints * kCoordsBytesPerPoint);
}

TEST_P(PreparedCoords, AJobGivesOutTheSameBytesWhereverTheyLie) {
  RowsJob computed = MakeJob(nullptr, false);
  RowsJob in_place = MakeJob(&prepared_, false);
  RowsJob copied = MakeJob(&prepared_, true);
  for (const Chunk& chunk : plan_.chunks) {
    const GivenItem given{chunk.id, 0};
    const ItemInput expected = computed.Begin(given);
    const ItemInput place = in_place.Begin(given);
    const ItemInput copy = copied.Begin(given);
    EXPECT_TRUE(std::ranges::equal(expected.input, place.input));
    EXPECT_TRUE(std::ranges::equal(expected.input, copy.input));
    EXPECT_EQ(place.input.data(), PreparedBytes(prepared_, fractal(), chunk).data());
    EXPECT_EQ(place.input_buffer, &prepared_);
    EXPECT_NE(copy.input.data(), place.input.data());
    EXPECT_NE(copy.input_buffer, &prepared_);
  }
  EXPECT_GT(copied.splitting(), 0);
  EXPECT_EQ(in_place.splitting(), 0) << "nothing is written";
}

TEST_P(PreparedCoords, MemoryOfPayloadsIsHandedOn) {
  RowsJob copied = MakeJob(&prepared_, true);
  static_cast<void>(copied.Begin({0, 0}));
  static_cast<void>(copied.Begin({1, 0}));
  copied.Return({0, 0});
  copied.Return({1, 0});
  static_cast<void>(copied.Begin({0, 1}));
  EXPECT_EQ(copied.TakeBuffers().size(), 1U) << "one is in use again";
  RowsJob in_place = MakeJob(&prepared_, false);
  static_cast<void>(in_place.Begin({0, 0}));
  in_place.Return({0, 0});
  EXPECT_TRUE(in_place.TakeBuffers().empty());
}

}  // namespace
}  // namespace procpool
