// The master program, which reads as the way of the data: command line ▶ workload and plan ▶ pool
// (or baseline) ▶ assembled grid ▶ verify ▶ picture ▶ report.
#include <cstdio>
#include <exception>
#include <memory>

#include "common/log.h"
#include "common/standard_streams.h"
#include "master/attendant.h"
#include "master/cli.h"
#include "master/lab/laboratory.h"
#include "master/report_json.h"
#include "master/run.h"
#include "master/summary.h"

namespace {

using namespace procpool;  // NOLINT: a program, not a header

int Run(const RunOptions& options, JsonOutput& json) {
  RunSetup setup = Prepare(options);
  RunResult result = Execute(setup);
  ReleaseAttendedSignals();
  Verify(setup, result);
  WriteOutput(setup, result);
  // With --json - standard output is the object alone.
  std::FILE* summary = json.to_standard_output() ? stderr : stdout;
  Preview(setup, result, ::fileno(summary));
  Certify(setup, result);
  if (!options.quiet) std::fputs(Summary(setup, result).c_str(), summary);
  if (!result.error.empty()) std::fprintf(stderr, "master: %s\n", result.error.c_str());
  json.Write(JsonReport(setup, result));
  return ExitCode(result.status);
}

}  // namespace

int main(int argc, char** argv) {
  FillStandardStreams();
  IgnoreSignalsOfWriting();
  std::unique_ptr<JsonOutput> json;
  RunOptions options;
  try {
    const Command command = ParseCommandLine(argc, argv, LaboratoryCommands());
    if (command.exit_code) return *command.exit_code;
    if (command.laboratory) return command.laboratory();
    options = command.run;
    BlockAttendedSignals();
    StartLog("master", options.log_level);
    json = std::make_unique<JsonOutput>(options.json);
    return Run(options, *json);
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "master: %s\n", exception.what());
    try {
      if (json) json->Write(JsonFailure(options, exception.what()));
    } catch (const std::exception& second) {
      std::fprintf(stderr, "master: %s\n", second.what());
    }
    const auto* error = dynamic_cast<const Error*>(&exception);
    return error != nullptr && error->blame() == Blame::kUser ? 2 : 1;
  }
}
