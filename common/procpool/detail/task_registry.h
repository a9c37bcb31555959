// The tasks a worker program offers, by name.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <procpool/detail/byte_task.h>
#include <procpool/detail/export.h>

namespace procpool {

class PROCPOOL_EXPORT TaskRegistry {
 public:
  /// Those that the program's own definitions (procpool::Task with a function) have added.
  static TaskRegistry& OfThisProgram();

  /// A name is registered once; again is std::invalid_argument.
  void Add(std::string name, TaskFactory factory);
  /// nullptr if there is none.
  const TaskFactory* Find(std::string_view name) const;
  /// The same names, each with what `around` makes of its factory.
  TaskRegistry Wrapped(const std::function<TaskFactory(const TaskFactory&)>& around) const;
  /// "echo, rows", for messages.
  std::string Names() const;

 private:
  std::map<std::string, TaskFactory, std::less<>> factories_;
};

}  // namespace procpool
