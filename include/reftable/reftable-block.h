/* The place where git's library declares single blocks of a table. */
#ifndef REFTABLE_FORWARD_BLOCK_H
#define REFTABLE_FORWARD_BLOCK_H

#include "../reftable.h"

#endif
