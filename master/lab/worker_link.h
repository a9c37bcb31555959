// A transport as a link: a real worker process and the channel to it, driven directly, without the
// pool's dispatch and event loop. Round trips are items of the task `echo`, streams results of the
// task `produce`, so many outstanding at once that the worker never waits for an order.
//
// In place: message and answer lie in a region that both share, and nothing but frames travels. The
// pool uses shared memory like that.
//
// While the link rests its worker is stopped (SIGSTOP), for one that spins would take a CPU from
// the others.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/channel_factory.h"
#include "master/lab/ipc_link.h"
#include "master/worker_setup.h"

namespace procpool {

struct WorkerLinkOptions {
  const Transport& transport;
  WaitMode wait = WaitMode::kPark;
  bool in_place = false;
  std::string worker_program{};
  std::size_t largest = 0;         ///< message
  std::span<std::byte> message{};  ///< the caller's memory, as long as `largest`; unused in place
  std::span<std::byte> answer{};
};

class WorkerLink final : public Link, private FrameSink {
 public:
  /// Starts the worker and waits until it is ready. Throws Error.
  explicit WorkerLink(const WorkerLinkOptions& options);
  /// STOP; then, if it does not leave, SIGKILL.
  ~WorkerLink() override;
  WorkerLink(const WorkerLink&) = delete;
  WorkerLink& operator=(const WorkerLink&) = delete;

  pid_t peer() const override { return process_->pid(); }
  void Wake() override;
  void Rest() noexcept override;
  std::span<std::byte> Message(std::size_t bytes) override { return message_.first(bytes); }
  std::span<const std::byte> RoundTrip(std::size_t bytes) override;
  void Stream(std::size_t bytes, std::uint64_t count, const Arrived& arrived) override;

 private:
  std::optional<std::span<std::byte>> PlaceFor(const FrameHeader& header) override;
  void Take(const Frame& frame) override;

  void ShareRegion(std::size_t largest);
  void BeginJob(std::uint32_t job, std::string_view task);
  void PostItem(std::uint32_t job, std::uint32_t task, std::span<const std::byte> input,
                std::span<std::byte> place);
  void Flush();
  /// Until something was received.
  void Receive();
  std::span<std::byte> PlaceOf(std::uint64_t item, std::size_t bytes) const;
  [[noreturn]] void Fail(const std::string& cause) const;

  std::string name_;
  bool in_place_;
  std::span<std::byte> message_, answer_;
  WorkerEnds ends_;
  std::optional<WorkerProcess> process_;

  bool ready_ = false;
  std::vector<std::byte> small_;  // READY and FAILED arrive here
  std::string failure_;
  std::uint64_t posted_ = 0;        // items, ever
  std::uint64_t answered_ = 0;      // likewise
  std::uint64_t stream_begun_ = 0;  // number of the stream's first item
  std::size_t expected_ = 0;        // bytes of an answer
  std::size_t got_ = 0;             // bytes of the answer that is arriving
  const Arrived* arrived_ = nullptr;
};

}  // namespace procpool
