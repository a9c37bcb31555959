// Words of the user's (a path, a key, a value) for an error message.
//
// Promise: one line whatever they contain (control characters become '?'), and not longer than a
// message bears (the middle of a long text is replaced by "...").
#pragma once

#include <string>
#include <string_view>

namespace procpool {

std::string OneLine(std::string_view text);

/// OneLine in single quotes.
std::string Quoted(std::string_view text);

}  // namespace procpool
