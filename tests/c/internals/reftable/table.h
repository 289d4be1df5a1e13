/* Nothing but what the tests expect to come with it. */
#ifndef INTERNALS_TABLE_H
#define INTERNALS_TABLE_H

#include "block.h"
#include "reftable/reftable-table.h"

#endif
