// The tasks of a soak. What one does, and what comes of it, is in its argument, so that whoever
// calls it knows what may come back.
#pragma once

#include <vector>

#include <procpool/task.h>

namespace procpool::soak {

/// What `act` does with a number.
enum class Deed { kReturn, kNap, kThrow, kDie, kExit, kHang };
/// Most numbers are returned at once.
Deed DeedOf(int number);

/// Returns the number, unless it asks for something else.
extern const Task<int(int)> act;
/// The elements in reverse order.
extern const Task<std::vector<int>(const std::vector<int>&)> reversed;
/// Sets all elements.
extern const Task<void(SharedArray<int>, int)> fill;

}  // namespace procpool::soak
