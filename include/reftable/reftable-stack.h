/* The place where git's library declares stacks of tables, additions and compaction. */
#ifndef REFTABLE_FORWARD_STACK_H
#define REFTABLE_FORWARD_STACK_H

#include "../reftable.h"

#endif
