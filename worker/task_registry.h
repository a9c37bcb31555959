// The tasks a worker program offers, by name.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "worker/task.h"

namespace procpool {

class TaskRegistry {
 public:
  /// A name is registered once; again is std::invalid_argument.
  void Add(std::string name, TaskFactory factory);
  /// nullptr if there is none.
  const TaskFactory* Find(std::string_view name) const;
  /// "echo, rows", for messages.
  std::string Names() const;

 private:
  std::map<std::string, TaskFactory, std::less<>> factories_;
};

/// What the `worker` program offers: "echo" (gives back its input; tests and measurements) and
/// "rows".
void AddStandardTasks(TaskRegistry& registry);

}  // namespace procpool
