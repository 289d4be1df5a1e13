/* Nothing of git's platform layer is needed here; a place for the include line. */
#ifndef INTERNALS_SYSTEM_H
#define INTERNALS_SYSTEM_H

#include "reftable/reftable-system.h"

#endif
