#include "master/output_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string_view>
#include <system_error>
#include <thread>

#include <procpool/error.h>
#include "common/os_error.h"
#include "common/standard_streams.h"

namespace procpool {
namespace {

constexpr std::chrono::seconds kFifoReaderDeadline{5};
constexpr std::chrono::milliseconds kFifoReaderPause{20};

/// Out of a resource: the path is right, so it is not the user who has to change the command.
bool IsShortage(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT || error_number == EMFILE ||
         error_number == ENFILE || error_number == ENOMEM || error_number == EIO;
}

std::string_view RemedyFor(int error_number) {
  switch (error_number) {
    case ENOENT:
      return "create its directory first, or choose another";
    case ENOTDIR:
      return "a part of the path is a file; choose a path through directories";
    case EISDIR:
      return "give the name of a file in it";
    case EACCES:
    case EPERM:
      return "choose a file and a directory that you may write to";
    case EROFS:
      return "choose a place on a writable file system";
    case ENAMETOOLONG:
      return "choose a shorter name";
    case ELOOP:
      return "choose a path whose symbolic links end somewhere";
    case ENXIO:
      return "start the program that reads from it first";
    case ENOSPC:
    case EDQUOT:
      return "make room, or choose another place";
    case EFBIG:
      return "raise the file size limit (ulimit -f), or choose another place";
    case EPIPE:
      return "keep the program that reads from it running to the end";
    case EBUSY:
      return "choose a file that is not itself a mount point";
    default:
      return "choose another file";
  }
}

/// N where the path stands for a descriptor that is already open, else -1. Such a path is not
/// opened: that would start at offset 0 of a file another program is writing to, and fails on a
/// socket.
int DescriptorNamedBy(std::string_view path) {
  constexpr std::string_view kFolder = "/dev/fd/";
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  if (!path.starts_with(kFolder)) return -1;
  path.remove_prefix(kFolder.size());
  int descriptor = -1;
  const auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), descriptor);
  return error == std::errc{} && end == path.data() + path.size() ? descriptor : -1;
}

std::string RandomName() {
  std::random_device device;
  const std::uint64_t number = std::uint64_t{device()} << 32U | device();
  char digits[2 * sizeof number];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number, 16);
  return std::string(".procpool-").append(digits, end);
}

std::string ThroughProc(int fd) {
  return "/proc/self/fd/" + std::to_string(fd);
}

}  // namespace

// By way of another constructor, so that the destructor cleans up when this one throws half-way.
OutputFile::OutputFile(std::string path, Temporary temporary)
    : OutputFile(std::move(path), NotYetOpen{}) {
  if (path_.empty()) Fail("the path is empty", "give the name of a file");
  if (const int descriptor = DescriptorNamedBy(path_); descriptor >= 0) {
    file_.Reset(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
    if (!file_) Fail("the descriptor is not open", "choose another file");
    if (!CanBeWritten(descriptor)) {
      Fail("the descriptor is not open for writing", "choose another file");
    }
    return;
  }
  struct stat status {};
  const bool exists = ::stat(path_.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) Fail(errno);
  if (exists && S_ISDIR(status.st_mode)) Fail(EISDIR);
  if (exists && !S_ISREG(status.st_mode)) {
    OpenDirect(S_ISFIFO(status.st_mode));
    return;
  }
  OpenDirectory();
  // The directory alone would allow the replacing of a file that its owner made read-only.
  if (exists && ::faccessat(directory_.get(), name_.c_str(), W_OK, AT_EACCESS) != 0) Fail(errno);
  OpenBeside(temporary);
  if (exists) KeepOwnerAndMode(status);
}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) ::unlinkat(directory_.get(), temporary_.c_str(), 0);
}

