/* A step of an iterator, for records of any type. */
#ifndef INTERNALS_ITER_H
#define INTERNALS_ITER_H

#include "block.h"
#include "reftable/reftable-iterator.h"

int iterator_next(struct reftable_iterator *it, struct reftable_record *rec);

#endif
