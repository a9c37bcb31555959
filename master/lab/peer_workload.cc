#include "master/lab/peer_workload.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

namespace procpool {
namespace {

using Json = nlohmann::ordered_json;

std::string_view RuleWord(AxisRule rule) {
  switch (rule) {
    case AxisRule::kRepeatedAddition:
      return "repeated-addition";
    case AxisRule::kLinear:
      return "linear";
    case AxisRule::kCentred:
      return "centred";
    default:
      return "arange";
  }
}

std::string_view NeverWord(NeverValue never) {
  switch (never) {
    case NeverValue::kLastStep:
      return "last_step";
    case NeverValue::kZero:
      return "zero";
    default:
      return "max_iterations";
  }
}

Json AxisJson(const Axis& axis) {
  return {{"rule", RuleWord(axis.rule)},
          {"points", axis.points},
          {"start", axis.start},
          {"step", axis.step}};
}

}  // namespace

std::string WorkloadJson(const Workload& workload) {
  const Fractal& fractal = workload.fractal;
  Json json;
  json["name"] = workload.name;
  json["real"] = AxisJson(fractal.real);
  json["imaginary"] = AxisJson(fractal.imaginary);
  json["rows"] = fractal.rows_are_real != 0 ? "real" : "imaginary";
  json["pixel"] = fractal.pixel == PixelRole::kZ ? "z" : "c";
  json["constant"] = {fractal.constant_re, fractal.constant_im};
  json["max_iterations"] = fractal.max_iterations;
  // JSON has no infinity.
  json["bailout"] = std::isfinite(fractal.bailout) ? Json(fractal.bailout) : Json("inf");
  json["measure"] = fractal.measure == Measure::kAbs ? "abs" : "norm";
  json["when"] = fractal.escape == EscapeWhen::kNotBelow ? ">=" : ">";
  json["test"] = fractal.test == TestPlace::kBeforeStep ? "before" : "after";
  json["never"] = NeverWord(fractal.never);
  return json.dump();
}

}  // namespace procpool
