// Any text as a workload.
//
// What must hold: it is a workload or an Error that says on one line what is wrong, and the user is
// to blame; what is accepted can be computed; nothing large is allocated (-malloc_limit_mb).
#include <cmath>
#include <string_view>

#include <procpool/error.h>
#include "common/workload.h"
#include "tests/fuzz/fuzz_input.h"

namespace procpool {
namespace {

void RequireUsable(const Axis& axis) {
  Require(axis.points >= 1, "an axis without points");
  Require(std::isfinite(axis.start) && std::isfinite(axis.step) && axis.step != 0,
          "an axis that cannot be walked");
}

void RequireConsistent(const Workload& workload) {
  const Fractal& fractal = workload.fractal;
  Require(!workload.name.empty(), "a workload without a name");
  Require(fractal.max_iterations >= 1, "no iterations");
  Require(std::isfinite(fractal.constant_re) && std::isfinite(fractal.constant_im),
          "a constant that is not finite");
  Require(fractal.bailout > 0, "a bailout that is not above 0");
  RequireUsable(fractal.real);
  RequireUsable(fractal.imaginary);
  const bool centred = fractal.real.rule == AxisRule::kCentred;
  Require(centred == (fractal.imaginary.rule == AxisRule::kCentred), "one centred axis");
  Require(!centred || fractal.real.step == fractal.imaginary.step, "a centred grid of two steps");
  Require(!workload.expected || workload.expected->sum >= 0, "an impossible sum");
}

void Play(std::string_view text) {
  constexpr WorkloadOverrides kOverrides[] = {{}, {.width = 3, .height = 2}};
  for (const WorkloadOverrides& overrides : kOverrides) {
    try {
      RequireConsistent(ParseWorkload(text, "fuzz.toml", overrides));
    } catch (const Error& error) {
      const std::string_view what = error.what();
      Require(error.blame() == Blame::kUser, "somebody else is to blame");
      Require(what.starts_with("cannot "), "an error that does not begin as one");
      for (const char character : what) {
        Require(static_cast<unsigned char>(character) >= ' ', "an error of several lines");
      }
    }
  }
}

}  // namespace
}  // namespace procpool

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  procpool::Play({reinterpret_cast<const char*>(data), size});
  return 0;
}
