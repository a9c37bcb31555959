#include <procpool/detail/task_registry.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace procpool {

void TaskOutput::Write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::span<std::byte> room = Reserve(bytes.size());
    const std::size_t part = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), part);
    Commit(part);
    bytes = bytes.subspan(part);
  }
}

void TaskRegistry::Add(std::string name, TaskFactory factory) {
  const auto [entry, inserted] = factories_.emplace(std::move(name), std::move(factory));
  if (!inserted) throw std::invalid_argument("task '" + entry->first + "' is registered twice");
}

const TaskFactory* TaskRegistry::Find(std::string_view name) const {
  const auto found = factories_.find(name);
  return found == factories_.end() ? nullptr : &found->second;
}

TaskRegistry TaskRegistry::Wrapped(
    const std::function<TaskFactory(const TaskFactory&)>& around) const {
  TaskRegistry wrapped;
  for (const auto& [name, factory] : factories_) wrapped.Add(name, around(factory));
  return wrapped;
}

std::string TaskRegistry::Names() const {
  std::string names;
  for (const auto& [name, factory] : factories_) names += (names.empty() ? "" : ", ") + name;
  return names;
}

TaskRegistry& TaskRegistry::OfThisProgram() {
  static TaskRegistry registry;
  return registry;
}

}  // namespace procpool
