// Names in /dev/shm: whose owner lives they stay, whose owner was killed they go, and nothing else
// is touched. Other programs, tests that run beside this one among them, may reclaim names there at
// the same time: what a killed owner left may be gone at any moment, and somebody else may be just
// about to remove it.
#include "common/queue_names.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/channel_queue.h"
#include "common/clock.h"
#include "common/control_socket.h"
#include "common/unique_fd.h"

namespace procpool {
namespace {

namespace fs = std::filesystem;

std::string PathOf(const std::string& name) {
  return "/dev/shm/" + name;
}

/// "procpool.<random>" of a stem "procpool.<random>.<number>".
std::string OwnerOf(const std::string& stem) {
  return stem.substr(0, stem.rfind('.'));
}

std::set<std::string> NamesOf(const std::string& owner) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator("/dev/shm")) {
    std::string name = entry.path().filename();
    if (name.starts_with(owner + ".")) names.insert(std::move(name));
  }
  return names;
}

// What nobody owns is removed, if not by this process then by one that was quicker.
void ExpectReclaimed(const std::string& owner) {
  for (const Deadline deadline = Deadline::After(10 * kSecond);
       !NamesOf(owner).empty() && !deadline.Passed();) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(NamesOf(owner), std::set<std::string>{});
}

void Touch(const std::string& name) {
  std::ofstream(PathOf(name)) << "x";
}

/// A child that makes names, tells the stem and then waits to be killed.
class Owner {
 public:
  explicit Owner(const std::function<std::string()>& make_names) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const UniqueFd out(ends[0]);
    UniqueFd in(ends[1]);
    pid_ = ::fork();
    if (pid_ == 0) {
      const std::string stem = make_names();
      static_cast<void>(!::write(in.get(), stem.data(), stem.size()));
      in.Reset();
      for (;;) ::pause();
    }
    in.Reset();
    std::array<char, 256> text{};
    for (ssize_t got = 0; (got = ::read(out.get(), text.data(), text.size())) > 0;) {
      stem_.append(text.data(), static_cast<std::size_t>(got));
    }
  }
  ~Owner() { Kill(); }
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;

  void Kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  const std::string& stem() const { return stem_; }

 private:
  pid_t pid_ = 0;
  std::string stem_;
};

TEST(QueueNames, ALeaseIsSharedAndItsStemsDiffer) {
  std::shared_ptr<QueueNameLease> lease = QueueNameLease::Get();
  EXPECT_EQ(QueueNameLease::Get(), lease);
  const std::string first = lease->NewStem();
  const std::string second = lease->NewStem();
  EXPECT_NE(first, second);
  EXPECT_EQ(OwnerOf(first), OwnerOf(second));
  EXPECT_TRUE(first.starts_with("procpool.")) << first;
  const std::string lock = OwnerOf(first) + ".lock";
  EXPECT_EQ(NamesOf(OwnerOf(first)), std::set<std::string>{lock});

  lease.reset();
  EXPECT_FALSE(fs::exists(PathOf(lock))) << "gone with the last holder";
  EXPECT_NE(OwnerOf(QueueNameLease::Get()->NewStem()), OwnerOf(first));
}

TEST(QueueNames, NamesOfThisLiveProcessStay) {
  const std::shared_ptr<QueueNameLease> lease = QueueNameLease::Get();
  const std::string name = lease->NewStem() + ".tasks";
  Touch(name);
  ReclaimQueueNames();
  EXPECT_TRUE(fs::exists(PathOf(name)));
  EXPECT_TRUE(fs::exists(PathOf(OwnerOf(OwnerOf(name)) + ".lock")));
  fs::remove(PathOf(name));
}

TEST(QueueNames, NamesOfAnOwnerAreReclaimedOnceItWasKilled) {
  Owner owner([] {
    static const std::shared_ptr<QueueNameLease> lease = QueueNameLease::Get();
    std::string stem = lease->NewStem();
    Touch(stem + ".tasks");
    Touch(stem + ".results");
    Touch(lease->NewStem() + ".tasks");
    return stem;
  });
  ASSERT_FALSE(owner.stem().empty());
  const std::string name = OwnerOf(owner.stem());
  const std::set<std::string> all = NamesOf(name);
  EXPECT_EQ(all.size(), 4U);

  ReclaimQueueNames();
  EXPECT_EQ(NamesOf(name), all) << "the owner lives";

  owner.Kill();
  ReclaimQueueNames();
  ExpectReclaimed(name);
}

