#include "master/lab/placement.h"

namespace procpool {
namespace {

void Pin(pid_t process, std::size_t cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  // Where it is forbidden the scheduler goes on to choose; the spread of the figures shows it.
  static_cast<void>(::sched_setaffinity(process, sizeof set, &set));
}

}  // namespace

Placement::Placement(Place place) : place_(place) {
  if (::sched_getaffinity(0, sizeof before_, &before_) != 0) place_ = Place::kFree;
  std::vector<std::size_t> usable;
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &before_)) usable.push_back(cpu);
  }
  if (usable.size() < 2 && place_ == Place::kApart) place_ = Place::kFree;
  if (place_ == Place::kFree) return;
  cpus_ = {usable[0], usable[place_ == Place::kApart ? 1 : 0]};
  Pin(0, cpus_[0]);
}

Placement::~Placement() {
  if (!cpus_.empty()) static_cast<void>(::sched_setaffinity(0, sizeof before_, &before_));
}

void Placement::Put(pid_t peer) const {
  if (!cpus_.empty() && peer > 0) Pin(peer, cpus_[1]);
}

std::string Placement::Text() const {
  if (cpus_.empty()) return "free";
  const std::string first = std::to_string(cpus_[0]);
  if (place_ == Place::kTogether) return "together: CPU " + first;
  return "apart: CPU " + first + " and " + std::to_string(cpus_[1]);
}

}  // namespace procpool
