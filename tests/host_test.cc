// Limits of a machine that is made of files: /proc and /sys below a temporary directory.
#include "common/host.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include <procpool/error.h>

#include "tests/temporary_folder.h"

namespace procpool {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

unsigned AffinityCpus() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  EXPECT_EQ(::sched_getaffinity(0, sizeof mask, &mask), 0);
  return static_cast<unsigned>(CPU_COUNT(&mask));
}

class HostTest : public testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) const {
    const fs::path file = root_ + path;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void Memory(std::uint64_t available_kibibytes) const {
    Write("/proc/meminfo",
          "MemTotal:       99999999 kB\nMemFree:           10 kB\nMemAvailable:   " +
              std::to_string(available_kibibytes) + " kB\nBuffers:   5 kB\n");
  }
  void Version2(const std::string& group, const std::string& mounted_root = "/") const {
    Write("/proc/self/cgroup", "0::" + group + "\n");
    Write("/proc/self/mountinfo",
          "22 28 0:20 / /proc rw,nosuid shared:5 - proc proc rw\n"
          "30 23 0:26 " +
              mounted_root +
              " /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
  }
  void Version1(const std::string& group) const {
    Write("/proc/self/cgroup",
          "9:cpu,cpuacct:" + group + "\n5:memory:" + group + "\n1:name=systemd:/\n");
    Write("/proc/self/mountinfo",
          "33 23 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
          "34 23 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n");
  }
  void Limit2(const std::string& group, const std::string& limit, const std::string& usage,
              const std::string& inactive_file = "0") const {
    Write("/sys/fs/cgroup" + group + "/memory.max", limit + "\n");
    Write("/sys/fs/cgroup" + group + "/memory.current", usage + "\n");
    Write("/sys/fs/cgroup" + group + "/memory.stat",
          "anon 77\nfile 88\ninactive_anon 99\ninactive_file " + inactive_file +
              "\nactive_file 66\n");
  }
  void Limit1(const std::string& group, const std::string& limit, const std::string& usage,
              const std::string& inactive_file) const {
    Write("/sys/fs/cgroup/memory" + group + "/memory.limit_in_bytes", limit + "\n");
    Write("/sys/fs/cgroup/memory" + group + "/memory.usage_in_bytes", usage + "\n");
    Write("/sys/fs/cgroup/memory" + group + "/memory.stat",
          "cache 1\ninactive_file 2\ntotal_inactive_file " + inactive_file + "\n");
  }

  TemporaryFolder folder_;
  std::string root_ = folder_.path();
};

TEST_F(HostTest, WithoutAnyFileOnlyTheAffinityMaskCounts) {
  EXPECT_EQ(UsableCpus(root_), AffinityCpus());
  EXPECT_EQ(AvailableMemory(root_), kUnlimited);
}

TEST_F(HostTest, MemAvailableCountsWithoutCgroups) {
  Memory(1000);
  EXPECT_EQ(AvailableMemory(root_), 1'024'000U);
}

TEST_F(HostTest, Version2LimitLessWhatIsUsedButNotReclaimable) {
  Memory(1'000'000);
  Version2("/a/b");
  Limit2("/a/b", "100000", "60000", "10000");
  EXPECT_EQ(AvailableMemory(root_), 50'000U);
  Limit2("/a/b", "100000", "60000", "70000");
  EXPECT_EQ(AvailableMemory(root_), 100'000U) << "all of it can be reclaimed";
  Limit2("/a/b", "100000", "160000", "10000");
  EXPECT_EQ(AvailableMemory(root_), 0U) << "over the limit";
  Limit2("/a/b", "max", "60000", "10000");
  EXPECT_EQ(AvailableMemory(root_), 1'024'000'000U);
  Limit2("/a/b", "2000000000000", "0");
  EXPECT_EQ(AvailableMemory(root_), 1'024'000'000U) << "the machine has less than the limit";
}

TEST_F(HostTest, Version2AncestorsLimitTheirDescendants) {
  Memory(1'000'000);
  Version2("/a/b/c");
  Limit2("/a/b/c", "max", "10");
  Limit2("/a/b", "100000", "0");
  Limit2("/a", "50000", "20000");
  EXPECT_EQ(AvailableMemory(root_), 30'000U);
  Limit2("/other", "1", "0");
  EXPECT_EQ(AvailableMemory(root_), 30'000U) << "no ancestor";
  Limit2("", "20000", "0");
  EXPECT_EQ(AvailableMemory(root_), 20'000U) << "what is mounted at the top may be limited too";
}

TEST_F(HostTest, Version2InAContainerSeesOnlyItsPartOfTheTree) {
  Memory(1'000'000);
  Version2("/docker/abc/sub", "/docker/abc");
  Limit2("/sub", "40000", "0");
  Limit2("", "60000", "0");
  EXPECT_EQ(AvailableMemory(root_), 40'000U);
  Version2("/../elsewhere", "/docker/abc");
  EXPECT_EQ(AvailableMemory(root_), 60'000U) << "a group outside the mount counts as its top";
}

TEST_F(HostTest, Version1LimitsOfTheGroupAndItsAncestors) {
  Memory(1'000'000);
  Version1("/x/y");
  Limit1("", "9223372036854771712", "500", "0");
  EXPECT_EQ(AvailableMemory(root_), 1'024'000'000U);
  Limit1("/x/y", "80000", "30000", "5000");
  EXPECT_EQ(AvailableMemory(root_), 55'000U);
  Limit1("/x", "70000", "30000", "0");
  EXPECT_EQ(AvailableMemory(root_), 40'000U);
}

TEST_F(HostTest, ALimitThatCannotBeReadDoesNotCount) {
  Memory(1'000'000);
  Version2("/a");
  Write("/sys/fs/cgroup/a/memory.max", "100000\n");
  EXPECT_EQ(AvailableMemory(root_), 1'024'000'000U) << "usage is missing";
  Limit2("/a", "garbage", "7");
  EXPECT_EQ(AvailableMemory(root_), 1'024'000'000U);
  Write("/proc/self/mountinfo", "30 23 0:26 /\nbroken line -\n");
  EXPECT_EQ(AvailableMemory(root_), 1'024'000'000U);
}

TEST_F(HostTest, Version2QuotasAreRoundedUpButNeverAboveTheMask) {
  const unsigned mask = AffinityCpus();
  Version2("/a/b");
  const auto with_quota = [&](const std::string& text) {
    Write("/sys/fs/cgroup/a/b/cpu.max", text);
    return UsableCpus(root_);
  };
  EXPECT_EQ(with_quota("max 100000\n"), mask);
  EXPECT_EQ(with_quota("1000 100000\n"), 1U);
  EXPECT_EQ(with_quota("100000 100000\n"), 1U);
  EXPECT_EQ(with_quota("100001 100000\n"), std::min(mask, 2U));
  EXPECT_EQ(with_quota("200000 100000\n"), std::min(mask, 2U));
  EXPECT_EQ(with_quota("99999900000 100000\n"), mask);
  EXPECT_EQ(with_quota("garbage\n"), mask);

  Write("/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
  EXPECT_EQ(UsableCpus(root_), 1U) << "an ancestor's quota";
}

TEST_F(HostTest, Version1QuotasLikewise) {
  const unsigned mask = AffinityCpus();
  Version1("/x/y");
  const auto with_quota = [&](const std::string& group, const std::string& quota) {
    Write("/sys/fs/cgroup/cpu,cpuacct" + group + "/cpu.cfs_quota_us", quota + "\n");
    Write("/sys/fs/cgroup/cpu,cpuacct" + group + "/cpu.cfs_period_us", "100000\n");
    return UsableCpus(root_);
  };
  EXPECT_EQ(with_quota("/x/y", "-1"), mask);
  EXPECT_EQ(with_quota("/x/y", "150000"), std::min(mask, 2U));
  EXPECT_EQ(with_quota("/x", "70000"), 1U);
}

TEST(Host, ThisMachineIsDescribed) {
  const HostInfo host = DescribeHost();
  EXPECT_GE(host.cpus, 1U);
  EXPECT_LE(host.cpus, AffinityCpus());
  EXPECT_TRUE(host.kernel.starts_with("Linux ")) << host.kernel;
}

TEST(Host, MoreMemoryThanThereIsIsRefusedWithBothNumbers) {
  EXPECT_NO_THROW(RequireMemory(1, "a byte"));
  try {
    RequireMemory(kUnlimited, "the grid");
    FAIL() << "nobody has so much memory";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_EQ(error.blame(), Blame::kMachine);
    EXPECT_NE(text.find("cannot allocate the grid"), std::string::npos) << text;
    EXPECT_NE(text.find("17592186044415 MiB"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace procpool
