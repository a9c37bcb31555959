// A crash of the soak itself says in which round it was, before it ends the program as it would
// have.
#pragma once

namespace procpool::soak {

/// From now on; where nobody else has a handler (a sanitizer has).
void NoteCrashes();
/// The round that runs.
void NoteRound(unsigned seed);

}  // namespace procpool::soak
