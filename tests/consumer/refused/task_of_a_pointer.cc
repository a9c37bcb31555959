// expected: a pointer means nothing in another process
#include <procpool/task.h>

const procpool::Task first{"first", [](const int* numbers) { return *numbers; }};
