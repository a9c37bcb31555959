// A file appears whole or not at all, and a path that cannot be written is named before any work is
// done. Root may write anywhere, so the errors here are ones that root meets too.
#include "master/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <procpool/error.h>
#include "common/unique_fd.h"
#include "tests/temporary_folder.h"

namespace procpool {
namespace {

namespace fs = std::filesystem;
using Temporary = OutputFile::Temporary;

void WriteText(OutputFile& file, std::string_view text) {
  file.Write(std::as_bytes(std::span(text)));
}

std::string ReadText(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

mode_t ModeOf(const fs::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 07777;
}

/// Runs `body` in a child process and returns how it ended. The child ends with 0 if `body`
/// returns.
int StatusOfChild(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

class OutputFileTest : public testing::TestWithParam<Temporary> {
 protected:
  std::string In(std::string_view name) const { return folder_.In(name); }

  /// Hidden names too: a temporary one would be seen.
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
  }

  /// Opens `path`, which must fail, and holds the message against what it has to name.
  static void ExpectRefused(const std::string& path, std::string_view cause,
                            std::string_view remedy) {
    try {
      const OutputFile file(path, GetParam());
      ADD_FAILURE() << path << " was opened";
    } catch (const Error& error) {
      const std::string text = error.what();
      EXPECT_EQ(error.blame(), Blame::kUser) << text;
      EXPECT_NE(text.find("'" + path + "'"), text.npos) << text;
      EXPECT_NE(text.find(cause), text.npos) << text;
      EXPECT_NE(text.find(remedy), text.npos) << text;
    }
  }

  TemporaryFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(, OutputFileTest,
                         testing::Values(Temporary::kUnnamedWherePossible, Temporary::kNamed),
                         [](const auto& test) {
                           return test.param == Temporary::kNamed ? "Named" : "Unnamed";
                         });

TEST_P(OutputFileTest, AppearsAtCommitAndNotBefore) {
  {
    OutputFile file(In("a.npy"), GetParam());
    WriteText(file, "one ");
    WriteText(file, "two");
    EXPECT_FALSE(fs::exists(In("a.npy")));
    file.Commit();
  }
  EXPECT_EQ(Names(), std::vector<std::string>{"a.npy"});
  EXPECT_EQ(ReadText(In("a.npy")), "one two");
}

TEST_P(OutputFileTest, NothingIsLeftWithoutCommit) {
  {
    OutputFile file(In("a.npy"), GetParam());
    WriteText(file, "half");
  }
  EXPECT_TRUE(Names().empty());
}

TEST_P(OutputFileTest, AnOldFileStaysUntilCommit) {
  std::ofstream(In("a.npy")) << "old";
  {
    OutputFile file(In("a.npy"), GetParam());
    WriteText(file, "half");
  }
  EXPECT_EQ(ReadText(In("a.npy")), "old");
  {
    OutputFile file(In("a.npy"), GetParam());
    WriteText(file, "new");
    EXPECT_EQ(ReadText(In("a.npy")), "old");
    file.Commit();
  }
  EXPECT_EQ(ReadText(In("a.npy")), "new");
  EXPECT_EQ(Names(), std::vector<std::string>{"a.npy"});
}

TEST_P(OutputFileTest, NewFilesFollowTheUmaskAndOldOnesKeepTheirBits) {
  const mode_t before = ::umask(027);
  OutputFile fresh(In("fresh"), GetParam());
  ::umask(before);
  fresh.Commit();
  EXPECT_EQ(ModeOf(In("fresh")), 0640U);

  ASSERT_EQ(::chmod(In("fresh").c_str(), 0604), 0);
  OutputFile again(In("fresh"), GetParam());
  again.Commit();
  EXPECT_EQ(ModeOf(In("fresh")), 0604U);
}

TEST_P(OutputFileTest, ALinkStaysAndItsTargetIsReplaced) {
  fs::create_directory(In("deep"));
  std::ofstream(In("deep/target")) << "old";
  fs::create_symlink("deep/target", In("link"));
  OutputFile file(In("link"), GetParam());
  WriteText(file, "new");
  file.Commit();
  EXPECT_TRUE(fs::is_symlink(In("link")));
  EXPECT_EQ(ReadText(In("deep/target")), "new");
}

TEST_P(OutputFileTest, TheDirectoryMayBeRenamedMeanwhile) {
  fs::create_directory(In("before"));
  OutputFile file(In("before/a"), GetParam());
  fs::rename(In("before"), In("after"));
  file.Commit();
  EXPECT_TRUE(fs::exists(In("after/a")));
}

TEST_P(OutputFileTest, ALongNameAndARelativeOneWork) {
  const std::string longest(255, 'n');
  std::ofstream(In(longest)) << "old";  // replaced: that takes a second name beside it
  OutputFile file(In(longest), GetParam());
  file.Commit();
  EXPECT_EQ(ReadText(In(longest)), "");

  const fs::path home = fs::current_path();
  fs::current_path(folder_.path());
  OutputFile relative("plain", GetParam());
  fs::current_path(home);
  relative.Commit();
  EXPECT_TRUE(fs::exists(In("plain")));
}

TEST_P(OutputFileTest, WrongPathsAreRefusedAtOnce) {
  std::ofstream(In("file")) << "text";
  fs::create_symlink("loop", In("loop"));
  ExpectRefused("", "path is empty", "give the name of a file");
  ExpectRefused(In("missing/a.png"), "No such file or directory", "create its directory");
  ExpectRefused(In("file/a.png"), "Not a directory", "a part of the path is a file");
  ExpectRefused(folder_.path().string(), "Is a directory", "the name of a file in it");
  ExpectRefused(In("missing/"), "Is a directory", "the name of a file in it");
  ExpectRefused(In(std::string(256, 'n')), "File name too long", "shorter name");
  ExpectRefused(In("loop"), "Too many levels of symbolic links", "symbolic links end");
  ExpectRefused("/dev/fd/999999", "descriptor is not open", "another file");
  const UniqueFd read_only(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ExpectRefused("/dev/fd/" + std::to_string(read_only.get()), "not open for writing",
                "another file");
  ExpectRefused("/proc/a.png", "", "choose another");  // no files can be made there, by anyone
  EXPECT_EQ(Names(), (std::vector<std::string>{"file", "loop"}));
}

TEST_P(OutputFileTest, AReadOnlyFileIsNotReplacedThroughItsDirectory) {
  std::ofstream(In("kept")) << "old";
  fs::permissions(In("kept"), fs::perms{0444});
  fs::permissions(folder_.path(), fs::perms{0777});
  // Root passes every permission check, so the attempt is made as somebody else.
  const int status = StatusOfChild([&] {
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(2);
    try {
      const OutputFile file(In("kept"), GetParam());
      ::_exit(3);
    } catch (const Error& error) {
      const std::string_view text = error.what();
      const bool told = text.find("Permission denied") != text.npos;
      ::_exit(told && error.blame() == Blame::kUser ? 0 : 4);
    }
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(ReadText(In("kept")), "old");
  EXPECT_EQ(Names(), std::vector<std::string>{"kept"});
}

TEST_P(OutputFileTest, AFailedWriteLeavesNothing) {
  const int status = StatusOfChild([&] {
    // The limit cuts the first write short, so the partial write is met as well as the failure.
    const rlimit limit{1000, 1000};
    ::signal(SIGXFSZ, SIG_IGN);
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(2);
    try {
      OutputFile file(In("a.npy"), GetParam());
      WriteText(file, std::string(4000, 'x'));
      ::_exit(3);
    } catch (const Error& error) {
      const std::string_view text = error.what();
      const bool told = text.find("File too large") != text.npos;
      // By return, not _exit: the destructor has run, the child then ends.
      if (!told || error.blame() != Blame::kMachine) ::_exit(4);
    }
  });
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(Names().empty());
}

TEST(OutputFileKilledTest, NothingIsLeftBehind) {
  const TemporaryFolder folder;
  const int status = StatusOfChild([&] {
    OutputFile file(folder.In("a.npy"));
    WriteText(file, "half");
    ::kill(::getpid(), SIGKILL);
  });
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(OutputFileDirectTest, AFullDeviceIsTheMachinesFault) {
  OutputFile file("/dev/full");
  try {
    WriteText(file, "x");
    ADD_FAILURE() << "written";
  } catch (const Error& error) {
    EXPECT_EQ(error.blame(), Blame::kMachine);
    EXPECT_STREQ(error.what(),
                 "cannot write output file '/dev/full': No space left on device; make room, or "
                 "choose another place");
  }
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST(OutputFileDirectTest, ADeviceIsWrittenToAndStays) {
  OutputFile file("/dev/null");
  WriteText(file, "x");
  file.Commit();
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(OutputFileDirectTest, AnOpenDescriptorKeepsItsPlaceInTheFile) {
  std::FILE* const scratch = std::tmpfile();
  ASSERT_NE(scratch, nullptr);
  const int fd = ::fileno(scratch);
  ASSERT_EQ(::write(fd, "before ", 7), 7);
  {
    OutputFile file("/dev/fd/" + std::to_string(fd));
    WriteText(file, "after");
    file.Commit();
  }
  char text[16] = {};
  EXPECT_EQ(::pread(fd, text, sizeof text, 0), 12);
  EXPECT_STREQ(text, "before after");
  std::fclose(scratch);
}

TEST(OutputFileDirectTest, AFifoWaitsForItsReaderAndForRoom) {
  const TemporaryFolder folder;
  const std::string fifo = folder.In("fifo.npy");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::string received;
  std::jthread reader([&] { received = ReadText(fifo); });
  const std::string sent(std::size_t{1} << 20U, 'x');  // more than a fifo holds
  {
    OutputFile file(fifo);
    WriteText(file, sent);
    file.Commit();
  }
  reader.join();
  EXPECT_TRUE(received == sent);
  EXPECT_TRUE(fs::is_fifo(fifo));
}

}  // namespace
}  // namespace procpool
