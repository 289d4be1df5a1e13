/* The place where git's library declares error codes and their texts. */
#ifndef REFTABLE_FORWARD_ERROR_H
#define REFTABLE_FORWARD_ERROR_H

#include "../reftable.h"

#endif
