// What a program may use of the shared library. Everything else in it is hidden, so that neither
// the engine nor the libraries that it is made of (spdlog, fmt, Boost) meet those of the program.
#pragma once

/// Stands before what a public header declares and the library defines, and before classes whose
/// exceptions or virtual functions cross between the library and the program.
#define PROCPOOL_EXPORT __attribute__((visibility("default")))
/// Stands before a class of the library's own inside one of those.
#define PROCPOOL_HIDDEN __attribute__((visibility("hidden")))
