// A worker program for the tests: the standard tasks, and tasks that misbehave in the ways real
// ones do.
//
// Tasks that shall misbehave only once are given the path of a file that does not exist yet: who
// creates it misbehaves.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <procpool/detail/task_registry.h>
#include "common/clock.h"
#include "common/rows_payload.h"
#include "common/shared_memory.h"
#include "tests/deadly_tasks.h"
#include "worker/standard_tasks.h"
#include "worker/task_rows.h"
#include "worker/worker_main.h"

namespace {

using procpool::ByteTask;
using procpool::DeadlyRows;
using procpool::Die;
using procpool::IsFirst;
using procpool::TaskFactory;
using procpool::TaskOutput;
using procpool::Text;

template <typename Function>
class FunctionTask final : public ByteTask {
 public:
  explicit FunctionTask(Function function) : function_(std::move(function)) {}
  void Run(std::span<const std::byte> input, TaskOutput& output) override {
    function_(Text(input), output);
  }

 private:
  Function function_;
};

template <typename Function>
TaskFactory Make(Function function) {
  return [function](std::span<const std::byte>) {
    return std::make_unique<FunctionTask<Function>>(function);
  };
}

void Answer(TaskOutput& output, const std::string& text) {
  output.Write(std::as_bytes(std::span(text)));
}

// What an initializer left in this process, and how often.
std::string& Remembered() {
  static std::string text;
  return text;
}
int remembered_times = 0;

void Remember(const std::string& text) {
  Remembered() = text;
  ++remembered_times;
}

// Kept until the process ends.
std::vector<std::vector<char>>& Hoard() {
  static std::vector<std::vector<char>> hoard;
  return hoard;
}

// Each character of the input is a step: '!' throws, 'k' dies, 's' sleeps for a moment, 'h' hangs,
// any other one does nothing.
void RunSteps(const std::string& input, TaskOutput& output) {
  for (std::size_t step = 0; step < input.size(); ++step) {
    if (step != 0) output.BeginStep(step);
    try {
      if (input[step] == '!') throw std::out_of_range("step " + std::to_string(step));
      if (input[step] == 'k') Die("signal 9");
      if (input[step] == 's') std::this_thread::sleep_for(std::chrono::milliseconds(400));
      if (input[step] == 'h') std::this_thread::sleep_for(std::chrono::hours(1));
    } catch (...) {
      output.FailStep(step);
    }
  }
  Answer(output, input);
}

// Where the input lies, counted from the last place that suits any type.
class WhereInputLies final : public ByteTask {
 public:
  void Run(std::span<const std::byte> input, TaskOutput& output) override {
    const auto place = reinterpret_cast<std::uintptr_t>(input.data());
    const std::string where = std::to_string(place % alignof(std::max_align_t));
    Remember(where);
    Answer(output, where);
  }
};

// The task "rows", but the first one to answer answers something else. The context is that of
// "rows", then "HOW:PATH".
class GarbledRows final : public ByteTask {
 public:
  explicit GarbledRows(std::span<const std::byte> context)
      : context_(*procpool::DecodeRowsContext(context.first(sizeof context_))),
        rows_(procpool::MakeRowsTask(context.first(sizeof context_))) {
    const std::string words = Text(context.subspan(sizeof context_));
    how_ = words.substr(0, words.find(':'));
    path_ = words.substr(words.find(':') + 1);
  }

  void Run(std::span<const std::byte> input, TaskOutput& output) override {
    constexpr std::size_t kEndless = 10'000'000;
    if (!IsFirst(path_)) return rows_->Run(input, output);
    if (how_ == "noise") Answer(output, std::string(1000, '\xA5'));
    if (how_ == "fewer") {
      const auto codec = procpool::MakeCodec(context_.codec);
      std::vector<std::byte> bytes(codec->MostCountsBytes(3));
      bytes.resize(codec->EncodeCounts(std::vector<std::int32_t>{1, 2, 3}, bytes));
      output.Write(bytes);
    }
    if (how_ == "endless") Answer(output, std::string(kEndless, '0'));
  }

 private:
  procpool::RowsContext context_;
  std::unique_ptr<ByteTask> rows_;
  std::string how_;
  std::string path_;
};

}  // namespace

