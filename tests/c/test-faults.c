/*
 * A system and callbacks that fail: full disk, no more open files, a missing directory, sources
 * whose reads fail. An error, everything as before, and everything works again afterwards.
 */
#include <signal.h>
#include <sys/resource.h>

#include "check.h"
#include "support.h"

#include "reftable/reftable-merged.h"

static char *directory;
static struct reftable_stack *stack;

/* A stack of six small tables. */
static void set_up(void)
{
	struct options options = { .write = { .disable_auto_compact = 1, .unpadded = 1 } };
	char name[2] = "a";

	directory = directory_new();
	CHECK_INT(make_stack(&stack, directory, &options), 0);
	for (; name[0] < 'g'; name[0]++)
		CHECK_INT(add_ref(stack, name, (unsigned)name[0]), 0);
}

static void tear_down(void)
{
	reftable_stack_destroy(stack);
	directory_remove(directory);
}

static void limit(int resource, rlim_t value)
{
	struct rlimit limit;

	CHECK_INT(getrlimit((unsigned)resource, &limit), 0);
	limit.rlim_cur = value < limit.rlim_max ? value : limit.rlim_max;
	CHECK_INT(setrlimit((unsigned)resource, &limit), 0);
}

static void check_unchanged(char *before)
{
	char *now = directory_snapshot(directory);

	CHECK_STR(now, before);
	free(now);
}

/* The operations that write; all must fail with `error` and change nothing. */
static void check_writers(int error)
{
	struct reftable_log_expiry_config expiry = { .time = 1 };
	struct reftable_addition *addition = NULL;
	int err;

	CHECK_INT(add_ref(stack, "x", 1), error);
	CHECK_INT(add_log(stack, "x", "m"), error);
	CHECK_INT(reftable_stack_compact_all(stack, write_options, NULL), error);
	CHECK_INT(reftable_stack_compact_all(stack, write_options, &expiry), error);
	CHECK_INT(reftable_stack_auto_compact(stack, write_options), error);
	err = reftable_stack_new_addition(&addition, stack, write_options, 0);
	if (err) {
		CHECK_INT(err, error);
		CHECK(addition == NULL);
	}
	reftable_addition_destroy(addition);
	CHECK_INT(read_seed(stack, "a"), 'a');
	CHECK_INT(read_seed(stack, "f"), 'f');
	CHECK_INT(read_seed(stack, "x"), 0);
	CHECK_INT(reftable_stack_next_update_index(stack), 7);
}

static void check_recovered(void)
{
	CHECK_INT(add_ref(stack, "x", 9), 0);
	CHECK_INT(reftable_stack_compact_all(stack, write_options, NULL), 0);
	CHECK_INT(read_seed(stack, "a"), 'a');
	CHECK_INT(read_seed(stack, "x"), 9);
	CHECK_INT(directory_count(directory, ""), 2);
}

static void full_disk(void)
{
	char *before;

	signal(SIGXFSZ, SIG_IGN);
	set_up();
	before = directory_snapshot(directory);
	limit(RLIMIT_FSIZE, 0);
	check_writers(REFTABLE_IO_ERROR);
	limit(RLIMIT_FSIZE, RLIM_INFINITY);
	check_unchanged(before);
	limit(RLIMIT_FSIZE, 60);
	check_writers(REFTABLE_IO_ERROR);
	limit(RLIMIT_FSIZE, RLIM_INFINITY);
	check_unchanged(before);
	free(before);
	check_recovered();
	tear_down();
}

/* There is room for the table, but not for the list of tables. */
static void full_disk_for_the_list(void)
{
	char *before;
	size_t list_len = 0;

	signal(SIGXFSZ, SIG_IGN);
	set_up();
	before = directory_snapshot(directory);
	free(directory_read(directory, "tables.list", &list_len));
	limit(RLIMIT_FSIZE, list_len);
	CHECK_INT(add_ref(stack, "x", 1), REFTABLE_IO_ERROR);
	limit(RLIMIT_FSIZE, RLIM_INFINITY);
	check_unchanged(before);
	free(before);
	CHECK_INT(read_seed(stack, "x"), 0);
	check_recovered();
	tear_down();
}

static void no_more_open_files(void)
{
	struct reftable_stack *second = NULL;
	char *before;

	/* valgrind opens, and thereby creates, the file and then reports a failure. */
	if (getenv("REFTABLE_UNDER_VALGRIND"))
		return;
	set_up();
	before = directory_snapshot(directory);
	/* Open descriptors above the limit stay open. */
	limit(RLIMIT_NOFILE, 3);
	CHECK_INT(make_stack(&second, directory, NULL), REFTABLE_IO_ERROR);
	CHECK(second == NULL);
	check_writers(REFTABLE_IO_ERROR);
	limit(RLIMIT_NOFILE, 1000);
	check_unchanged(before);
	free(before);
	check_recovered();
	tear_down();
}

