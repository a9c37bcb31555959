#include "common/shared_region.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include <procpool/error.h>
#include "common/buffer.h"

namespace procpool {
namespace {

UniqueFd Duplicate(int fd) {
  return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

UniqueFd Memfd(off_t bytes, int seals) {
  UniqueFd fd(::memfd_create("procpool-test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_EQ(::ftruncate(fd.get(), bytes), 0);
  if (seals != 0) {
    EXPECT_EQ(::fcntl(fd.get(), F_ADD_SEALS, seals), 0);
  }
  return fd;
}

TEST(SharedRegion, IsZeroFilledOfTheSizeAskedForAndCloseOnExec) {
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{4096}, std::size_t{1'000'003}}) {
    const SharedRegion region = SharedRegion::Create(bytes);
    ASSERT_EQ(region.bytes().size(), bytes);
    for (const std::byte byte : region.bytes()) ASSERT_EQ(byte, std::byte{0});
    EXPECT_EQ(::fcntl(region.fd(), F_GETFD), FD_CLOEXEC);
  }
}

TEST(SharedRegion, ItsSizeCannotBeChanged) {
  const SharedRegion region = SharedRegion::Create(8192);
  for (const off_t bytes : {0, 4096, 8191, 8193, 1 << 20}) {
    errno = 0;
    EXPECT_EQ(::ftruncate(region.fd(), bytes), -1) << bytes;
    EXPECT_EQ(errno, EPERM) << bytes;
  }
  EXPECT_EQ(::fallocate(region.fd(), 0, 8192, 4096), -1);
  EXPECT_EQ(::fcntl(region.fd(), F_ADD_SEALS, F_SEAL_WRITE), -1) << "nor its seals";
  EXPECT_EQ(region.bytes()[8191], std::byte{0});
}

TEST(SharedRegion, TwoMappingsAreOneMemory) {
  const SharedRegion ours = SharedRegion::Create(10'000);
  SharedRegion theirs = SharedRegion::Open(Duplicate(ours.fd()), 10'000);
  ASSERT_NE(ours.bytes().data(), theirs.bytes().data());
  theirs.CloseDescriptor();
  EXPECT_LT(theirs.fd(), 0);
  ours.bytes()[9999] = std::byte{42};
  EXPECT_EQ(theirs.bytes()[9999], std::byte{42});
  theirs.bytes()[0] = std::byte{43};
  EXPECT_EQ(ours.bytes()[0], std::byte{43});
}

TEST(SharedRegion, OutlivesItsCreatorsMapping) {
  std::optional<SharedRegion> ours = SharedRegion::Create(100);
  const SharedRegion theirs = SharedRegion::Open(Duplicate(ours->fd()), 100);
  ours->bytes()[7] = std::byte{1};
  ours.reset();
  EXPECT_EQ(theirs.bytes()[7], std::byte{1});
}

TEST(SharedRegion, WhatIsShorterThanAnnouncedIsRefused) {
  const SharedRegion region = SharedRegion::Create(4096);
  EXPECT_THROW(SharedRegion::Open(Duplicate(region.fd()), 4097), Error);
  EXPECT_THROW(SharedRegion::Open(Duplicate(region.fd()), ~std::size_t{0}), Error);
  EXPECT_NO_THROW(SharedRegion::Open(Duplicate(region.fd()), 4095));
}

TEST(SharedRegion, WhatCouldShrinkIsRefused) {
  EXPECT_THROW(SharedRegion::Open(Memfd(4096, 0), 4096), Error);
  EXPECT_THROW(SharedRegion::Open(Memfd(4096, F_SEAL_GROW), 4096), Error);
  EXPECT_NO_THROW(SharedRegion::Open(Memfd(4096, F_SEAL_SHRINK), 4096));
}

TEST(SharedRegion, WhatIsNoMemoryIsRefused) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd other(ends[1]);
  EXPECT_THROW(SharedRegion::Open(UniqueFd(ends[0]), 1), Error);
  EXPECT_THROW(SharedRegion::Open(UniqueFd(), 1), Error);
  // Sealed against writing, so it cannot be mapped for it.
  EXPECT_THROW(SharedRegion::Open(Memfd(4096, F_SEAL_SHRINK | F_SEAL_WRITE), 4096), Error);
}

TEST(SharedRegion, AnImpossibleSizeIsAnErrorThatSaysSo) {
  try {
    SharedRegion::Create(~std::size_t{0} >> 1);
    FAIL() << "nobody has so much memory";
  } catch (const Error& error) {
    EXPECT_EQ(error.blame(), Blame::kMachine);
    EXPECT_NE(std::string(error.what()).find("shared region"), std::string::npos) << error.what();
  }
}

class RegionTableTest : public testing::Test {
 protected:
  RegionTableTest() {
    table_.Add(3, first_);
    table_.Add(4, second_);
  }
  std::shared_ptr<SharedRegion> first_ = std::make_shared<SharedRegion>(SharedRegion::Create(1000));
  std::shared_ptr<SharedRegion> second_ = std::make_shared<SharedRegion>(SharedRegion::Create(50));
  RegionTable table_;
};

TEST_F(RegionTableTest, FindsWhatWasAddedUntilItIsRemoved) {
  EXPECT_EQ(table_.Find(3), first_);
  EXPECT_EQ(table_.Find(4), second_);
  EXPECT_EQ(table_.Find(0), nullptr);
  table_.Remove(3);
  table_.Remove(77);
  EXPECT_EQ(table_.Find(3), nullptr);
  EXPECT_EQ(table_.Find(4), second_);
  EXPECT_FALSE(table_.Locate(first_->bytes()));
}

TEST_F(RegionTableTest, LocateAndResolveAreInverse) {
  for (const auto& [offset, bytes] : {std::pair{0, 1000}, {0, 0}, {1000, 0}, {999, 1}, {17, 500}}) {
    const std::span<std::byte> stretch = first_->bytes().subspan(offset, bytes);
    const std::optional<Locator> locator = table_.Locate(stretch);
    ASSERT_TRUE(locator) << offset << " " << bytes;
    // An empty stretch at a region's end may as well be said to lie in the one behind it.
    if (bytes > 0) {
      EXPECT_EQ(locator->region, 3U);
      EXPECT_EQ(locator->offset, static_cast<std::uint64_t>(offset));
    }
    EXPECT_EQ(locator->reserved, 0U);
    const auto resolved = table_.Resolve(*locator);
    ASSERT_TRUE(resolved);
    EXPECT_EQ(resolved->data(), stretch.data());
    EXPECT_EQ(resolved->size(), stretch.size());
  }
}

TEST_F(RegionTableTest, WhatIsNotWhollyInsideIsNotLocated) {
  const std::array<std::byte, 8> outside{};
  EXPECT_FALSE(table_.Locate(outside));
  const std::byte* begin = first_->bytes().data();
  EXPECT_FALSE(table_.Locate({begin + 993, 8}));
  EXPECT_FALSE(table_.Locate({begin - 1, 8}));
}

TEST_F(RegionTableTest, WrongLocatorsResolveToNothing) {
  constexpr std::uint64_t kHuge = ~std::uint64_t{0};
  EXPECT_FALSE(table_.Resolve({0, 0, 0, 0}));
  EXPECT_FALSE(table_.Resolve({5, 0, 0, 1}));
  EXPECT_FALSE(table_.Resolve({3, 0, 1001, 0}));
  EXPECT_FALSE(table_.Resolve({3, 0, 1000, 1}));
  EXPECT_FALSE(table_.Resolve({3, 0, 0, 1001}));
  EXPECT_FALSE(table_.Resolve({3, 0, kHuge, 2}));
  EXPECT_FALSE(table_.Resolve({3, 0, 1, kHuge}));
  EXPECT_TRUE(table_.Resolve({3, 0, 1000, 0}));
}

TEST(Buffer, PrivateIsZeroFilledAndInNoRegion) {
  const Buffer buffer = Buffer::Private(100'000);
  EXPECT_EQ(buffer.bytes().size(), 100'000U);
  EXPECT_EQ(buffer.as<std::int32_t>().size(), 25'000U);
  EXPECT_EQ(buffer.region_id(), 0U);
  EXPECT_EQ(buffer.region(), nullptr);
  for (const std::int32_t number : buffer.as<std::int32_t>()) ASSERT_EQ(number, 0);
  EXPECT_TRUE(Buffer::Private(0).bytes().empty());
  EXPECT_THROW(Buffer::Private(~std::size_t{0} >> 1), Error);
}

TEST(Buffer, SharedIsItsRegionsMemoryAndKeepsIt) {
  auto region = std::make_shared<SharedRegion>(SharedRegion::Create(64));
  std::byte* const memory = region->bytes().data();
  Buffer buffer = Buffer::Shared(9, std::move(region));
  const Buffer moved = std::move(buffer);
  EXPECT_EQ(moved.region_id(), 9U);
  EXPECT_EQ(moved.bytes().data(), memory);
  EXPECT_EQ(moved.bytes().size(), 64U);
  moved.bytes()[63] = std::byte{1};
}

}  // namespace
}  // namespace procpool
