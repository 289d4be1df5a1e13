/* The workloads that read. */
#include "bench.h"

#include <string.h>

/* Lookups per run, if there are that many refs. */
#define LOOKUPS 100000
#define ID_LOOKUPS 10000
#define OPENINGS 1000
#define LOGS_READ 100

static size_t at_most(size_t size, size_t limit)
{
	return size < limit ? size : limit;
}

/* One iterator serves all lookups, as it does in git. */
void open_refs(struct bench *b)
{
	if (b->workload->tables) {
		open_stack(b);
		check(reftable_stack_init_ref_iterator(b->stack, &b->it), "iterator");
	} else {
		open_table(b);
		check(reftable_table_init_ref_iterator(b->table, &b->it), "iterator");
	}
}

void open_logs(struct bench *b)
{
	open_table(b);
	check(reftable_table_init_log_iterator(b->table, &b->it), "iterator");
}

void iterate_refs(struct bench *b)
{
	struct reftable_ref_record rec = { 0 };
	int err;

	check(reftable_iterator_seek_ref(&b->it, ""), "seek");
	while (!(err = reftable_iterator_next_ref(&b->it, &rec))) {
		b->checksum = add_ref(b->checksum, &rec);
		b->units++;
	}
	check(err, "next");
	reftable_ref_record_release(&rec);
}

/* Whether there is a ref of that name, which is then in REC. */
static int look_up(struct bench *b, const char *name, struct reftable_ref_record *rec)
{
	int err;

	check(reftable_iterator_seek_ref(&b->it, name), "seek");
	err = reftable_iterator_next_ref(&b->it, rec);
	check(err, "next");
	b->units++;
	return !err && !strcmp(rec->refname, name);
}

void look_up_hits(struct bench *b)
{
	struct reftable_ref_record rec = { 0 };
	char name[NAME_MAX_LEN];
	size_t i, count = at_most(b->size, LOOKUPS);

	for (i = 0; i < count; i++) {
		name_of(name, pick(b->seed, i, b->size));
		if (look_up(b, name, &rec))
			b->checksum = add_ref(b->checksum, &rec);
	}
	reftable_ref_record_release(&rec);
}

void look_up_misses(struct bench *b)
{
	struct reftable_ref_record rec = { 0 };
	char name[NAME_MAX_LEN];
	size_t i, count = at_most(b->size, LOOKUPS);
	/*
	 * Seeking past the last name would leave a table's iterator of git's library
	 * unusable if the table has an index: the next call is refused.
	 */
	size_t limit = b->size > 1 ? b->size - 1 : 1;

	for (i = 0; i < count; i++) {
		missing_name(name, pick(b->seed, i, limit));
		b->checksum = b->checksum * 31 + !look_up(b, name, &rec);
	}
	reftable_ref_record_release(&rec);
}

void look_up_in_order(struct bench *b)
{
	struct reftable_ref_record rec = { 0 };
	char name[NAME_MAX_LEN];
	size_t i, count = at_most(b->size, LOOKUPS), step = b->size / count;

	for (i = 0; i < count; i++) {
		name_of(name, i * step);
		if (look_up(b, name, &rec))
			b->checksum = add_ref(b->checksum, &rec);
	}
	reftable_ref_record_release(&rec);
}

void iterate_logs(struct bench *b)
{
	struct reftable_log_record rec = { 0 };
	int err;

	check(reftable_iterator_seek_log(&b->it, ""), "seek");
	while (!(err = reftable_iterator_next_log(&b->it, &rec))) {
		b->checksum = add_log(b->checksum, &rec);
		b->units++;
	}
	check(err, "next");
	reftable_log_record_release(&rec);
}

static void read_log(struct bench *b, const char *name, struct reftable_log_record *rec)
{
	int err;

	check(reftable_iterator_seek_log(&b->it, name), "seek");
	while (!(err = reftable_iterator_next_log(&b->it, rec)) &&
	       !strcmp(rec->refname, name)) {
		b->checksum = add_log(b->checksum, rec);
		b->units++;
	}
	check(err, "next");
}

void read_logs(struct bench *b)
{
	struct reftable_log_record rec = { 0 };
	char name[NAME_MAX_LEN];
	size_t i, refs = (b->size + LOGS_PER_REF - 1) / LOGS_PER_REF;

	for (i = 0; i < at_most(refs, LOGS_READ); i++) {
		name_of(name, pick(b->seed, i, refs));
		read_log(b, name, &rec);
	}
	reftable_log_record_release(&rec);
}

static void refs_of_id(struct bench *b, unsigned char *id, struct reftable_ref_record *rec)
{
	struct reftable_iterator it = { 0 };
	int err;

	check(reftable_table_refs_for(b->table, &it, id), "refs_for");
	while (!(err = reftable_iterator_next_ref(&it, rec)))
		b->checksum = add_ref(b->checksum, rec);
	check(err, "next");
	reftable_iterator_destroy(&it);
	b->units++;
}

void refs_by_id(struct bench *b)
{
	struct reftable_ref_record rec = { 0 };
	unsigned char id[REFTABLE_HASH_SIZE_MAX] = { 0 };
	size_t i, count = at_most(b->size, ID_LOOKUPS);

	for (i = 0; i < count; i++) {
		id_of(id, b->seed, pick(b->seed, i, b->size));
		refs_of_id(b, id, &rec);
	}
	reftable_ref_record_release(&rec);
}

/* A process that looks up one ref: everything is cold except the page cache. */
void open_and_read(struct bench *b)
{
	struct reftable_ref_record rec = { 0 };
	char name[NAME_MAX_LEN];
	size_t i;

	for (i = 0; i < OPENINGS; i++) {
		open_stack(b);
		name_of(name, pick(b->seed, i, b->size));
		check(reftable_stack_read_ref(b->stack, name, &rec), "read");
		b->checksum = add_ref(b->checksum, &rec);
		reftable_stack_destroy(b->stack);
		b->stack = NULL;
		b->units++;
	}
	reftable_ref_record_release(&rec);
}
