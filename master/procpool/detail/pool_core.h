// What a pool is behind its types. Internal to procpool/pool.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <procpool/detail/batch.h>
#include <procpool/detail/callback_thread.h>
#include <procpool/detail/export.h>
#include <procpool/options.h>
#include <procpool/statistics.h>

namespace procpool {

struct StartedCall;
struct StartedJob;

namespace detail {

/// The call that each worker begins with. No task: none.
struct InitializerCall {
  std::string task{};
  std::vector<std::byte> context{};
  std::vector<std::byte> input{};
  std::vector<std::shared_ptr<SharedMemory>> shared{};
};

class PROCPOOL_EXPORT PoolCore {
 public:
  PoolCore(const PoolOptions& options, InitializerCall initializer);
  ~PoolCore();
  PoolCore(const PoolCore&) = delete;
  PoolCore& operator=(const PoolCore&) = delete;

  /// The batch runs until its Ended(). Throws PoolClosed.
  std::shared_ptr<StartedJob> Start(const std::shared_ptr<Batch>& batch,
                                    const CallOptions& options);
  /// The same for a batch of one call, which shares a job with others of its kind.
  std::shared_ptr<StartedCall> StartCall(const std::shared_ptr<Batch>& call,
                                         const CallOptions& options);
  /// The batch has more calls than before, or knows that no more will come.
  void Grown(const std::shared_ptr<StartedJob>& job);
  /// The batch will end soon, if it has not ended.
  void Cancel(const std::shared_ptr<StartedJob>& job);
  void Cancel(const std::shared_ptr<StartedCall>& call);

  void Close();
  /// False: not by then.
  bool JoinUntil(std::chrono::steady_clock::time_point deadline);
  void Terminate();
  void Resize(std::size_t workers);
  std::size_t workers() const;
  PoolStatistics Statistics();

  const CallOptions& defaults() const;
  const std::shared_ptr<CallbackThread>& callbacks() const;

 private:
  struct PROCPOOL_HIDDEN Parts;
  // Not destroyed in a process that was forked from the one that made the pool: neither the workers
  // nor the thread are that one's.
  Parts* parts_;
};

}  // namespace detail
}  // namespace procpool
