#include "common/channel_factory.h"

#include <array>
#include <utility>

#include "common/channel_pipe.h"
#include "common/channel_queue.h"
#include "common/channel_shm.h"

namespace procpool {
namespace {

template <typename... Fds>
std::vector<UniqueFd> List(Fds... fds) {
  std::vector<UniqueFd> list;
  (list.push_back(std::move(fds)), ...);
  return list;
}

constexpr auto kPipe =
    Transport{"pipe",
              "two pipes per worker; rows are read straight into the grid",
              false,
              2,
              [](const ChannelSetup& setup) {
                PipePair pair = MakePipeChannel(PipeBufferBytes(setup.workers));
                return MadeChannel{.near = std::move(pair.near),
                                   .far_fds = List(std::move(pair.far_in), std::move(pair.far_out)),
                                   .far_name = {}};
              },
              [](std::vector<UniqueFd> fds, const std::string&, const ChannelSetup&) {
                return OpenPipeChannel(std::move(fds[0]), std::move(fds[1]));
              }};

constexpr auto kQueue = Transport{
    "queue",
    "two Boost message queues per worker; rows are copied in and out",
    false,
    2,
    [](const ChannelSetup& setup) {
      QueuePair pair = MakeQueueChannel(setup.control);
      return MadeChannel{
          .near = std::move(pair.near),
          .far_fds = List(std::move(pair.far_doorbell_in), std::move(pair.far_doorbell_out)),
          .far_name = std::move(pair.name),
          .far_opened = std::move(pair.unlink)};
    },
    [](std::vector<UniqueFd> fds, const std::string& name, const ChannelSetup& setup) {
      return OpenQueueChannel(name, std::move(fds[0]), std::move(fds[1]), setup.control);
    }};

constexpr auto kShm = Transport{
    "shm",
    "shared memory: rings per worker, rows written in place",
    true,
    2,
    [](const ChannelSetup& setup) {
      ShmPair pair = MakeShmChannel(setup.control, setup.table);
      return MadeChannel{.near = std::move(pair.near),
                         .far_fds = List(std::move(pair.far_region), std::move(pair.far_doorbell)),
                         .far_name = {}};
    },
    [](std::vector<UniqueFd> fds, const std::string&, const ChannelSetup& setup) {
      return OpenShmChannel(std::move(fds[0]), std::move(fds[1]), setup.control, setup.table);
    }};

constexpr std::array kTransports{kPipe, kQueue, kShm};

}  // namespace

std::span<const Transport> Transports() {
  return kTransports;
}

const Transport* FindTransport(std::string_view name) {
  for (const Transport& transport : kTransports) {
    if (transport.name == name) return &transport;
  }
  return nullptr;
}

}  // namespace procpool
