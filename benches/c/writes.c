/* The workloads that write, and read back what they wrote. */
#include "bench.h"

void write_ref_table(struct bench *b)
{
	write_table(b, all_refs);
	b->units = b->size;
}

void write_log_table(struct bench *b)
{
	write_table(b, write_logs);
	b->units = b->size;
}

/* Tables of refs are equal byte for byte. */
void finish_ref_table(struct bench *b)
{
	sum_file(b);
	close_all(b);
}

/* Compressed blocks may differ even if their contents are equal. */
void finish_log_table(struct bench *b)
{
	open_logs(b);
	iterate_logs(b);
	b->units = b->size;
	close_all(b);
}

struct one_ref {
	const struct bench *bench;
	size_t number;
	uint64_t update_index;
};

static int write_one_ref(struct reftable_writer *w, void *arg)
{
	const struct one_ref *one = arg;
	struct reftable_ref_record rec = { 0 };
	char name[NAME_MAX_LEN];
	int err = reftable_writer_set_limits(w, one->update_index, one->update_index);

	if (err)
		return err;
	make_ref(&rec, name, one->bench->seed, one->number, one->update_index);
	return reftable_writer_add_ref(w, &rec);
}

void one_ref_transactions(struct bench *b)
{
	struct one_ref one = { .bench = b };

	for (one.number = 0; one.number < b->size; one.number++) {
		one.update_index = reftable_stack_next_update_index(b->stack);
		add_table(b, write_one_ref, &one);
		b->units++;
	}
}

void compact_stack(struct bench *b)
{
	compact_tables(b);
	b->units = b->size;
}

void finish_stack(struct bench *b)
{
	sum_stack(b);
	close_all(b);
}
