/* The place where git's library declares the standard headers that the others need. */
#ifndef REFTABLE_FORWARD_SYSTEM_H
#define REFTABLE_FORWARD_SYSTEM_H

#include "../reftable.h"

#endif
