// Verify(): against the workload's expected checksum, or row by row against the serial baseline.
#include <algorithm>
#include <vector>

#include "common/kernel.h"
#include "master/attendant.h"
#include "master/run.h"

namespace procpool {
namespace {

struct Difference {
  std::uint64_t row = 0;
  std::uint64_t column = 0;
  std::int32_t got = 0;
  std::int32_t expected = 0;
};

std::string Text(const Checksum& checksum) {
  return "sum " + std::to_string(checksum.sum) + ", digest " + HexDigest(checksum.digest);
}

// Row by row, so that no second grid is needed.
std::optional<Difference> FirstDifference(const RunSetup& setup,
                                          std::span<const std::int32_t> grid) {
  const Fractal& fractal = setup.workload.fractal;
  RowsComputer serial(fractal, setup.kernel);
  const std::size_t width = fractal.Width();
  std::vector<std::int32_t> expected(width);
  for (std::uint64_t row = 0; row < fractal.Height() && !InterruptRequested(); ++row) {
    serial.Compute(row * width, expected);
    const auto got = grid.subspan(row * width, width);
    const auto [at, expected_at] = std::ranges::mismatch(got, expected);
    if (at != got.end())
      return Difference{row, static_cast<std::uint64_t>(at - got.begin()), *at, *expected_at};
  }
  return std::nullopt;
}

void SetVerdict(RunResult& result, bool verified, std::string verdict) {
  result.verified = verified;
  result.verdict = std::move(verdict);
  if (verified) return;
  result.status = RunStatus::kMismatch;
  result.error = result.verdict;
}

void VerifyExpected(const Workload& workload, RunResult& result) {
  const Checksum expected{workload.expected->sum, workload.expected->digest};
  if (result.checksum == expected)
    return SetVerdict(result, true, "verified against the workload's checksum");
  SetVerdict(
      result, false,
      "the checksum does not match: got " + Text(result.checksum) + ", expected " + Text(expected));
}

void VerifySerial(const RunSetup& setup, RunResult& result) {
  const Nanoseconds begun = Now();
  const auto difference = FirstDifference(setup, result.grid.as<std::int32_t>());
  result.phases.verify = Now() - begun;
  if (!difference && InterruptRequested()) {
    result.status = RunStatus::kInterrupted;
    result.error = "interrupted while verifying; all chunks are done";
    result.verdict = "not verified: interrupted";
    return;
  }
  if (!difference)
    return SetVerdict(result, true, "verified row by row against the serial baseline");
  SetVerdict(result, false,
             "differs from the serial baseline, first at row " + std::to_string(difference->row) +
                 ", column " + std::to_string(difference->column) + ": got " +
                 std::to_string(difference->got) + ", expected " +
                 std::to_string(difference->expected));
}

}  // namespace

void Verify(const RunSetup& setup, RunResult& result) {
  const VerifyMode mode = setup.options.verify;
  if (result.status != RunStatus::kDone) {
    result.verdict = "not verified: the grid is not complete";
  } else if (mode == VerifyMode::kNone) {
    result.verdict = "not verified, as asked";
  } else if (setup.kernel.name == "none" && mode != VerifyMode::kExpected) {
    result.verdict = "not verified: the kernel 'none' computes nothing";
  } else if (mode == VerifyMode::kSerial) {
    VerifySerial(setup, result);
  } else if (!setup.workload.expected) {
    result.verdict =
        "not verified: this workload has no expected checksum (--verify serial compares row by "
        "row)";
  } else {
    VerifyExpected(setup.workload, result);
  }
}

}  // namespace procpool
