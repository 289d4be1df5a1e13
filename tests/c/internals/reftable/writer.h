/* Nothing but what the tests expect to come with it. */
#ifndef INTERNALS_WRITER_H
#define INTERNALS_WRITER_H

#include "block.h"
#include "reftable/reftable-writer.h"

#endif
