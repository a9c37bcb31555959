// How a worker is told what it is: one argument and the descriptors it inherits. The worker has no
// defaults of its own.
//
// Promise: Decode(Encode(x)) == x. Anything else on the command line is an Error{kUser}: a worker
// is started by its master, not by hand.
//
// Descriptors: 3 is the control socket, 4 the page of the work mark, 5 and up are the channel's, in
// the order of MadeChannel::far_fds.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "common/clock.h"

namespace procpool {

inline constexpr int kControlFd = 3;
inline constexpr int kWorkMarkFd = 4;
inline constexpr int kFirstChannelFd = 5;
inline constexpr std::string_view kLaunchOption = "--launch=";

struct Launch {
  std::string transport;
  std::string channel_name;  ///< may be empty
  unsigned slot = 0;         ///< which worker of the pool, for the log
  pid_t parent = 0;          ///< the master; a worker with another parent leaves
  Nanoseconds spin = 0;      ///< how long to spin before parking
  std::string log_level = "warning";
  std::uint64_t life = 0;  ///< the how-manieth process of its slot, from 0
  std::string faults{};    ///< which it shall commit (fault_plan.h); mostly none

  bool operator==(const Launch&) const = default;
};

/// The whole argument, "--launch=…".
std::string EncodeLaunch(const Launch& launch);
Launch DecodeLaunch(std::string_view argument);

}  // namespace procpool
