#include "master/summary_faults.h"

#include <algorithm>

#include "master/append_format.h"

namespace procpool {
namespace {

constexpr std::size_t kMostDeathLines = 8;

double Milliseconds(Nanoseconds duration) {
  return Seconds(duration) * 1e3;
}

void AppendTimes(std::string& text, const char* what, const std::vector<Nanoseconds>& sorted) {
  if (sorted.empty()) return;
  Append(text, "  %-38s median %8.3f ms   max %8.3f ms   of %zu\n", what,
         Milliseconds(MedianOf(sorted)), Milliseconds(sorted.back()), sorted.size());
}

}  // namespace

Nanoseconds MedianOf(const std::vector<Nanoseconds>& sorted) {
  return sorted.empty() ? 0 : sorted[sorted.size() / 2];
}

std::string ChaosSummary(const ChaosReport& report) {
  std::string text = "\nchaos      faults that the workers were asked to commit\n";
  for (const ChaosReport::Injected& injected : report.injected)
    Append(text, "  %6llu x %s\n", static_cast<unsigned long long>(injected.times),
           injected.rule.c_str());
  Append(text, "  %6zu worker(s) ended otherwise than they were told to\n", report.deaths.size());
  std::size_t lines = 0;
  for (const ChaosReport::Death& death : report.deaths) {
    if (++lines > kMostDeathLines) {
      Append(text, "         … and %zu more (all of them with --json)\n",
             report.deaths.size() - kMostDeathLines);
      break;
    }
    Append(text, "         worker %zu (pid %d) %s", death.slot, static_cast<int>(death.pid),
           death.exit.c_str());
    if (!death.rule.empty()) Append(text, " after %s", death.rule.c_str());
    if (death.item) Append(text, ", over chunk %llu", static_cast<unsigned long long>(*death.item));
    text += '\n';
  }
  AppendTimes(text, "from the fault until the death was seen", report.Sightings());
  AppendTimes(text, "until the chunk was given out again", report.Recoveries());
  return text;
}

std::string CertificateSummary(const Certificate& certificate) {
  const AuditedRun& run = certificate.run;
  const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  std::string text;
  Append(text, "\naudit      %s\n", certificate.Passed() ? "passed" : "NOT PASSED");
  Append(text, "  rows         %llu: %llu delivered once each, %llu given up\n", number(run.rows),
         number(run.rows_delivered), number(run.rows_given_up));
  Append(text, "  chunks       %llu answered in %llu attempts, %llu answer(s) refused\n",
         number(run.chunks_done), number(run.attempts), number(run.answers_refused));
  Append(text, "  processes    %zu spawned, %zu reaped\n", run.processes_spawned,
         run.processes_reaped);
  Append(text, "  descriptors  %zu before, %zu after\n", certificate.descriptors_before,
         certificate.descriptors_after);
  Append(text, "  names        %zu left in /dev/shm\n", certificate.names_left);
  for (const std::string& finding : certificate.findings)
    Append(text, "  finding      %s\n", finding.c_str());
  return text;
}

}  // namespace procpool
