// Tasks that end their worker: how they die, and rows that kill whoever computes them.
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <procpool/detail/task_registry.h>
#include "common/rows_payload.h"
#include "worker/task_rows.h"

namespace procpool {

inline std::string Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Of all processes, the one that creates this file.
inline bool IsFirst(const std::string& path) {
  const int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

[[noreturn]] inline void Die(const std::string& how) {
  // Dumping the core of a worker that shall die would only take time.
  const rlimit none{};
  ::setrlimit(RLIMIT_CORE, &none);
  const int number = std::stoi(how.substr(how.find(' ') + 1));
  if (how.starts_with("exit")) ::_exit(number);
  std::signal(number, SIG_DFL);
  std::raise(number);
  ::_exit(99);
}

// The task "rows", but certain rows are the end of their worker. `words`: "die ROW ROW …",
// "hang ROW …", or "die-once ROW PATH".
class DeadlyRows final : public ByteTask {
 public:
  DeadlyRows(std::span<const std::byte> context, std::string words)
      : context_(*DecodeRowsContext(context)),
        rows_(MakeRowsTask(context)),
        words_(std::move(words)) {}

  void Run(std::span<const std::byte> input, TaskOutput& output) override {
    const RowsItem item = ItemOf(input);
    std::istringstream words(words_);
    std::string how;
    words >> how;
    for (std::uint64_t row = 0; words >> row;) {
      if (row < item.first_row || row - item.first_row >= item.rows) continue;
      if (how == "hang") std::this_thread::sleep_for(std::chrono::hours(1));
      std::string path;
      if (how == "die" || (words >> path && IsFirst(path))) Die("signal 9");
    }
    rows_->Run(input, output);
  }

 private:
  RowsItem ItemOf(std::span<const std::byte> input) const {
    const auto codec = MakeCodec(context_.codec);
    if (codec == nullptr) return DecodeRowsItem(input, context_.fractal).value();
    RowsItem item;
    if (codec->DecodeRows(input, item)) throw std::runtime_error("no rows");
    return item;
  }

  RowsContext context_;
  std::unique_ptr<ByteTask> rows_;
  std::string words_;
};

}  // namespace procpool
