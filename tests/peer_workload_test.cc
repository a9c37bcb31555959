#include "master/lab/peer_workload.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/peers/native_peer.h"

namespace procpool {
namespace {

TEST(PeerWorkloadTest, EveryWorkloadComesBackBitForBit) {
  for (const auto& [name, description] : BuiltinWorkloads()) {
    const Workload workload = LoadWorkload(name);
    EXPECT_EQ(FractalOfJson(WorkloadJson(workload)), workload.fractal) << name;
  }
}

TEST(PeerWorkloadTest, OverridesComeBackToo) {
  const Workload workload = LoadWorkload(
      "julia-book", {.width = 7, .height = 3, .max_iterations = 9, .constant = {{-0.1, 1.0 / 3}}});
  EXPECT_EQ(FractalOfJson(WorkloadJson(workload)), workload.fractal);
}

TEST(PeerWorkloadTest, TheTextIsWhatTheProtocolSays) {
  const Workload workload = LoadWorkload("julia-lesson", {.width = 4, .height = 8});
  EXPECT_EQ(WorkloadJson(workload),
            R"({"name":"julia-lesson",)"
            R"("real":{"rule":"arange","points":8,"start":-2.0,"step":0.5},)"
            R"("imaginary":{"rule":"arange","points":4,"start":-2.0,"step":1.0},)"
            R"("rows":"real","pixel":"z","constant":[-0.8,-0.22],"max_iterations":80,)"
            R"("bailout":"inf","measure":"abs","when":">=","test":"after",)"
            R"("never":"max_iterations"})");
}

TEST(PeerWorkloadTest, WordsThatAreNotKnownAreRefused) {
  std::string text = WorkloadJson(LoadWorkload("julia-book"));
  text.replace(text.find("\"abs\""), 5, "\"sba\"");
  EXPECT_THROW(FractalOfJson(text), std::exception);
}

}  // namespace
}  // namespace procpool
