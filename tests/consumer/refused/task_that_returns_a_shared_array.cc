// expected: a SharedArray is made in the master and given to the task: it cannot be a result
#include <procpool/task.h>

const procpool::Task make{"make", [](int size) { return procpool::SharedArray<int>(size); }};
