/* Tables and stacks of tables for the workloads, and their checksums. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TABLE "table.ref"

void check(int err, const char *what)
{
	if (err >= 0)
		return;
	fprintf(stderr, "workloads: %s: %s (%d)\n", what, reftable_error_str(err), err);
	exit(1);
}

void check_system(int failed, const char *what)
{
	if (!failed)
		return;
	fprintf(stderr, "workloads: %s: %s\n", what, strerror(errno));
	exit(1);
}

void path_in(char *out, size_t size, const char *dir, const char *name)
{
	int len = snprintf(out, size, "%s/%s", dir, name);

	errno = ENAMETOOLONG;
	check_system(len < 0 || (size_t)len >= size, dir);
}

int write_refs(struct reftable_writer *w, const struct bench *b, size_t first,
	       size_t step, uint64_t update_index)
{
	struct reftable_ref_record rec = { 0 };
	char name[NAME_MAX_LEN];
	size_t i;
	int err = reftable_writer_set_limits(w, update_index, update_index);

	for (i = first; !err && i < b->size; i += step) {
		make_ref(&rec, name, b->seed, i, update_index);
		err = reftable_writer_add_ref(w, &rec);
	}
	return err;
}

int all_refs(struct reftable_writer *w, const struct bench *b)
{
	return write_refs(w, b, 0, 1, 1);
}

int write_logs(struct reftable_writer *w, const struct bench *b)
{
	struct reftable_log_record rec = { 0 };
	char name[NAME_MAX_LEN];
	size_t i;
	int err = reftable_writer_set_limits(w, 1, LOGS_PER_REF);

	for (i = 0; !err && i < b->size; i++) {
		/* The newest entry of a ref comes first. */
		make_log(&rec, name, b->seed, i / LOGS_PER_REF,
			 LOGS_PER_REF - i % LOGS_PER_REF);
		err = reftable_writer_add_log(w, &rec);
	}
	return err;
}

static ssize_t write_fully(void *arg, const void *data, size_t size)
{
	struct bench *b = arg;
	size_t done = 0;

	while (done < size) {
		ssize_t n = write(b->fd, (const char *)data + done, size - done);
		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	return (ssize_t)size;
}

static int flush_nothing(void *arg)
{
	(void)arg;
	return 0;
}

void write_table(struct bench *b,
		 int (*write)(struct reftable_writer *, const struct bench *))
{
	struct reftable_writer *w;

	new_writer(b, &w, write_fully, flush_nothing);
	check(write(w, b), "write");
	check(reftable_writer_close(w), "close");
	reftable_writer_free(w);
}

void create_table(struct bench *b)
{
	char path[4096];

	path_in(path, sizeof(path), b->dir, TABLE);
	b->fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0666);
	check_system(b->fd < 0, path);
}

void prepare_ref_table(struct bench *b)
{
	create_table(b);
	write_table(b, all_refs);
}

void prepare_log_table(struct bench *b)
{
	create_table(b);
	write_table(b, write_logs);
}

struct part {
	const struct bench *bench;
	size_t first, step;
	uint64_t update_index;
};

static int write_part(struct reftable_writer *w, void *arg)
{
	const struct part *p = arg;

	return write_refs(w, p->bench, p->first, p->step, p->update_index);
}

/* Every table of the stack has refs from the whole range of names. */
void prepare_stack(struct bench *b)
{
	struct part part = { .bench = b, .step = b->workload->tables };

	b->keep_tables = 1;
	new_stack(b);
	for (part.first = 0; part.first < part.step; part.first++) {
		part.update_index = reftable_stack_next_update_index(b->stack);
		add_table(b, write_part, &part);
	}
}

void open_table(struct bench *b)
{
	struct reftable_block_source source = { 0 };
	char path[4096];

	path_in(path, sizeof(path), b->dir, TABLE);
	check(reftable_block_source_from_file(&source, path), path);
	check(reftable_table_new(&b->table, &source, TABLE), path);
}

void open_stack(struct bench *b)
{
	new_stack(b);
}

void close_all(struct bench *b)
{
	if (b->it.ops)
		reftable_iterator_destroy(&b->it);
	if (b->table)
		reftable_table_decref(b->table);
	if (b->stack)
		reftable_stack_destroy(b->stack);
	if (b->fd >= 0)
		close(b->fd);
}

void sum_stack(struct bench *b)
{
	struct reftable_ref_record rec = { 0 };
	int err;

	check(reftable_stack_reload(b->stack), "reload");
	check(reftable_stack_init_ref_iterator(b->stack, &b->it), "iterator");
	check(reftable_iterator_seek_ref(&b->it, ""), "seek");
	while (!(err = reftable_iterator_next_ref(&b->it, &rec)))
		b->checksum = add_ref(b->checksum, &rec);
	check(err, "next");
	reftable_ref_record_release(&rec);
}

void sum_file(struct bench *b)
{
	static unsigned char buffer[1 << 16];
	ssize_t len, i;

	check_system(lseek(b->fd, 0, SEEK_SET) < 0, TABLE);
	while ((len = read(b->fd, buffer, sizeof(buffer))) > 0)
		for (i = 0; i < len; i++)
			b->checksum = (b->checksum ^ buffer[i]) * 0x100000001b3u;
	check_system(len < 0, TABLE);
}
