/*
 * The calls whose parameters depend on the release of the library. Up to git 2.55.0 a stack
 * has the options for writing its tables. In later releases, for which scripts/bench defines
 * STACK_OPTIONS, they are passed to each call that writes.
 */
#include "bench.h"

static struct reftable_write_options write_options(const struct bench *b)
{
	struct reftable_write_options opts = { 0 };

	opts.block_size = 4096;
	opts.skip_index_objects = b->workload->no_objects;
	opts.disable_auto_compact = !!b->keep_tables;
	return opts;
}

#ifdef STACK_OPTIONS

void new_writer(struct bench *b, struct reftable_writer **w,
		ssize_t (*write)(void *, const void *, size_t), int (*flush)(void *))
{
	struct reftable_write_options opts = write_options(b);

	check(reftable_writer_new(w, write, flush, b, REFTABLE_HASH_SHA1, &opts), "writer");
}

void new_stack(struct bench *b)
{
	struct reftable_stack_options opts = { 0 };

	opts.hash_id = REFTABLE_HASH_SHA1;
	opts.suppress_deletions = 1;
	check(reftable_new_stack(&b->stack, b->dir, &opts), "stack");
}

void add_table(struct bench *b, int (*write)(struct reftable_writer *, void *), void *arg)
{
	struct reftable_write_options opts = write_options(b);

	check(reftable_stack_add(b->stack, write, arg, &opts, 0), "add");
}

void compact_tables(struct bench *b)
{
	struct reftable_write_options opts = write_options(b);

	check(reftable_stack_compact_all(b->stack, &opts, NULL), "compact");
}

#else

void new_writer(struct bench *b, struct reftable_writer **w,
		ssize_t (*write)(void *, const void *, size_t), int (*flush)(void *))
{
	struct reftable_write_options opts = write_options(b);

	opts.hash_id = REFTABLE_HASH_SHA1;
	check(reftable_writer_new(w, write, flush, b, &opts), "writer");
}

void new_stack(struct bench *b)
{
	struct reftable_write_options opts = write_options(b);

	opts.hash_id = REFTABLE_HASH_SHA1;
	check(reftable_new_stack(&b->stack, b->dir, &opts), "stack");
}

void add_table(struct bench *b, int (*write)(struct reftable_writer *, void *), void *arg)
{
	check(reftable_stack_add(b->stack, write, arg, 0), "add");
}

void compact_tables(struct bench *b)
{
	check(reftable_stack_compact_all(b->stack, NULL), "compact");
}

#endif
