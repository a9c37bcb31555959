// Which procpool this is: the one place where the version is written down, which CMakeLists.txt
// reads too. Before 1.0 a program is built again for each new minor version.
#pragma once

/// First part of the version.
#define PROCPOOL_VERSION_MAJOR 0
/// Second part: what is compatible has the same, before 1.0.
#define PROCPOOL_VERSION_MINOR 2
/// Third part.
#define PROCPOOL_VERSION_PATCH 0
/// The version as text.
#define PROCPOOL_VERSION "0.2.0"
