#include "master/lab/ipc_contenders.h"

#include <algorithm>
#include <stdexcept>

#include "common/host.h"
#include "master/lab/control_link.h"
#include "master/lab/raw_link.h"
#include "master/lab/raw_message_queue.h"
#include "master/lab/raw_ring.h"
#include "master/lab/raw_stream.h"
#include "master/lab/worker_link.h"

namespace procpool {
namespace {

struct Primitive {
  const char* name;
  RawPair (*make)(WaitMode mode);
  bool spins, sleeps;  // in which wait modes it makes sense
};

constexpr Primitive kPrimitives[] = {
    {"raw pipe", MakeRawPipe, true, true},
    {"raw socketpair", MakeRawSocketPair, true, true},
    {"raw eventfd", MakeRawEventFd, true, true},
    {"raw futex", MakeRawSharedMemory, false, true},
    {"raw spin", MakeRawSharedMemory, true, false},
    {"raw message_queue", MakeRawMessageQueue, true, true},
};

// What a transport is made of.
std::string RestsOn(std::string_view transport, WaitMode wait) {
  if (transport == "pipe") return "raw pipe";
  if (transport == "queue") return "raw message_queue";
  return wait == WaitMode::kSpin ? "raw spin" : "raw futex";
}

}  // namespace

std::string_view IpcContender::KindName() const {
  switch (kind) {
    case Kind::kTransport:
      return "transport";
    case Kind::kRaw:
      return "raw";
    default:
      return "control";
  }
}

std::string_view IpcContender::WaitName() const {
  return wait ? WaitModeName(*wait) : "-";
}

const IpcContender* IpcContenders::RawOf(const IpcContender& contender) const {
  const auto found = std::ranges::find_if(all, [&](const IpcContender& other) {
    return other.name == contender.rests_on && other.wait == contender.wait;
  });
  return found == all.end() ? nullptr : &*found;
}

IpcContender& IpcContenders::Named(const std::string& name) {
  const auto found = std::ranges::find(all, name, &IpcContender::name);
  if (found == all.end()) throw std::logic_error("there is no contender of that name");
  return *found;
}

IpcContenders MakeContenders(const IpcOptions& options) {
  const std::size_t largest = options.LargestSize();
  // A peer holds one message; in place there are a message and two answers to be shared.
  const std::size_t peers = options.waits.size() * (std::size(kPrimitives) + 6);
  RequireMemory(largest * (peers + 2), "messages of all peers");
  IpcContenders made{Buffer::Private(largest), Buffer::Private(largest), {}};
  const std::span<std::byte> message = made.message.bytes();
  const std::span<std::byte> answer = made.answer.bytes();
  using Kind = IpcContender::Kind;

  // Forked first: their copies of this process are small then, and hold no worker's channel.
  for (const Primitive& primitive : kPrimitives) {
    for (const WaitMode wait : options.waits) {
      if (!(wait == WaitMode::kSpin ? primitive.spins : primitive.sleeps)) continue;
      made.all.push_back(
          {Kind::kRaw, primitive.name, wait, "",
           std::make_unique<RawLink>(primitive.name, primitive.make(wait), message, answer)});
    }
  }
  for (const std::string& name : options.transports) {
    const Transport& transport = *FindTransport(name);
    for (const bool in_place : {false, true}) {
      if (in_place && !transport.shares_memory) continue;
      for (const WaitMode wait : options.waits) {
        made.all.push_back(
            {Kind::kTransport, name + (in_place ? " in place" : ""), wait, RestsOn(name, wait),
             std::make_unique<WorkerLink>(WorkerLinkOptions{.transport = transport,
                                                            .wait = wait,
                                                            .in_place = in_place,
                                                            .worker_program = options.worker,
                                                            .largest = largest,
                                                            .message = message,
                                                            .answer = answer})});
      }
    }
  }
  made.all.push_back(
      {Kind::kControl, "memcpy", std::nullopt, "", std::make_unique<MemcpyLink>(message, answer)});
  made.all.push_back(
      {Kind::kControl, "empty loop", std::nullopt, "", std::make_unique<EmptyLink>()});
  return made;
}

}  // namespace procpool
