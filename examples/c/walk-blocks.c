/*
 * Walks over the blocks of one table:
 *
 *     walk-blocks .git/reftable/0x000000000001-0x000000000001-8ae31d5b.ref
 *
 * One line per block: its type, the offset of its restart points, their number,
 * the number of refs or reflog entries in it, and the first name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

/* Counts the refs or reflog entries of a block; negative for an error. */
static long count_records(const struct reftable_block *block)
{
	struct reftable_iterator it;
	struct reftable_ref_record ref;
	struct reftable_log_record log;
	int is_log = reftable_block_type(block) == REFTABLE_BLOCK_TYPE_LOG;
	long count = -1;
	int err;

	memset(&it, 0, sizeof(it));
	memset(&ref, 0, sizeof(ref));
	memset(&log, 0, sizeof(log));
	err = reftable_block_init_iterator(block, &it);
	while (!err) {
		count++;
		err = is_log ? reftable_iterator_next_log(&it, &log) :
			       reftable_iterator_next_ref(&it, &ref);
	}
	reftable_ref_record_release(&ref);
	reftable_log_record_release(&log);
	reftable_iterator_destroy(&it);
	return err < 0 ? err : count;
}

static int print_block(const struct reftable_block *block)
{
	struct reftable_buf key = REFTABLE_BUF_INIT;
	uint8_t type = reftable_block_type(block);
	long count;
	int err = 0;

	printf("%c %lu %u", type, (unsigned long)block->restart_off,
	       (unsigned)block->restart_count);
	if (type == REFTABLE_BLOCK_TYPE_REF || type == REFTABLE_BLOCK_TYPE_LOG) {
		count = count_records(block);
		err = count < 0 ? (int)count : reftable_block_first_key(block, &key);
		/* The key of an entry is the name, a zero byte and the update index. */
		if (!err)
			printf(" %ld %s", count, key.buf);
	}
	putchar('\n');
	/* From malloc(), unless reftable_set_alloc() has been called. */
	free(key.buf);
	return err;
}

static int walk(struct reftable_table *table)
{
	struct reftable_table_iterator it;
	const struct reftable_block *block;
	int err;

	memset(&it, 0, sizeof(it));
	err = reftable_table_iterator_init(&it, table);
	/* The block belongs to the iterator until its next step. */
	while (!err) {
		err = reftable_table_iterator_next(&it, &block);
		if (!err)
			err = print_block(block);
	}
	reftable_table_iterator_release(&it);
	return err < 0 ? err : 0;
}

int main(int argc, char **argv)
{
	struct reftable_block_source source;
	struct reftable_table *table = NULL;
	int err;

	if (argc != 2) {
		fprintf(stderr, "usage: %s TABLE\n", argv[0]);
		return 2;
	}
	memset(&source, 0, sizeof(source));
	err = reftable_block_source_from_file(&source, argv[1]);
	/* The table takes ownership of the source, even if it cannot be opened. */
	if (!err)
		err = reftable_table_new(&table, &source, argv[1]);
	if (!err)
		err = walk(table);
	reftable_table_decref(table);
	return finish(argv[1], err);
}
