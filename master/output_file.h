// A file that appears whole or not at all.
//
// Opened before the work starts, so that a path that cannot be written is found at once
// (Error{kUser} with the path, the cause and the remedy). The content goes into an unnamed file in
// the target's directory and gets the target's name at Commit(); a reader sees the old file or the
// new one, never a half. Without a Commit() nothing is left behind, not even when the process is
// killed: an unnamed file goes with its descriptor.
//
// - A regular file that exists is replaced; it must be writable, and its permission bits (and,
//   where allowed, its owner) are kept. Through a symbolic link the file it points to is replaced,
//   and the link stays.
// - What is no regular file (/dev/null, a fifo) is written to directly, and so are /dev/stdout,
//   /dev/stderr and /dev/fd/N, whatever they lead to. There "whole or not at all" does not hold.
// - Where the file system knows no unnamed files, a temporary name (".procpool-…") beside the
//   target is used and removed by the destructor; a process killed before that leaves it behind. So
//   it is, for the moment between two system calls, where an existing file is replaced.
// - Not synced to the disk: the promise is about processes that die, not about a power cut.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "common/clock.h"
#include "common/unique_fd.h"

namespace procpool {

class OutputFile {
 public:
  /// Tests ask for kNamed, to go the way of a file system without unnamed files.
  enum class Temporary { kUnnamedWherePossible, kNamed };

  /// Throws Error: kUser where the path is wrong, kMachine where the machine has run out of
  /// something. A fifo is waited for until it has a reader, for 5 seconds at most.
  explicit OutputFile(std::string path, Temporary temporary = Temporary::kUnnamedWherePossible);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();

  /// Appends all of `bytes`, or throws Error{kMachine} (no space left, a reader gone, ...); after
  /// that do not Commit(). Blocks as long as a pipe's reader does. The process ignores SIGPIPE, or
  /// a reader's end is the process's end.
  void Write(std::span<const std::byte> bytes);

  /// Gives the content its name. The last call made on this object; throws Error{kMachine}, the
  /// target then being what it was.
  void Commit();

  /// Bytes written, and the time that took.
  std::uint64_t size() const { return size_; }
  Nanoseconds writing() const { return writing_; }

  /// As given by the user.
  const std::string& path() const { return path_; }

 private:
  struct NotYetOpen {};
  OutputFile(std::string path, NotYetOpen) : path_(std::move(path)) {}

  void OpenDirect(bool fifo);
  void OpenDirectory();
  void OpenBeside(Temporary temporary);
  void KeepOwnerAndMode(const struct stat& old);
  void LinkUnnamed();
  [[noreturn]] void Fail(int error_number) const;
  [[noreturn]] void Fail(std::string_view cause, std::string_view remedy) const;
  std::string Object() const;

  void WriteAll(std::span<const std::byte> bytes);

  std::string path_;
  std::uint64_t size_ = 0;
  Nanoseconds writing_ = 0;
  UniqueFd file_;
  UniqueFd directory_;     // of the target; set where the content needs a name at the end
  std::string name_;       // the target's, in directory_
  std::string temporary_;  // the content's present name in directory_; empty while it has none
};

}  // namespace procpool
