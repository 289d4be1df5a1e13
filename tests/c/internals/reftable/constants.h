/* Defaults of the writer. */
#ifndef INTERNALS_CONSTANTS_H
#define INTERNALS_CONSTANTS_H

#include "reftable/reftable-constants.h"

#define DEFAULT_BLOCK_SIZE 4096

#endif
