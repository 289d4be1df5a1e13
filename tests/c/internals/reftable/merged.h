/* What git's unit tests see of a merged table. */
#ifndef INTERNALS_MERGED_H
#define INTERNALS_MERGED_H

#include "basics.h"
#include "reftable/reftable-merged.h"

/* Its first members; the library's own follow. */
struct reftable_merged_table {
	struct reftable_table **tables;
	size_t tables_len;
};

/* An iterator over blocks of one type. */
int merged_table_init_iter(struct reftable_merged_table *mt, struct reftable_iterator *it,
			   uint8_t type);

#endif
