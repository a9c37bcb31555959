#include "master/summary.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/host.h"
#include "master/append_format.h"
#include "master/summary_budget.h"
#include "master/summary_faults.h"

namespace procpool {
namespace {

constexpr std::size_t kMostWorkerLines = 16;

double Milliseconds(Nanoseconds duration) {
  return Seconds(duration) * 1e3;
}

void AppendJob(std::string& text, const RunSetup& setup, const RunResult& result) {
  const RunOptions& options = setup.options;
  const Fractal& fractal = setup.workload.fractal;
  Append(text, "job        %s, %u x %u points, at most %d iterations\n",
         setup.workload.name.c_str(), fractal.Width(), fractal.Height(), fractal.max_iterations);
  Append(text, "workers    %u %s, %zu chunks, %s schedule\n", options.procs,
         options.InProcess() ? (options.transport == "serial" ? "(this thread)" : "threads")
                             : "processes",
         setup.plan.chunks.size(), std::string(ScheduleName(options.schedule)).c_str());
  Append(text, "transport  %s, payload %s, codec %s%s%s\n", options.transport.c_str(),
         std::string(PayloadName(options.payload)).c_str(), options.codec.c_str(),
         result.wait.empty() ? "" : ", wait ", result.wait.c_str());
  Append(text, "kernel     %s\n", std::string(setup.kernel.name).c_str());
}

void AppendTimes(std::string& text, const RunSetup& setup, const RunResult& result) {
  const Phases& phases = result.phases;
  const unsigned cpus = UsableCpus();
  Append(text, "\nwall time  %9.2f ms\n", Milliseconds(result.wall));
  Append(text, "  split    %9.2f ms   rows into chunks, payloads written\n",
         Milliseconds(phases.split));
  Append(
      text,
      "  spawn    %9.2f ms   until the last worker was ready; the first ones compute meanwhile\n",
      Milliseconds(phases.spawn));
  if (!setup.options.InProcess()) {
    Append(text, "  waiting  %9.2f ms   the master, for workers; taking in their results\n",
           Milliseconds(phases.waiting));
  }
  Append(text, "  assemble %9.2f ms   hashes, sum and digest of the whole grid\n",
         Milliseconds(phases.assemble));
  if (!result.budget) {
    text += "compute      not measured (--times off)\n";
    return;
  }
  Append(text, "compute    %9.2f ms   in the kernel, summed over the workers\n",
         Milliseconds(phases.compute));
  Append(text, "  running  %9.2f ms   on a CPU\n", Milliseconds(phases.compute_cpu));
  Append(text, "  queueing %9.2f ms   for a CPU (%u workers, %u CPUs)\n",
         Milliseconds(std::max<Nanoseconds>(0, phases.compute - phases.compute_cpu)),
         setup.options.procs, cpus);
  Append(text, "efficiency %9.1f %%    of %u CPU(s) x wall time spent in the kernel\n",
         100 * ParallelEfficiency(result, setup.options.procs, cpus),
         std::min(cpus, setup.options.procs));
  text += ShortBudget(*result.budget);
  if (setup.options.budget) text += FullBudget(*result.budget);
}

// What the time of a picture consists of; an array is written as it lies.
void AppendOutput(std::string& text, const OutputReport& output) {
  const PictureTimes& times = output.times;
  if (times.colouring > 0) {
    Append(text, "  colour   %9.2f ms   summed over %u thread%s\n", Milliseconds(times.colouring),
           times.threads, times.threads == 1 ? "" : "s");
  }
  if (times.compressing > 0)
    Append(text, "  compress %9.2f ms   likewise\n", Milliseconds(times.compressing));
  Append(text, "  write    %9.2f ms   %.2f MB\n", Milliseconds(output.writing),
         static_cast<double>(output.bytes) / 1e6);
}

void AppendAfterwards(std::string& text, const RunSetup& setup, const RunResult& result) {
  const Phases& phases = result.phases;
  if (phases.verify > 0)
    Append(text, "verify     %9.2f ms   serial baseline\n", Milliseconds(phases.verify));
  if (phases.output > 0)
    Append(text, "output     %9.2f ms   %s\n", Milliseconds(phases.output),
           setup.options.output.c_str());
  if (result.output) AppendOutput(text, *result.output);
}

// As Python's timeit says it.
void AppendRepeats(std::string& text, const RunSetup& setup, const RunResult& result) {
  const std::vector<double>& repeats = result.repeats;
  if (repeats.empty()) return;
  const auto n = static_cast<double>(repeats.size());
  const double mean = std::accumulate(repeats.begin(), repeats.end(), 0.0) / n;
  double squares = 0;
  for (const double repeat : repeats) squares += (repeat - mean) * (repeat - mean);
  Append(text,
         "\nrepeated   %.3f ms ± %.3f ms per loop (mean ± std. dev. of %zu run(s), %u loop(s) "
         "each, warm workers)\n"
         "           best of %zu: %.3f ms per loop\n",
         mean * 1e3, std::sqrt(squares / n) * 1e3, repeats.size(), setup.options.loops,
         repeats.size(), *std::ranges::min_element(repeats) * 1e3);
}

// Columns of a process' memory.
std::string MemoryText(const std::optional<ProcessMemory>& memory) {
  std::string text;
  if (!memory) {
    Append(text, "%10s%10s%10s", "-", "-", "-");
    return text;
  }
  constexpr double kMega = 1024.0 * 1024.0;
  Append(text, "%10.1f%10.1f%10.1f", static_cast<double>(memory->resident) / kMega,
         static_cast<double>(memory->peak_resident) / kMega,
         static_cast<double>(memory->proportional) / kMega);
  return text;
}

void AppendWorkers(std::string& text, const RunSetup& setup, const RunResult& result) {
  const bool processes = !setup.options.InProcess();
  Append(text, "\nworker%s  chunks  compute ms   on CPU ms%s\n", processes ? "      pid" : "",
         processes ? "   RSS MiB  peak RSS       PSS  end" : "");
  std::size_t lines = 0;
  for (const WorkerRow& row : result.workers) {
    if (++lines > kMostWorkerLines) {
      Append(text, "… and %zu more (all of them with --json)\n",
             result.workers.size() - kMostWorkerLines);
      break;
    }
    Append(text, "%6zu", row.slot);
    if (processes) Append(text, "%9d", row.pid);
    Append(text, "%8llu%12.2f%12.2f", static_cast<unsigned long long>(row.chunks),
           Milliseconds(row.compute), Milliseconds(row.compute_cpu));
    if (processes) Append(text, "%s  %s", MemoryText(row.memory).c_str(), row.exit.c_str());
    text += '\n';
  }
  if (result.master_memory) {
    Append(text, "master%9d%32s%s\n", static_cast<int>(::getpid()), "",
           MemoryText(result.master_memory).c_str());
  }
}

}  // namespace

double ParallelEfficiency(const RunResult& result, unsigned procs, unsigned cpus) {
  const double given = static_cast<double>(result.wall) * std::min(procs, cpus);
  return given > 0 ? static_cast<double>(result.phases.compute_cpu) / given : 0;
}

std::string Summary(const RunSetup& setup, const RunResult& result) {
  std::string text;
  AppendJob(text, setup, result);
  AppendTimes(text, setup, result);
  AppendAfterwards(text, setup, result);
  AppendRepeats(text, setup, result);
  AppendWorkers(text, setup, result);
  if (result.chaos) text += ChaosSummary(*result.chaos);
  if (result.certificate) text += CertificateSummary(*result.certificate);
  text += '\n';
  for (const std::string& warning : result.warnings) text += "warning    " + warning + '\n';
  if (result.retries > 0)
    Append(text, "retries    %llu\n", static_cast<unsigned long long>(result.retries));
  if (result.has_checksum) {
    Append(text, "checksum   sum %lld, digest %s\n", static_cast<long long>(result.checksum.sum),
           HexDigest(result.checksum.digest).c_str());
  }
  text += "verdict    ";
  text += result.status == RunStatus::kDone
              ? result.verdict
              : std::string(RunStatusName(result.status)) + ": " + result.error;
  text += '\n';
  return text;
}

}  // namespace procpool
