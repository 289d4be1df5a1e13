/* Sizes around the blocks of a table, by the version of its format. */
#ifndef INTERNALS_BLOCK_H
#define INTERNALS_BLOCK_H

#include "record.h"
#include "reftable/reftable-block.h"

size_t header_size(int version);
size_t footer_size(int version);

#endif
