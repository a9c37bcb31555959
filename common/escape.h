// When an orbit has escaped, decided fast where it can be: by its norm re*re + im*im.
//
// The norm decides by itself outside a band around the bailout's square. Inside it the rule of the
// fractal does (std::abs is hypot), and what is slow about that is met by hardly any point.
//
//  - Measure::kNorm: the norm is the measure; the band is the bailout itself, where > and >= are
//    not the same.
//  - Measure::kAbs: the norm differs from |z|^2 by less than one epsilon, hypot from |z| by no more
//    than one ulp, so the band is 8 epsilon wide on either side. Where the bailout's square is not
//    finite, the band's upper end is infinite and a finite norm below its lower end is certain;
//    DBL_MIN is added for squares that lose bits as denormals.
//
// NaN lies in every band: it is neither below nor above.
#pragma once

#include "common/fractal.h"

namespace procpool {

struct EscapeBand {
  double below;  ///< a norm below it has certainly not escaped …
  double above;  ///< … and one above it certainly has
};

EscapeBand EscapeBandOf(const Fractal& fractal);

/// By the fractal's own rule.
bool HasEscaped(const Fractal& fractal, double re, double im);

/// Where steps may be done without a look at each of them: what has escaped stays outside.
///
/// With R the bailout's radius and |c| <= R*R - R: from |z| >= R follows |z*z + c| >= R*R - |c| >=
/// R. A millionth less than that for |c| makes up for rounding where R >= 1.01, so that the norm is
/// then never below R*R * (1 - 2^-40). What is not finite stays so. Radii above 1e100 are taken as
/// 1e100, and no larger c either: so large, 2*p + c with one rounding could be finite where (p + p)
/// is not.
struct UncheckedSteps {
  double most_constant;  ///< the largest |c|; negative: no c is small enough
  double suspicious;     ///< a norm not below it may be one of an orbit that has escaped
};

UncheckedSteps UncheckedStepsOf(const Fractal& fractal);

}  // namespace procpool