int main(int argc, char** argv) {
  procpool::TaskRegistry registry;
  procpool::AddStandardTasks(registry);
  // "signal 11" or "exit 3": dies so. Anything else is echoed.
  registry.Add("die", Make([](const std::string& input, TaskOutput& output) {
                 if (input.starts_with("signal") || input.starts_with("exit")) Die(input);
                 Answer(output, input);
               }));
  // "PATH:signal 11": the first one dies, later ones answer.
  registry.Add("die-once", Make([](const std::string& input, TaskOutput& output) {
                 const std::size_t colon = input.find(':');
                 if (colon != std::string::npos && IsFirst(input.substr(0, colon)))
                   Die(input.substr(colon + 1));
                 Answer(output, input);
               }));
  // Writes half of a large result, then dies, the first time.
  registry.Add("die-in-result", Make([](const std::string& input, TaskOutput& output) {
                 const std::string half(600'000, 'x');
                 Answer(output, half);
                 if (IsFirst(input)) Die("signal 9");
                 Answer(output, half);
               }));
  registry.Add("throw", Make([](const std::string& input, TaskOutput& output) {
                 if (input == "int") throw 42;
                 if (input == "error") throw std::runtime_error("a task's own words");
                 Answer(output, input);
               }));
  // Milliseconds to sleep.
  registry.Add("sleep", Make([](const std::string& input, TaskOutput& output) {
                 std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(input)));
                 Answer(output, input);
               }));
  // Reports as many milliseconds of decoding as its input says and twice as many of encoding, and
  // computes as long again.
  registry.Add("stages", Make([](const std::string& input, TaskOutput& output) {
                 const procpool::Nanoseconds begun = procpool::Now();
                 const auto stage = std::stol(input) * procpool::kMillisecond;
                 output.Spent(procpool::TaskStage::kDecode, stage);
                 output.Spent(procpool::TaskStage::kEncode, stage);
                 output.Spent(procpool::TaskStage::kEncode, stage);
                 while (procpool::Now() < begun + 4 * stage) {
                 }
                 Answer(output, output.timed() ? "timed" : "untimed");
               }));
  // Reports more than there was.
  registry.Add("boast", Make([](const std::string& input, TaskOutput& output) {
                 output.Spent(procpool::TaskStage::kDecode, std::stol(input));
                 output.Spent(procpool::TaskStage::kEncode, std::stol(input));
                 Answer(output, "done");
               }));
  registry.Add("hang-once", Make([](const std::string& input, TaskOutput& output) {
                 if (IsFirst(input)) std::this_thread::sleep_for(std::chrono::hours(1));
                 Answer(output, input);
               }));
  registry.Add("print", Make([](const std::string& input, TaskOutput& output) {
                 std::cout << "a task prints to standard output" << std::endl;
                 std::cerr << "a task prints to standard error" << std::endl;
                 Answer(output, input);
               }));
  // Leaves a process behind that holds every descriptor it can get, then dies.
  registry.Add("leave-grandchild-and-die", Make([](const std::string& input, TaskOutput& output) {
                 if (IsFirst(input)) {
                   if (::fork() == 0) {
                     for (int fd = 3; fd < 10; ++fd) ::fcntl(fd, F_SETFD, 0);
                     ::execl("/bin/sleep", "sleep", "3600", nullptr);
                     ::_exit(1);
                   }
                   Die("signal 9");
                 }
                 Answer(output, input);
               }));
  registry.Add("pid", Make([](const std::string&, TaskOutput& output) {
                 Answer(output, std::to_string(::getpid()));
               }));
  // Writes its result, and over the bytes before its place as well, the first time; that only once
  // the file named "<input>.go" exists, by which the test says that the neighbour is complete.
  registry.Add("overwrite-neighbour", Make([](const std::string& input, TaskOutput& output) {
                 const std::span<std::byte> room = output.Reserve(4096);
                 if (IsFirst(input)) {
                   const std::string go = input + ".go";
                   while (::access(go.c_str(), F_OK) != 0) {
                     std::this_thread::sleep_for(std::chrono::milliseconds(1));
                   }
                   std::memset(room.data() - 4096, 0xEE, 4096);
                 }
                 std::memset(room.data(), 0x11, room.size());
                 output.Commit(room.size());
               }));
  registry.Add("steps", Make(RunSteps));
  // Milliseconds to sleep; says who did.
  registry.Add("nap", Make([](const std::string& input, TaskOutput& output) {
                 std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(input)));
                 Answer(output, std::to_string(::getpid()));
               }));
  // So many megabytes more of its own from now on; says who has them.
  registry.Add("hoard", Make([](const std::string& input, TaskOutput& output) {
                 Hoard().emplace_back(std::stoul(input) << 20, 'x');
                 std::this_thread::sleep_for(std::chrono::milliseconds(5));
                 Answer(output, std::to_string(::getpid()));
               }));
  // For initializers, and what is left of them.
  registry.Add("remember", Make([](const std::string& input, TaskOutput&) { Remember(input); }));
  registry.Add("remember-slowly", Make([](const std::string& input, TaskOutput&) {
                 std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(input)));
                 Remember(input);
               }));
  registry.Add("remember-shared", Make([](const std::string& input, TaskOutput& output) {
                 const auto id = static_cast<std::uint32_t>(std::stoul(input));
                 const auto bytes = output.Shared(id)->buffer.bytes();
                 Remember(reinterpret_cast<const char*>(bytes.data()));
               }));
  registry.Add("where-input-lies",
               [](std::span<const std::byte>) { return std::make_unique<WhereInputLies>(); });
  // How often something was remembered; what.
  registry.Add("recall", Make([](const std::string&, TaskOutput& output) {
                 Answer(output, std::to_string(remembered_times) + ":" + Remembered());
               }));
  registry.Add("garbled-rows", [](std::span<const std::byte> context) {
    return std::make_unique<GarbledRows>(context);
  });
  // The context is that of "rows", then the words of DeadlyRows.
  registry.Add("deadly-rows", [](std::span<const std::byte> context) {
    constexpr std::size_t kRows = sizeof(procpool::RowsContext);
    return std::make_unique<DeadlyRows>(context.first(kRows), Text(context.subspan(kRows)));
  });
  // Closes everything but the standard descriptors, the first time; then answers all the same.
  registry.Add("close-all-once", Make([](const std::string& input, TaskOutput& output) {
                 if (IsFirst(input)) ::close_range(3, ~0U, 0);
                 Answer(output, input);
               }));
  // The same, but it does not answer.
  registry.Add("close-all-and-hang-once", Make([](const std::string& input, TaskOutput& output) {
                 if (IsFirst(input)) {
                   ::close_range(3, ~0U, 0);
                   std::this_thread::sleep_for(std::chrono::hours(1));
                 }
                 Answer(output, input);
               }));
  return procpool::WorkerMain(argc, argv, registry);
}
