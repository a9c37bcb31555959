#include "common/build_id.h"

#include <procpool/version.h>
#include "build_id_value.h"

namespace procpool {

std::uint64_t BuildId() {
  return kBuildIdValue;
}

std::string_view Version() {
  return PROCPOOL_VERSION;
}

}  // namespace procpool
