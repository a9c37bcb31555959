// expected: include <procpool/cereal.h> and give it a serialize() function
#include <procpool/task.h>

#include <map>
#include <string>

const procpool::Task count{"count", [](const std::map<std::string, int>& counts) {
                             return static_cast<int>(counts.size());
                           }};
