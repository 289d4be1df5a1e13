/* The place where git's library declares refs and reflog entries. */
#ifndef REFTABLE_FORWARD_RECORD_H
#define REFTABLE_FORWARD_RECORD_H

#include "../reftable.h"

#endif
