#include "common/fault_plan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <span>

#include <procpool/error.h>

namespace procpool {
namespace {

constexpr std::array<std::string_view, 7> kStepNames = {"start",   "ready", "received", "computing",
                                                        "sending", "sent",  "stopping"};

enum class Argument : std::uint8_t { kNone, kSignal, kCode, kMilliseconds, kPart, kForgery };

constexpr std::uint8_t At(FaultStep step) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(step));
}
constexpr std::uint8_t kAnywhere = 0x7F;
constexpr std::uint8_t kInTask = At(FaultStep::kReceived) | At(FaultStep::kComputing);
constexpr std::uint8_t kFrames = At(FaultStep::kReady) | At(FaultStep::kSending);

struct KindInfo {
  FaultKind kind;
  std::string_view name;
  std::uint8_t steps;
  Argument argument;
  std::int64_t usual;  // of an argument that may be left out; -1: it may not
};

constexpr std::array<KindInfo, 19> kKinds = {{
    {FaultKind::kKill, "kill", kAnywhere, Argument::kNone, 0},
    {FaultKind::kSignal, "signal", kAnywhere, Argument::kSignal, -1},
    {FaultKind::kExit, "exit", kAnywhere, Argument::kCode, 0},
    {FaultKind::kStop, "stop", kAnywhere, Argument::kNone, 0},
    {FaultKind::kHang, "hang", kAnywhere, Argument::kNone, 0},
    {FaultKind::kDelay, "delay", kAnywhere, Argument::kMilliseconds, 10},
    {FaultKind::kThrow, "throw", kInTask, Argument::kNone, 0},
    {FaultKind::kPrint, "print", kAnywhere, Argument::kNone, 0},
    {FaultKind::kGrandchild, "grandchild", kAnywhere, Argument::kNone, 0},
    {FaultKind::kScribble, "scribble", At(FaultStep::kComputing), Argument::kNone, 0},
    {FaultKind::kShrink, "shrink", kAnywhere, Argument::kNone, 0},
    {FaultKind::kRewrite, "rewrite", At(FaultStep::kSent), Argument::kNone, 0},
    {FaultKind::kStorm, "storm", At(FaultStep::kStart), Argument::kNone, 0},
    {FaultKind::kTrickle, "trickle",
     static_cast<std::uint8_t>(At(FaultStep::kStart) | At(FaultStep::kSending)), Argument::kNone,
     0},
    {FaultKind::kCorrupt, "corrupt", kFrames, Argument::kPart, 0},
    {FaultKind::kTruncate, "truncate", kFrames, Argument::kNone, 0},
    {FaultKind::kDuplicate, "duplicate", kFrames, Argument::kNone, 0},
    {FaultKind::kReorder, "reorder", At(FaultStep::kSending), Argument::kNone, 0},
    {FaultKind::kForge, "forge", kFrames, Argument::kForgery, -1},
}};

constexpr std::array<std::string_view, 2> kParts = {"payload", "header"};
constexpr std::array<std::string_view, 8> kForgeries = {"chunk",  "attempt",  "job",     "offset",
                                                        "length", "overflow", "version", "build"};

struct SignalInfo {
  std::string_view name;
  int number;
};
constexpr std::array<SignalInfo, 8> kSignals = {{{"SEGV", SIGSEGV},
                                                 {"ABRT", SIGABRT},
                                                 {"FPE", SIGFPE},
                                                 {"BUS", SIGBUS},
                                                 {"ILL", SIGILL},
                                                 {"TERM", SIGTERM},
                                                 {"INT", SIGINT},
                                                 {"KILL", SIGKILL}}};

