#include "worker/task_echo.h"

namespace procpool {
namespace {

class EchoTask final : public ByteTask {
 public:
  void Run(std::span<const std::byte> input, TaskOutput& output) override { output.Write(input); }
};

}  // namespace

std::unique_ptr<ByteTask> MakeEchoTask(std::span<const std::byte> /*context*/) {
  return std::make_unique<EchoTask>();
}

}  // namespace procpool
