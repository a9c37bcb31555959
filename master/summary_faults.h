// The summary's last parts: what `--chaos` did, and the certificate of `--audit`, in words.
#pragma once

#include <string>

#include "master/audit.h"
#include "master/chaos_report.h"

namespace procpool {

/// The middle one of sorted times; 0 of none.
Nanoseconds MedianOf(const std::vector<Nanoseconds>& sorted);

std::string ChaosSummary(const ChaosReport& report);
std::string CertificateSummary(const Certificate& certificate);

}  // namespace procpool