void OutputFile::OpenDirect(bool fifo) {
  // Opening a fifo waits for its reader for ever; asked not to wait, it fails with ENXIO until
  // there is one.
  const auto deadline = std::chrono::steady_clock::now() + kFifoReaderDeadline;
  for (;;) {
    file_.Reset(::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (file_) return;
    if (errno == EINTR) continue;
    if (!fifo || errno != ENXIO || std::chrono::steady_clock::now() >= deadline) Fail(errno);
    std::this_thread::sleep_for(kFifoReaderPause);
  }
}

void OutputFile::OpenDirectory() {
  std::error_code not_there;
  const std::filesystem::path real = std::filesystem::canonical(path_, not_there);
  const std::filesystem::path target = not_there ? std::filesystem::path(path_) : real;
  name_ = target.filename();
  if (name_.empty()) Fail(EISDIR);
  // Held open: while the job runs the directory may be renamed, and the program may go elsewhere.
  const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
  directory_.Reset(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory_) Fail(errno);
}

void OutputFile::OpenBeside(Temporary temporary) {
  if (temporary == Temporary::kUnnamedWherePossible) {
    file_.Reset(::openat(directory_.get(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666));
    // The name is given through /proc, which a bare container may lack.
    if (file_ && ::access(ThroughProc(file_.get()).c_str(), F_OK) == 0) return;
    // A kernel or file system without O_TMPFILE takes it for the flags it is made of, hence EISDIR
    // and EINVAL.
    if (!file_ && errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) Fail(errno);
  }
  do {
    temporary_ = RandomName();
    file_.Reset(::openat(directory_.get(), temporary_.c_str(),
                         O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666));
  } while (!file_ && errno == EEXIST);
  if (file_) return;
  temporary_.clear();
  Fail(errno);
}

void OutputFile::KeepOwnerAndMode(const struct stat& old) {
  // Only root may give a file away; anybody else's new file is their own, which is all they can
  // have.
  const bool other_owner = old.st_uid != ::geteuid() || old.st_gid != ::getegid();
  if (other_owner && ::fchown(file_.get(), old.st_uid, old.st_gid) != 0 && errno != EPERM)
    Fail(errno);
  if (::fchmod(file_.get(), old.st_mode & 0777) != 0) Fail(errno);
}

void OutputFile::Write(std::span<const std::byte> bytes) {
  const Nanoseconds begun = Now();
  WriteAll(bytes);
  writing_ += Now() - begun;
  size_ += bytes.size();
}

void OutputFile::WriteAll(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      // A fifo, or a standard output that somebody made non-blocking: wait for the reader.
      pollfd waiting{file_.get(), POLLOUT, 0};
      if (::poll(&waiting, 1, -1) < 0 && errno != EINTR) Fail(errno);
    } else if (errno != EINTR) {
      ThrowErrno("write", Object(), RemedyFor(errno));
    }
  }
}

void OutputFile::Commit() {
  if (directory_ && temporary_.empty()) LinkUnnamed();
  // Network file systems may keep a failed write to themselves until the file is closed.
  if (::close(file_.Release()) != 0 && errno != EINTR)
    ThrowErrno("close", Object(), RemedyFor(errno));
  if (temporary_.empty()) return;
  if (::renameat(directory_.get(), temporary_.c_str(), directory_.get(), name_.c_str()) != 0)
    ThrowErrno("replace", Object(), RemedyFor(errno));
  temporary_.clear();
}

void OutputFile::LinkUnnamed() {
  // A link never replaces a file. So where there is none yet the content gets its name in one step;
  // else it gets a temporary one first, and a rename does the replacing.
  const std::string content = ThroughProc(file_.get());
  std::string name = name_;
  while (::linkat(AT_FDCWD, content.c_str(), directory_.get(), name.c_str(), AT_SYMLINK_FOLLOW) !=
         0) {
    if (errno != EEXIST) ThrowErrno("name", Object(), RemedyFor(errno));
    name = RandomName();
  }
  if (name != name_) temporary_ = name;
}

void OutputFile::Fail(int error_number) const {
  throw Error(IsShortage(error_number) ? Blame::kMachine : Blame::kUser,
              {"write", Object(), ErrnoText(error_number), RemedyFor(error_number)});
}

void OutputFile::Fail(std::string_view cause, std::string_view remedy) const {
  throw Error(Blame::kUser, {"write", Object(), cause, remedy});
}

std::string OutputFile::Object() const {
  return "output file '" + path_ + "'";
}

}  // namespace procpool
