/* The place where git's library declares single tables. */
#ifndef REFTABLE_FORWARD_TABLE_H
#define REFTABLE_FORWARD_TABLE_H

#include "../reftable.h"

#endif
