/* The place where git's library declares walks over records. */
#ifndef REFTABLE_FORWARD_ITERATOR_H
#define REFTABLE_FORWARD_ITERATOR_H

#include "../reftable.h"

#endif
