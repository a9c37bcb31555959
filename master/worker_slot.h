// The event loop of ProcessWorkers, and one slot: the process in it, its channel, and what is known
// of both. Internal to process_workers*.cc.
#pragma once

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "master/process_workers.h"
#include "master/worker_setup.h"

namespace procpool {

// A process whose channel has closed is about to end; if it does not, it is killed.
inline constexpr Nanoseconds kGoneAfterClosing = kSecond;

struct ProcessWorkers::Loop {
  boost::asio::io_context context{1};
  // With nothing to wait for it would call itself stopped.
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keep_running{
      context.get_executor()};
};

struct ProcessWorkers::Slot : WorkerEnds {
  explicit Slot(Loop& loop) : readable(loop.context), writable(loop.context), ended(loop.context) {}

  Life life = Life::kEmpty;
  bool wants_spawn = false;
  std::uint64_t lives = 0;      // processes that were begun here
  Nanoseconds spawn_after = 0;  // if it wants one
  std::optional<WorkerProcess> process;
  std::vector<std::uint32_t> region_ids;
  Nanoseconds ready_by = 0;
  Nanoseconds gone_by = 0;  // its channel has closed: it must end by then; 0: not closed
  std::size_t record = 0;
  std::set<std::uint32_t> told;          // jobs that this process knows
  std::vector<std::uint32_t> to_forget;  // those of them that have ended
  std::uint64_t tasks_given = 0;
  std::uint64_t items_given = 0;
  bool stop_sent = false;
  bool initializing = false;  // READY has come, the initializer runs
  Nanoseconds memory_checked = 0;
  bool lied = false;  // killed for what it sent
  Departure departure;
  // The descriptors are the channel's and the process'; asio only watches them and must let go
  // before they are closed.
  boost::asio::posix::stream_descriptor readable, writable, ended;
  // Where READY and failures are received; a frame may arrive in several calls.
  std::array<std::byte, kSmallPayload> scratch{};
  bool readable_now = false;
  bool watch_pending = false;
  bool unwatched = false;  // drained, and its bell not yet armed
  bool writable_awaited = false;
  bool ended_now = false;
  unsigned generation = 0;  // wait handlers of an earlier worker of this slot find another number

  /// It may be told so more than once.
  void ChannelClosed() {
    if (gone_by == 0) gone_by = Now() + kGoneAfterClosing;
  }

  void StopWatching() {
    ++generation;
    for (auto* descriptor : {&readable, &writable, &ended}) {
      if (descriptor->is_open()) descriptor->release();
    }
    watch_pending = readable_now = unwatched = writable_awaited = ended_now = false;
  }
};

}  // namespace procpool