std::string Listed(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

[[noreturn]] void Refuse(std::string_view part, const std::string& cause,
                         const std::string& remedy) {
  throw Error(Blame::kUser, {"read", "faults '" + std::string(part) + "'", cause, remedy});
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

template <typename Number>
Number Read(std::string_view rule, std::string_view what, std::string_view text, Number least,
            Number most) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !(number >= least) ||
      !(number <= most)) {
    std::string range = "from " + std::to_string(least) + " to " + std::to_string(most);
    Refuse(rule, "'" + std::string(text) + "' is no " + std::string(what),
           "give a number " + range);
  }
  return number;
}

// The place of a name in a list of them.
std::int64_t Choose(std::string_view rule, std::string_view name,
                    std::span<const std::string_view> names, std::string_view what) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) {
    Refuse(rule, "there is no " + std::string(what) + " '" + std::string(name) + "'",
           "give one of " + Listed(names));
  }
  return found - names.begin();
}

std::int64_t ReadSignal(std::string_view rule, std::string_view text) {
  if (text.starts_with("SIG")) text.remove_prefix(3);
  for (const SignalInfo& signal : kSignals) {
    if (signal.name == text) return signal.number;
  }
  return Read<std::int64_t>(rule, "signal", text, 1, 31);
}

std::int64_t ReadArgument(std::string_view rule, const KindInfo& info,
                          std::optional<std::string_view> text) {
  if (!text) {
    if (info.usual >= 0) return info.usual;
    Refuse(rule, "'" + std::string(info.name) + "' does not say what",
           info.argument == Argument::kSignal
               ? "write signal=SEGV, for instance"
               : "write forge=WHAT, WHAT one of " + Listed(kForgeries));
  }
  switch (info.argument) {
    case Argument::kNone:
      Refuse(rule, "'" + std::string(info.name) + "' takes no argument", "leave out '='");
    case Argument::kSignal:
      return ReadSignal(rule, *text);
    case Argument::kCode:
      return Read<std::int64_t>(rule, "exit code", *text, 0, 255);
    case Argument::kMilliseconds:
      return Read<std::int64_t>(rule, "number of milliseconds", *text, 0, 3'600'000);
    case Argument::kPart:
      return Choose(rule, *text, kParts, "part");
    case Argument::kForgery:
      return Choose(rule, *text, kForgeries, "forgery");
  }
  return 0;
}

void ReadKey(std::string_view text, FaultRule& rule) {
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos)
    Refuse(rule.text, "'" + std::string(text) + "' has no '='", "write KEY=VALUE behind the ':'");
  const std::string_view key = Trimmed(text.substr(0, equals));
  const std::string_view value = Trimmed(text.substr(equals + 1));
  if (key == "chunk") {
    if (rule.step == FaultStep::kStart || rule.step == FaultStep::kReady ||
        rule.step == FaultStep::kStopping) {
      Refuse(rule.text, "at this step a worker has no chunk",
             "choose by worker=, or by attempt=: the how-manieth process of its slot");
    }
    rule.chunk = Read<std::uint64_t>(rule.text, "chunk", value, 0, kMost);
  } else if (key == "worker") {
    rule.worker = Read<std::uint64_t>(rule.text, "worker", value, 0, kMost);
  } else if (key == "attempt") {
    rule.attempt = Read<std::uint64_t>(rule.text, "attempt", value, 0, kMost);
  } else if (key == "times") {
    rule.times = Read<std::uint64_t>(rule.text, "number of times", value, 1, kMost);
  } else if (key == "probability") {
    rule.probability = Read<double>(rule.text, "probability", value, 0, 1);
  } else {
    Refuse(rule.text, "'" + std::string(key) + "' is unknown",
           "give chunk, worker, attempt, probability or times");
  }
}

