/* The place where git's library declares checks of a stack. */
#ifndef REFTABLE_FORWARD_FSCK_H
#define REFTABLE_FORWARD_FSCK_H

#include "../reftable.h"

#endif
