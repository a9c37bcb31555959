#include "master/lab/spawn_contenders.h"

#include <algorithm>
#include <filesystem>

#include <procpool/error.h>
#include "master/lab/zygote.h"
#include "master/worker_pool.h"

namespace procpool {
namespace {

constexpr std::size_t kPlaces = 2048;

MakeProcess BySpawning(const SpawnMethod& method) {
  return [&method](const WorkerProcess::Command& command) {
    return WorkerProcess::Spawn(command, method);
  };
}

}  // namespace

MainPage::MainPage() : memory_(SharedRegion::Create(kPlaces * sizeof(Nanoseconds))) {}

std::size_t MainPage::Take() {
  const std::size_t place = next_++ % kPlaces;
  *at(place) = 0;
  return place;
}

volatile Nanoseconds* MainPage::at(std::size_t place) const {
  return reinterpret_cast<Nanoseconds*>(memory_.bytes().data()) + place;
}

bool CopiesParent(const SpawnContender& contender) {
  return contender.method().starts_with(kForkMethod);
}

std::vector<std::string> SpawnContenderMethods() {
  std::vector<std::string> names{std::string(kThreadMethod), std::string(kForkMethod)};
  for (const SpawnMethod& method : SpawnMethods()) names.emplace_back(method.name);
  names.emplace_back(kZygoteMethod);
  return names;
}

std::vector<std::string> SpawnContenderPrograms() {
  return {std::string(kWorker), std::string(kWorkerDynamic), std::string(kEmptyProgram)};
}

std::string SpawnPrograms::Path(std::string_view program) const {
  if (program == kWorker) return worker;
  return (std::filesystem::path(worker).parent_path() / program).string();
}

std::vector<std::unique_ptr<SpawnContender>> MakeSpawnContenders(
    const std::vector<std::string>& methods, const std::vector<std::string>& programs,
    const SpawnPrograms& paths, std::vector<std::string>& missing) {
  std::vector<std::unique_ptr<SpawnContender>> contenders;
  std::vector<std::string> there;
  for (const std::string& program : programs) {
    try {
      RequireWorkerProgram(paths.Path(program));
      there.push_back(program);
    } catch (const Error& error) {
      missing.push_back("without " + program + ": " + error.what());
    }
  }
  const bool has_worker = std::ranges::count(there, kWorker) > 0;
  for (const std::string& name : methods) {
    if (name == kThreadMethod) contenders.push_back(MakeThreadContender());
    if (name == kForkMethod) contenders.push_back(MakeForkContender());
    if (name == kZygoteMethod && has_worker) {
      try {
        auto zygote = std::make_shared<Zygote>(paths.worker);
        contenders.push_back(MakeWorkerContender(
            name, std::string(kWorker), paths.worker,
            [zygote](const WorkerProcess::Command& command) { return zygote->Spawn(command); }));
        LiveThrough(*contenders.back(), 1);  // whether the system lets it
      } catch (const Error& error) {
        if (!contenders.empty() && contenders.back()->method() == name) contenders.pop_back();
        missing.push_back("without " + name + ": " + error.what());
      }
    }
    const SpawnMethod* method = FindSpawnMethod(name);
    if (method == nullptr) continue;
    for (const std::string& program : there) {
      const std::string path = paths.Path(program);
      contenders.push_back(program == kEmptyProgram
                               ? MakeEmptyContender(*method, path)
                               : MakeWorkerContender(name, program, path, BySpawning(*method)));
    }
  }
  return contenders;
}

}  // namespace procpool
