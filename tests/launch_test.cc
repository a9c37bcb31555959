#include "common/launch.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include <procpool/error.h>

namespace procpool {
namespace {

Launch Sample() {
  return {.transport = "queue",
          .channel_name = "procpool.0123456789abcdef.7",
          .slot = 12,
          .parent = 4711,
          .spin = 50'000,
          .log_level = "debug",
          .life = 3,
          .faults = "kill@computing:chunk=3,attempt=0;seed=7"};
}

TEST(Launch, DecodeIsTheInverseOfEncode) {
  EXPECT_EQ(DecodeLaunch(EncodeLaunch(Sample())), Sample());

  Launch launch;
  launch.transport = "shm";
  launch.parent = 1;
  EXPECT_EQ(DecodeLaunch(EncodeLaunch(launch)), launch);

  launch.slot = std::numeric_limits<unsigned>::max();
  launch.parent = std::numeric_limits<pid_t>::max();
  launch.spin = std::numeric_limits<Nanoseconds>::max();
  EXPECT_EQ(DecodeLaunch(EncodeLaunch(launch)), launch);
}

TEST(Launch, IsOneArgument) {
  EXPECT_EQ(EncodeLaunch(Sample()),
            "--launch=transport=queue,name=procpool.0123456789abcdef.7,slot=12,parent=4711,spin="
            "50000,log=debug,life=3,faults=kill@computing:chunk=3,attempt=0;seed=7");
}

TEST(Launch, AnythingElseIsTheUsersError) {
  const std::string good = EncodeLaunch(Sample());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& argument :
       {std::string(), std::string("--help"), std::string("--launch="), std::string("--launch"),
        "--launch=more=1," + good.substr(9), "--launch=more," + good.substr(9),
        with("--launch", "--lunch"), with("transport=", "transports="), with("slot=12,", ""),
        with("slot=12", "slot=-1"), with("slot=12", "slot="), with("slot=12", "slot=12x"),
        with("slot=12", "slot= 12"), with("slot=12", "slot=4294967296"),
        with("parent=4711", "parent=99999999999"), with("spin=50000", "spin=1e3"),
        with("life=3,", ""), with("life=3", "life=-3"), with(",faults=", ",fault=")}) {
    try {
      DecodeLaunch(argument);
      ADD_FAILURE() << "accepted: '" << argument << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.blame(), Blame::kUser) << argument;
      EXPECT_NE(std::string(error.what()).find("run master"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace procpool
