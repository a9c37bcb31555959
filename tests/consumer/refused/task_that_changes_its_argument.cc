// expected: a task cannot change its caller's arguments, which are in another process
#include <procpool/task.h>

#include <algorithm>
#include <vector>

const procpool::Task sort{
    "sort", [](std::vector<int>& numbers) { std::sort(numbers.begin(), numbers.end()); }};
