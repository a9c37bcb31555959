#include "master/report_json.h"

#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include <procpool/error.h>
#include "common/build_id.h"
#include "common/host.h"
#include "common/os_error.h"
#include "common/standard_streams.h"
#include "master/summary.h"
#include "master/summary_budget.h"
#include "master/summary_faults.h"

namespace procpool {
namespace {

// Keys in the order in which they are written here: the object is read by people too.
using Json = nlohmann::ordered_json;

Json Options(const RunSetup& setup) {
  const RunOptions& options = setup.options;
  const Fractal& fractal = setup.workload.fractal;
  Json json;
  json["workload"] = {{"name", setup.workload.name},
                      {"fractal", setup.workload.FractalName()},
                      {"width", fractal.Width()},
                      {"height", fractal.Height()},
                      {"max_iterations", fractal.max_iterations}};
  json["procs"] = options.procs;
  json["chunks"] = setup.plan.chunks.size();
  json["transport"] = options.transport;
  json["schedule"] = ScheduleName(options.schedule);
  json["payload"] = PayloadName(options.payload);
  json["input"] = InputName(options.input);
  json["codec"] = options.codec;
  json["kernel"] = setup.kernel.name;
  json["spawn"] = options.spawn;
  return json;
}

Json PhasesOf(const Phases& phases) {
  return {{"split_seconds", Seconds(phases.split)},
          {"spawn_seconds", Seconds(phases.spawn)},
          {"compute_seconds", Seconds(phases.compute)},
          {"compute_cpu_seconds", Seconds(phases.compute_cpu)},
          {"waiting_seconds", Seconds(phases.waiting)},
          {"assemble_seconds", Seconds(phases.assemble)},
          {"verify_seconds", Seconds(phases.verify)},
          {"output_seconds", Seconds(phases.output)},
          {"preview_seconds", Seconds(phases.preview)},
          {"stop_seconds", Seconds(phases.stop)}};
}

Json OutputOf(const std::optional<OutputReport>& output) {
  if (!output) return nullptr;
  return {{"bytes", output->bytes},
          {"threads", output->times.threads},
          {"colour_seconds", Seconds(output->times.colouring)},
          {"compress_seconds", Seconds(output->times.compressing)},
          {"write_seconds", Seconds(output->writing)}};
}

Json MemoryOf(const std::optional<ProcessMemory>& memory) {
  if (!memory) return nullptr;
  return {{"rss_bytes", memory->resident},
          {"peak_rss_bytes", memory->peak_resident},
          {"pss_bytes", memory->proportional}};
}

Json PartsOf(const BudgetLine& line) {
  Json json;
  for (std::size_t part = 0; part < kBudgetParts; ++part) {
    const std::string key(BudgetPartKey(static_cast<BudgetPart>(part)));
    json[key + "_seconds"] = Seconds(line[part]);
  }
  return json;
}

Json BudgetOf(const std::optional<Budget>& budget) {
  if (!budget) return nullptr;
  Json json;
  json["workers"] = budget->lines.size();
  json["wall_seconds"] = Seconds(budget->Wall());
  json["total"] = PartsOf(budget->Total());
  json["per_worker"] = Json::array();
  for (const BudgetLine& line : budget->lines) json["per_worker"].push_back(PartsOf(line));
  json["journey"] = Json::object();
  for (std::size_t index = 0; index < kJourneyStages; ++index) {
    const auto stage = static_cast<JourneyStage>(index);
    const JourneyQuantiles quantiles = QuantilesOf(*budget, stage);
    json["journey"][std::string(JourneyStageKey(stage))] = {
        {"p50_seconds", quantiles.p50 * 1e-9},
        {"p99_seconds", quantiles.p99 * 1e-9},
        {"max_seconds", quantiles.greatest * 1e-9}};
  }
  json["journeys"] = budget->journeys.size();
  const MasterTimes& master = budget->master;
  json["master"] = {
      {"cpu_seconds", Seconds(master.cpu)},           {"encode_seconds", Seconds(master.encode)},
      {"post_seconds", Seconds(master.post)},         {"send_seconds", Seconds(master.send)},
      {"spawn_seconds", Seconds(master.spawn)},       {"receive_seconds", Seconds(master.receive)},
      {"decode_seconds", Seconds(master.decode)},     {"placing_seconds", Seconds(master.placing)},
      {"checksum_seconds", Seconds(master.checksum)}, {"asleep_seconds", Seconds(master.asleep)}};
  return json;
}

Json ChecksumOf(const RunSetup& setup, const RunResult& result) {
  Json json;
  json["sum"] = result.has_checksum ? Json(result.checksum.sum) : Json(nullptr);
  json["digest"] = result.has_checksum ? Json(HexDigest(result.checksum.digest)) : Json(nullptr);
  const auto& expected = setup.workload.expected;
  json["expected_sum"] = expected ? Json(expected->sum) : Json(nullptr);
  json["expected_digest"] = expected ? Json(HexDigest(expected->digest)) : Json(nullptr);
  json["verified"] = result.verified ? Json(*result.verified) : Json(nullptr);
  json["verdict"] = result.verdict;
  return json;
}

Json WorkersOf(const RunResult& result) {
  Json workers = Json::array();
  for (const WorkerRow& row : result.workers) {
    workers.push_back({{"slot", row.slot},
                       {"pid", row.pid != 0 ? Json(row.pid) : Json(nullptr)},
                       {"chunks", row.chunks},
                       {"compute_seconds", Seconds(row.compute)},
                       {"compute_cpu_seconds", Seconds(row.compute_cpu)},
                       {"sending_seconds", Seconds(row.sending)},
                       {"memory", MemoryOf(row.memory)},
                       {"exit", row.exit.empty() ? Json(nullptr) : Json(row.exit)}});
  }
  return workers;
}

Json QuarantinedOf(const RunResult& result) {
  Json rows = Json::array();
  for (const GivenUpRows& given_up : result.given_up) {
    rows.push_back(
        {{"first_row", given_up.first_row}, {"rows", given_up.rows}, {"reason", given_up.reason}});
  }
  return rows;
}

// Nothing rather than an object whose greatest part by far is this.
constexpr std::size_t kMostPlacements = 10'000;

Json PlacementsOf(const RunResult& result) {
  if (result.placements.size() > kMostPlacements) return nullptr;
  Json list = Json::array();
  for (const RowsPlacement& placement : result.placements) {
    const bool timed = placement.finished > 0;
    list.push_back(
        {{"first_row", placement.first_row},
         {"rows", placement.rows},
         {"slot", placement.slot},
         {"order", placement.order},
         {"begun_seconds", timed ? Json(Seconds(placement.begun)) : Json(nullptr)},
         {"finished_seconds", timed ? Json(Seconds(placement.finished)) : Json(nullptr)}});
  }
  return list;
}

Json TimesOf(const std::vector<Nanoseconds>& sorted) {
  if (sorted.empty()) return {{"count", 0}, {"median_seconds", nullptr}, {"max_seconds", nullptr}};
  return {{"count", sorted.size()},
          {"median_seconds", Seconds(MedianOf(sorted))},
          {"max_seconds", Seconds(sorted.back())}};
}

template <typename Number>
Json OrNull(const std::optional<Number>& number) {
  return number ? Json(*number) : Json(nullptr);
}

Json SecondsOrNull(const std::optional<Nanoseconds>& duration) {
  return duration ? Json(Seconds(*duration)) : Json(nullptr);
}

Json ChaosOf(const std::optional<ChaosReport>& report) {
  if (!report) return nullptr;
  Json json;
  json["injected"] = Json::array();
  for (const ChaosReport::Injected& injected : report->injected)
    json["injected"].push_back({{"rule", injected.rule}, {"times", injected.times}});
  json["deaths"] = Json::array();
  for (const ChaosReport::Death& death : report->deaths) {
    json["deaths"].push_back({{"slot", death.slot},
                              {"pid", death.pid},
                              {"exit", death.exit},
                              {"rule", death.rule.empty() ? Json(nullptr) : Json(death.rule)},
                              {"chunk", OrNull(death.item)},
                              {"attempt", OrNull(death.attempt)},
                              {"seen_seconds", SecondsOrNull(death.seen)},
                              {"recovered_seconds", SecondsOrNull(death.recovered)}});
  }
  json["seen"] = TimesOf(report->Sightings());
  json["recovered"] = TimesOf(report->Recoveries());
  return json;
}

Json AuditOf(const std::optional<Certificate>& certificate) {
  if (!certificate) return nullptr;
  const AuditedRun& run = certificate->run;
  return {{"passed", certificate->Passed()},
          {"findings", certificate->findings},
          {"rows", run.rows},
          {"rows_delivered", run.rows_delivered},
          {"rows_given_up", run.rows_given_up},
          {"chunks_done", run.chunks_done},
          {"attempts", run.attempts},
          {"answers_refused", run.answers_refused},
          {"processes_spawned", run.processes_spawned},
          {"processes_reaped", run.processes_reaped},
          {"descriptors_before", certificate->descriptors_before},
          {"descriptors_after", certificate->descriptors_after},
          {"names_left", certificate->names_left}};
}

// Text that came from elsewhere (a file name, an exception's text) may not be UTF-8; it is shown as
// well as can be.
std::string Dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string JsonReport(const RunSetup& setup, const RunResult& result) {
  const HostInfo host = DescribeHost();
  Json json;
  json["status"] = RunStatusName(result.status);
  json["error"] = result.error.empty() ? Json(nullptr) : Json(result.error);
  json.update(Options(setup));
  json["wait"] = result.wait.empty() ? Json(nullptr) : Json(result.wait);
  json["wall_seconds"] = Seconds(result.wall);
  json["phases"] = PhasesOf(result.phases);
  json["output"] = OutputOf(result.output);
  json["parallel_efficiency"] = ParallelEfficiency(result, setup.options.procs, host.cpus);
  json["budget"] = BudgetOf(result.budget);
  json["traffic"] = {{"sent_bytes", result.traffic.sent},
                     {"received_bytes", result.traffic.received}};
  json["repeats"] = {{"loops", setup.options.loops}, {"seconds_per_loop", result.repeats}};
  json["master_memory"] = MemoryOf(result.master_memory);
  json["retries"] = result.retries;
  json["quarantined"] = QuarantinedOf(result);
  json["warnings"] = result.warnings;
  json["chaos"] = ChaosOf(result.chaos);
  json["audit"] = AuditOf(result.certificate);
  json["checksum"] = ChecksumOf(setup, result);
  json["workers"] = WorkersOf(result);
  json["placements"] = PlacementsOf(result);
  json["host"] = {{"cpus", host.cpus}, {"model", host.model}, {"kernel", host.kernel}};
  json["version"] = Version();
  return Dump(json);
}

std::string JsonFailure(const RunOptions& options, const std::string& error) {
  const HostInfo host = DescribeHost();
  Json json;
  json["status"] = RunStatusName(RunStatus::kFailed);
  json["error"] = error;
  json["workload"] = {{"name", options.workload}};
  json["procs"] = options.procs;
  json["chunks"] = options.chunks;
  json["transport"] = options.transport;
  json["schedule"] = ScheduleName(options.schedule);
  json["payload"] = PayloadName(options.payload);
  json["input"] = InputName(options.input);
  json["codec"] = options.codec;
  json["kernel"] = options.kernel;
  json["spawn"] = options.spawn;
  json["wall_seconds"] = nullptr;
  json["phases"] = Json::object();
  json["retries"] = 0;
  json["quarantined"] = Json::array();
  json["warnings"] = Json::array();
  json["checksum"] = {{"sum", nullptr},
                      {"digest", nullptr},
                      {"expected_sum", nullptr},
                      {"expected_digest", nullptr},
                      {"verified", nullptr}};
  json["workers"] = Json::array();
  json["placements"] = Json::array();
  json["host"] = {{"cpus", host.cpus}, {"model", host.model}, {"kernel", host.kernel}};
  json["version"] = Version();
  return Dump(json);
}

JsonOutput::JsonOutput(const std::string& target) : to_standard_output_(target == "-") {
  if (to_standard_output_ && !CanBeWritten(STDOUT_FILENO)) {
    throw Error(Blame::kUser, {"write", "the result to standard output",
                               "it is not open for writing", "give --json the name of a file"});
  }
  if (!target.empty() && !to_standard_output_) file_ = std::make_unique<OutputFile>(target);
}

void JsonOutput::Write(const std::string& object) {
  if (std::exchange(written_, true)) return;
  if (to_standard_output_) {
    if (std::fputs(object.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
      ThrowErrno("write", "the result to standard output", "look at what reads it");
    }
  } else if (file_ != nullptr) {
    file_->Write(std::as_bytes(std::span(object)));
    file_->Commit();
  }
}

}  // namespace procpool
