/* The place where git's library declares writing tables. */
#ifndef REFTABLE_FORWARD_WRITER_H
#define REFTABLE_FORWARD_WRITER_H

#include "../reftable.h"

#endif
