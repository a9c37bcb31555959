#include "master/summary_budget.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <vector>

#include "master/append_format.h"

namespace procpool {
namespace {

constexpr std::size_t kMostColumns = 8;

double Milliseconds(Nanoseconds duration) {
  return Seconds(duration) * 1e3;
}

Nanoseconds Whole(const Budget& budget) {
  return std::max<Nanoseconds>(1, budget.Wall() * static_cast<Nanoseconds>(budget.lines.size()));
}

double Percent(const Budget& budget, Nanoseconds part) {
  return 100.0 * static_cast<double>(part) / static_cast<double>(Whole(budget));
}

Nanoseconds Of(const BudgetLine& line, BudgetPart part) {
  return line[static_cast<std::size_t>(part)];
}

Nanoseconds SumOf(const BudgetLine& line, std::initializer_list<BudgetPart> parts) {
  Nanoseconds sum = 0;
  for (const BudgetPart part : parts) sum += Of(line, part);
  return sum;
}

void AppendMaster(std::string& text, const MasterTimes& master) {
  Append(text,
         "master     %.2f ms of CPU time; wall: encode %.2f, post %.2f, send %.2f, spawn %.2f, "
         "receive %.2f,\n"
         "           decode %.2f, placing %.2f, checksum %.2f, asleep %.2f ms\n",
         Milliseconds(master.cpu), Milliseconds(master.encode), Milliseconds(master.post),
         Milliseconds(master.send), Milliseconds(master.spawn), Milliseconds(master.receive),
         Milliseconds(master.decode), Milliseconds(master.placing), Milliseconds(master.checksum),
         Milliseconds(master.asleep));
}

void AppendParts(std::string& text, const Budget& budget) {
  const BudgetLine total = budget.Total();
  const std::size_t columns = std::min(budget.lines.size(), kMostColumns);
  Append(text, "\n%-26s%11s%8s", "where the time went", "total ms", "%");
  for (std::size_t worker = 0; worker < columns; ++worker) {
    Append(text, "  worker %zu", worker);
  }
  text += columns < budget.lines.size() ? "  …\n" : "\n";
  for (std::size_t index = 0; index < kBudgetParts; ++index) {
    const auto part = static_cast<BudgetPart>(index);
    Append(text, "%-26s%11.2f%8.2f", std::string(BudgetPartName(part)).c_str(),
           Milliseconds(Of(total, part)), Percent(budget, Of(total, part)));
    for (std::size_t worker = 0; worker < columns; ++worker) {
      Append(text, "%10.2f", Milliseconds(Of(budget.lines[worker], part)));
    }
    text += '\n';
  }
  Append(text, "%-26s%11.2f%8.2f\n", "workers x wall time", Milliseconds(Whole(budget)), 100.0);
}

void AppendJourney(std::string& text, const Budget& budget) {
  if (budget.journeys.empty()) return;
  Append(text, "\n%-26s%11s%11s%11s   one chunk's way, of %zu\n", "stage", "median us", "p99 us",
         "max us", budget.journeys.size());
  for (std::size_t index = 0; index < kJourneyStages; ++index) {
    const auto stage = static_cast<JourneyStage>(index);
    const JourneyQuantiles quantiles = QuantilesOf(budget, stage);
    Append(text, "%-26s%11.1f%11.1f%11.1f\n", std::string(JourneyStageName(stage)).c_str(),
           quantiles.p50 * 1e-3, quantiles.p99 * 1e-3, quantiles.greatest * 1e-3);
  }
}

}  // namespace

JourneyQuantiles QuantilesOf(const Budget& budget, JourneyStage stage) {
  if (budget.journeys.empty()) return {};
  std::vector<Nanoseconds> durations;
  durations.reserve(budget.journeys.size());
  for (const Journey& journey : budget.journeys) {
    durations.push_back(journey[static_cast<std::size_t>(stage)]);
  }
  std::ranges::sort(durations);
  const auto at = [&](double q) {
    const double position = q * static_cast<double>(durations.size() - 1);
    return static_cast<double>(durations[static_cast<std::size_t>(std::lround(position))]);
  };
  return {at(0.5), at(0.99), static_cast<double>(durations.back())};
}

std::string ShortBudget(const Budget& budget) {
  const BudgetLine total = budget.Total();
  const auto percent = [&](std::initializer_list<BudgetPart> parts) {
    return Percent(budget, SumOf(total, parts));
  };
  using enum BudgetPart;
  std::string text;
  Append(text, "budget     %9.2f ms   %zu worker(s) x wall time\n", Milliseconds(Whole(budget)),
         budget.lines.size());
  Append(text, "  compute  %9.1f %%    on a CPU %.1f, waiting for a CPU %.1f\n",
         percent({kComputeRunning, kComputeQueueing}), percent({kComputeRunning}),
         percent({kComputeQueueing}));
  Append(text,
         "  handling %9.1f %%    input: encode %.1f, send %.1f, wake-up %.1f, receive %.1f, decode "
         "%.1f;\n"
         "                         result: encode %.1f, send %.1f, receive %.1f, placing %.1f, "
         "checksum %.1f\n",
         percent({kEncode, kSend, kWakeUp, kReceive, kDecode, kResultEncode, kResultSend,
                  kResultReceive, kPlacing, kChecksum}),
         percent({kEncode}), percent({kSend}), percent({kWakeUp}), percent({kReceive}),
         percent({kDecode}), percent({kResultEncode}), percent({kResultSend}),
         percent({kResultReceive}), percent({kPlacing}), percent({kChecksum}));
  Append(text, "  spawn    %9.1f %%\n", percent({kSpawn}));
  Append(text, "  idle     %9.1f %%\n", percent({kIdle}));
  if (SumOf(total, {kLost}) > 0) {
    Append(text, "  lost     %9.1f %%    with workers that died\n", percent({kLost}));
  }
  Append(text, "  residual %9.1f %%    unexplained\n", percent({kResidual}));
  return text;
}

std::string FullBudget(const Budget& budget) {
  std::string text;
  AppendParts(text, budget);
  AppendJourney(text, budget);
  text += '\n';
  AppendMaster(text, budget.master);
  return text;
}

}  // namespace procpool
