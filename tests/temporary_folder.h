// A folder of a test's own: new, empty, and gone with its object, also when the test fails.
#pragma once

#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is POSIX

#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace procpool {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    // mkdtemp() puts letters of its own in the place of the six X.
    std::string name = (std::filesystem::temp_directory_path() / "procpool-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(), "cannot make folder " + name);
    }
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Path of a file in it.
  std::string In(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace procpool