TEST(QueueNames, WhatCannotBeRemovedKeepsItsLockFileSoThatItIsFoundAgain) {
  Owner owner([] {
    static const std::shared_ptr<QueueNameLease> lease = QueueNameLease::Get();
    std::string stem = lease->NewStem();
    fs::create_directory(PathOf(stem + ".tasks"));  // nobody unlinks a directory
    Touch(stem + ".results");
    return stem;
  });
  const std::string name = OwnerOf(owner.stem());
  owner.Kill();
  ReclaimQueueNames();
  EXPECT_TRUE(fs::exists(PathOf(name + ".lock")));
  fs::remove(PathOf(owner.stem() + ".tasks"));
  ReclaimQueueNames();
  ExpectReclaimed(name);
}

TEST(QueueNames, ALeaseTakesAwayWhatWasLeft) {
  std::shared_ptr<QueueNameLease> lease = QueueNameLease::Get();
  const std::string stem = lease->NewStem();
  Touch(stem + ".tasks");
  lease.reset();
  EXPECT_EQ(NamesOf(OwnerOf(stem)), std::set<std::string>{});
}

TEST(QueueNames, TakingALeaseReclaimsToo) {
  Owner owner([] {
    static const std::shared_ptr<QueueNameLease> lease = QueueNameLease::Get();
    std::string stem = lease->NewStem();
    Touch(stem + ".results");
    return stem;
  });
  EXPECT_EQ(NamesOf(OwnerOf(owner.stem())).size(), 2U);
  owner.Kill();
  QueueNameLease::Get();
  ExpectReclaimed(OwnerOf(owner.stem()));
}

TEST(QueueNames, OneOwnersDeathLeavesTheOthersAlone) {
  const auto make = [] {
    static const std::shared_ptr<QueueNameLease> lease = QueueNameLease::Get();
    std::string stem = lease->NewStem();
    Touch(stem + ".tasks");
    return stem;
  };
  Owner lives(make);
  Owner dies(make);
  ASSERT_NE(OwnerOf(lives.stem()), OwnerOf(dies.stem()));
  dies.Kill();
  ReclaimQueueNames();
  EXPECT_EQ(NamesOf(OwnerOf(lives.stem())).size(), 2U);
  ExpectReclaimed(OwnerOf(dies.stem()));
  lives.Kill();
  ReclaimQueueNames();
  ExpectReclaimed(OwnerOf(lives.stem()));
}

TEST(QueueNames, WhatHasNoLockFileOfItsOwnIsNotTouched) {
  // The pid keeps apart two runs of this test at the same time.
  const std::string tag = std::to_string(::getpid());
  const std::vector<std::string> names{"procpool.test-" + tag + ".0.tasks",
                                       "procpooltest-" + tag + ".lock", "other-" + tag + ".lock"};
  for (const std::string& name : names) Touch(name);
  const std::string target = PathOf("other-" + tag + ".target");
  Touch("other-" + tag + ".target");
  const std::string link = PathOf("procpool.link-" + tag + ".lock");
  fs::create_symlink(target, link);

  ReclaimQueueNames();
  for (const std::string& name : names) EXPECT_TRUE(fs::exists(PathOf(name))) << name;
  EXPECT_TRUE(fs::exists(target));
  EXPECT_TRUE(fs::is_symlink(link)) << "a link is no lock file, nobody follows it";

  for (const std::string& name : names) fs::remove(PathOf(name));
  fs::remove(link);
  fs::remove(target);
}

TEST(QueueNames, AChannelHasNamesOnlyUntilBothSidesHaveIt) {
  const auto [near, far] = ControlSocket::MakePair();
  QueuePair pair = MakeQueueChannel(near);
  const std::string owner = OwnerOf(pair.name);
  EXPECT_EQ(NamesOf(owner),
            (std::set<std::string>{owner + ".lock", pair.name + ".tasks", pair.name + ".results"}));
  const auto worker = OpenQueueChannel(pair.name, std::move(pair.far_doorbell_in),
                                       std::move(pair.far_doorbell_out), far);
  pair.unlink();
  EXPECT_EQ(NamesOf(owner), std::set<std::string>{});
  pair.unlink();
}

TEST(QueueNames, AChannelThatNobodyOpenedTakesItsNamesAlong) {
  const auto [near, far] = ControlSocket::MakePair();
  std::string owner;
  {
    const QueuePair pair = MakeQueueChannel(near);
    owner = OwnerOf(pair.name);
    EXPECT_EQ(NamesOf(owner).size(), 3U);
  }
  EXPECT_EQ(NamesOf(owner), std::set<std::string>{});
}

TEST(QueueNames, ChannelsOfAKilledMasterAreReclaimed) {
  Owner owner([] {
    static const auto controls = ControlSocket::MakePair();
    static const QueuePair pair = MakeQueueChannel(controls.first);
    return pair.name;
  });
  ASSERT_FALSE(owner.stem().empty());
  EXPECT_EQ(NamesOf(OwnerOf(owner.stem())).size(), 3U);
  owner.Kill();
  ReclaimQueueNames();
  ExpectReclaimed(OwnerOf(owner.stem()));
}

}  // namespace
}  // namespace procpool