static void removed_directory(void)
{
	char *place = directory_new(), *moved = directory_path(place, "moved");

	set_up();
	CHECK_INT(rename(directory, moved), 0);
	check_writers(REFTABLE_IO_ERROR);
	CHECK_INT(reftable_stack_clean(stack), REFTABLE_IO_ERROR);
	CHECK_INT(rename(moved, directory), 0);
	free(moved);
	directory_remove(place);
	check_recovered();
	tear_down();
}

/* Opens and reads a whole table in memory; returns the first error. */
static int read_everything(struct buffer *buffer)
{
	struct reftable_block_source source = { 0 };
	struct reftable_merged_table *merged = NULL;
	struct reftable_table_iterator blocks = { 0 };
	const struct reftable_block *block = NULL;
	struct reftable_ref_record ref = { 0 };
	struct reftable_log_record log = { 0 };
	struct reftable_iterator it = { 0 };
	struct reftable_table *table = NULL;
	unsigned char id[REFTABLE_HASH_SIZE_MAX];
	int err;

	buffer_source(&source, buffer);
	err = reftable_table_new(&table, &source, "name");
	if (err)
		return err;
	err = reftable_merged_table_new(&merged, &table, 1, REFTABLE_HASH_SHA1);
	if (!err)
		err = reftable_merged_table_init_ref_iterator(merged, &it);
	if (!err)
		err = reftable_iterator_seek_ref(&it, branch_name(50));
	while (!err)
		err = reftable_iterator_next_ref(&it, &ref);
	reftable_iterator_destroy(&it);
	if (err > 0)
		err = reftable_table_init_log_iterator(table, &it);
	if (!err)
		err = reftable_iterator_seek_log(&it, branch_name(10));
	while (!err)
		err = reftable_iterator_next_log(&it, &log);
	reftable_iterator_destroy(&it);
	make_id(id, 4);
	if (err > 0)
		err = reftable_table_refs_for(table, &it, id);
	while (!err)
		err = reftable_iterator_next_ref(&it, &ref);
	reftable_iterator_destroy(&it);
	if (err > 0)
		err = reftable_table_iterator_init(&blocks, table);
	while (!err)
		err = reftable_table_iterator_next(&blocks, &block);
	reftable_table_iterator_release(&blocks);
	reftable_ref_record_release(&ref);
	reftable_log_record_release(&log);
	reftable_merged_table_free(merged);
	reftable_table_decref(table);
	return err;
}

static void failing_reads(void)
{
	struct reftable_write_options options = { .block_size = 512 };
	struct reftable_ref_record *refs = make_branches(100, 1);
	struct reftable_log_record *logs = make_branch_logs(30, 1);
	struct buffer buffer = { 0 };
	int reads, at, err;

	allocator_install();
	buffer_table(&buffer, &options, refs, 100, logs, 30);
	CHECK_INT(read_everything(&buffer), 1);
	reads = buffer.reads;
	for (at = 1; at <= reads; at++) {
		buffer.reads = buffer.closes = 0;
		buffer.fail_read_at = at;
		buffer.error = -77;
		err = read_everything(&buffer);
		/*
		 * Opening has one code for all of its reads; later the callback's code is returned.
		 */
		CHECK(err == REFTABLE_IO_ERROR || err == -77);
		CHECK_INT(buffer.lent, 0);
		CHECK_INT(buffer.closes, 1);
#ifndef REFTABLE_UPSTREAM
		/* Upstream leaks the name when refs_for() fails. */
		CHECK_INT(allocator_live(), 0);
#endif
	}
	buffer_release(&buffer);
	free(refs);
	free(logs);
}

#ifndef REFTABLE_UPSTREAM
/* Each byte of a table damaged in turn: an error or other records. Upstream crashes. */
static void damaged_bytes(void)
{
	struct reftable_write_options options = { .block_size = 256 };
	struct reftable_ref_record *refs = make_branches(12, 1);
	struct reftable_log_record *logs = make_branch_logs(4, 1);
	struct buffer buffer = { 0 };
	size_t i;

	allocator_install();
	buffer_table(&buffer, &options, refs, 12, logs, 4);
	for (i = 0; i < buffer.len; i++) {
		static const unsigned char masks[] = { 0x01, 0x80, 0xff };
		unsigned m;

		for (m = 0; m < 3; m++) {
			buffer.bytes[i] ^= masks[m];
			buffer.closes = 0;
			(void)read_everything(&buffer);
			buffer.bytes[i] ^= masks[m];
			CHECK_INT(buffer.lent, 0);
			CHECK_INT(buffer.closes, 1);
			CHECK_INT(allocator_live(), 0);
		}
	}
	CHECK_INT(read_everything(&buffer), 1);
	buffer_release(&buffer);
	free(refs);
	free(logs);
}
#endif

int main(void)
{
	RUN(full_disk);
	RUN(full_disk_for_the_list);
	RUN(no_more_open_files);
	RUN(removed_directory);
	RUN(failing_reads);
#ifndef REFTABLE_UPSTREAM
	RUN(damaged_bytes);
#endif
	return DONE();
}
