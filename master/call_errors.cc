#include <procpool/call_errors.h>

#include <utility>

namespace procpool {
namespace {

std::string ObjectOf(const CallError::Where& where) {
  std::string object = "task '" + where.task + "' (call " + std::to_string(where.call);
  if (where.worker > 0) object += ", worker " + std::to_string(where.worker);
  return object + ")";
}

}  // namespace

CallError::CallError(const Where& where, const std::string& cause, const std::string& remedy)
    : Error(Blame::kMachine, {"run", ObjectOf(where), cause, remedy}), where_(where) {}

TaskFailed::TaskFailed(const Where& where, std::string type, std::string text)
    : CallError(where, "it threw " + type + (text.empty() ? "" : ": ") + text,
                "catch it in the task, or see to its arguments"),
      type_(std::move(type)),
      text_(std::move(text)) {}

WorkerDied::WorkerDied(const Where& where, const std::string& how, std::optional<int> signal,
                       std::optional<int> exit_code)
    : CallError(where, "its worker " + how, "run it alone to find out why; the pool goes on"),
      signal_(signal),
      exit_code_(exit_code) {}

Cancelled::Cancelled()
    : Error(Blame::kUser, {"give", "result of the call", "it was cancelled", ""}) {}

PoolClosed::PoolClosed()
    : Error(Blame::kUser,
            {"call", "a task of the pool", "the pool is closed", "make another one"}) {}

}  // namespace procpool
