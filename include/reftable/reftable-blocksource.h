/* The place where git's library declares where tables are read from. */
#ifndef REFTABLE_FORWARD_BLOCKSOURCE_H
#define REFTABLE_FORWARD_BLOCKSOURCE_H

#include "../reftable.h"

#endif
