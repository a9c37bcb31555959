// The transports by name, and the only place in the program that lists them. A transport is a way
// to make channels.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/channel.h"
#include "common/control_socket.h"
#include "common/unique_fd.h"

namespace procpool {

/// What a channel is made with. `control` and `table` must outlive the channel.
struct ChannelSetup {
  const ControlSocket& control;
  RegionTable& table;
  std::size_t workers = 1;  ///< how many channels there will be, for sharing out limited buffers
};

struct MadeChannel {
  std::unique_ptr<Channel> near;
  std::vector<UniqueFd> far_fds;  ///< to be inherited by the worker, in this order
  std::string far_name;           ///< a name the worker needs as well; may be empty
  std::function<void()> far_opened = [] {
  };  ///< to be called once the worker has opened its end (READY came)
};

struct Transport {
  std::string_view name;
  std::string_view description;
  bool shares_memory;        ///< payloads in shared regions are not moved
  std::size_t far_fd_count;  ///< how many descriptors the far end is opened with
  MadeChannel (*make)(const ChannelSetup& setup);
  std::unique_ptr<Channel> (*open)(std::vector<UniqueFd> fds, const std::string& name,
                                   const ChannelSetup& setup);
};

std::span<const Transport> Transports();
/// nullptr if there is none of that name.
const Transport* FindTransport(std::string_view name);

}  // namespace procpool
