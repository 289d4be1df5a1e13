/* The place where git's library declares buffers, hash functions and the allocator. */
#ifndef REFTABLE_FORWARD_BASICS_H
#define REFTABLE_FORWARD_BASICS_H

#include "../reftable.h"

#endif
