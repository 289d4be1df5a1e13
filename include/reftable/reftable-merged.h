/* The place where git's library declares several tables seen as one. */
#ifndef REFTABLE_FORWARD_MERGED_H
#define REFTABLE_FORWARD_MERGED_H

#include "../reftable.h"

#endif