FaultRule ReadRule(std::string_view text) {
  FaultRule rule;
  rule.text = text;
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos)
    Refuse(text, "it does not say at which step", "write FAULT@STEP, for instance kill@computing");
  const std::string_view fault = Trimmed(text.substr(0, at));
  const std::string_view rest = text.substr(at + 1);
  const std::size_t colon = rest.find(':');
  const std::size_t equals = fault.find('=');
  const std::string_view name = Trimmed(fault.substr(0, equals));
  const auto info = std::ranges::find(kKinds, name, &KindInfo::name);
  if (info == kKinds.end())
    Refuse(text, "there is no fault '" + std::string(name) + "'", "give one of " + FaultNames());
  rule.kind = info->kind;
  rule.step =
      static_cast<FaultStep>(Choose(text, Trimmed(rest.substr(0, colon)), kStepNames, "step"));
  if ((info->steps & At(rule.step)) == 0) {
    std::vector<std::string_view> allowed;
    for (std::size_t step = 0; step < kStepNames.size(); ++step) {
      if ((info->steps >> step & 1U) != 0) allowed.push_back(kStepNames[step]);
    }
    Refuse(text, "'" + std::string(name) + "' cannot strike at this step",
           "it can at " + Listed(allowed));
  }
  std::optional<std::string_view> argument;
  if (equals != std::string_view::npos) argument = Trimmed(fault.substr(equals + 1));
  rule.argument = ReadArgument(text, *info, argument);
  const bool about_ready = rule.kind == FaultKind::kForge &&
                           rule.argument >= static_cast<std::int64_t>(Forgery::kVersion);
  if (about_ready && rule.step != FaultStep::kReady)
    Refuse(text, "only READY says that", "write it at ready");
  for (std::string_view keys = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
       colon != std::string_view::npos;) {
    const std::size_t comma = keys.find(',');
    ReadKey(Trimmed(keys.substr(0, comma)), rule);
    if (comma == std::string_view::npos) break;
    keys = keys.substr(comma + 1);
  }
  return rule;
}

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
std::uint64_t Mixed(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EB;
  return value ^ (value >> 31U);
}

}  // namespace

FaultPlan ParseFaultPlan(std::string_view spec) {
  FaultPlan plan;
  for (std::string_view rest = spec;;) {
    const std::size_t semicolon = rest.find(';');
    const std::string_view part = Trimmed(rest.substr(0, semicolon));
    if (part.starts_with("seed=")) {
      plan.seed = Read<std::uint64_t>(part, "seed", part.substr(5), 0, ~std::uint64_t{0});
    } else if (!part.empty()) {
      plan.rules.push_back(ReadRule(part));
    }
    if (semicolon == std::string_view::npos) break;
    rest = rest.substr(semicolon + 1);
  }
  if (plan.rules.empty())
    Refuse(spec, "it names no fault", "write FAULT@STEP, for instance kill@computing:chunk=3");
  if (plan.rules.size() > kMostFaultRules)
    Refuse(spec, "there are " + std::to_string(plan.rules.size()) + " of them",
           "give at most " + std::to_string(kMostFaultRules));
  return plan;
}

bool Strikes(const FaultPlan& plan, std::size_t rule, FaultStep step, const FaultTarget& target) {
  const FaultRule& wanted = plan.rules[rule];
  if (wanted.step != step) return false;
  if (wanted.chunk && *wanted.chunk != target.chunk) return false;
  if (wanted.worker && *wanted.worker != target.slot) return false;
  if (wanted.attempt && *wanted.attempt != target.attempt) return false;
  if (wanted.probability >= 1) return true;
  std::uint64_t mixed = Mixed(plan.seed);
  for (const std::uint64_t value : {std::uint64_t{rule}, target.chunk, target.attempt})
    mixed = Mixed(mixed ^ value);
  constexpr double kTwoTo53 = 9007199254740992.0;  // the bits of a double's mantissa
  return static_cast<double>(mixed >> 11U) < wanted.probability * kTwoTo53;
}

std::string FaultNames() {
  std::string text;
  for (const KindInfo& info : kKinds) text += (text.empty() ? "" : ", ") + std::string(info.name);
  return text;
}

std::string FaultStepNames() {
  return Listed(kStepNames);
}

}  // namespace procpool
