/* What git's unit tests see of a stack. */
#ifndef INTERNALS_STACK_H
#define INTERNALS_STACK_H

#include "basics.h"
#include "reftable/reftable-stack.h"
#include "reftable/reftable-writer.h"

/* Its first members; the library's own follow. */
struct reftable_stack {
	char *list_file;
	struct reftable_write_options opts;
	struct reftable_table **tables;
	size_t tables_len;
	struct reftable_merged_table *merged;
	struct reftable_compaction_stats stats;
};

/* The names in a list of tables, ended by NULL; of a missing file, none. */
int read_lines(const char *filename, char ***lines);

struct segment {
	size_t start, end;
	uint64_t bytes;
};

struct segment suggest_compaction_segment(uint64_t *sizes, size_t n, uint8_t factor);

#endif
