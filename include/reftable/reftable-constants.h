/* The place where git's library declares the types of blocks. */
#ifndef REFTABLE_FORWARD_CONSTANTS_H
#define REFTABLE_FORWARD_CONSTANTS_H

#include "../reftable.h"

#endif
