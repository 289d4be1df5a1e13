/* reftable-writer.h: messages, sizes, statistics, callbacks, and the end of a writer. */
#include "check.h"
#include "support.h"

static struct buffer buffer;

static struct reftable_writer *new_writer(const struct reftable_write_options *options)
{
	struct reftable_writer *writer = NULL;

	CHECK_INT(make_writer(&writer, buffer_write, buffer_flush, &buffer, 0, options), 0);
	CHECK_INT(reftable_writer_set_limits(writer, 1, 1), 0);
	return writer;
}

static int put_ref(struct reftable_writer *writer, const char *name)
{
	struct reftable_ref_record ref = make_val1(name, 1, 1);

	return reftable_writer_add_ref(writer, &ref);
}

static struct reftable_log_record read_log(void)
{
	struct reftable_table *table = buffer_open(&buffer, "table");
	struct reftable_log_record log = { 0 };
	struct reftable_iterator it = { 0 };

	CHECK_INT(reftable_table_init_log_iterator(table, &it), 0);
	CHECK_INT(reftable_iterator_seek_log(&it, ""), 0);
	CHECK_INT(reftable_iterator_next_log(&it, &log), 0);
	reftable_iterator_destroy(&it);
	reftable_table_decref(table);
	return log;
}

/* The message as it is read back; NULL if it was refused. */
static const char *message_read(const char *message, int exact)
{
	struct reftable_write_options options = { .exact_log_message = exact };
	struct reftable_log_record log = make_log("a", 1, message);
	struct reftable_writer *writer = new_writer(&options);
	static char text[200];
	int err = reftable_writer_add_log(writer, &log);

	/* The caller keeps the record. */
	CHECK(log.value.update.message == message);
	if (err) {
		CHECK_INT(err, REFTABLE_API_ERROR);
		CHECK_INT(reftable_writer_close(writer), REFTABLE_EMPTY_TABLE_ERROR);
	} else {
		CHECK_INT(reftable_writer_close(writer), 0);
		log = read_log();
		snprintf(text, sizeof(text), "%s", log.value.update.message);
		reftable_log_record_release(&log);
	}
	reftable_writer_free(writer);
	buffer_release(&buffer);
	return err ? NULL : text;
}

static void messages(void)
{
	CHECK_STR(message_read("one line", 0), "one line\n");
	CHECK_STR(message_read("one line\n", 0), "one line\n");
	CHECK_STR(message_read("one line\n\n\n", 0), "one line\n");
	CHECK_STR(message_read("", 0), "\n");
	CHECK_STR(message_read("\n", 0), "\n");
	CHECK_STR(message_read(NULL, 0), "");
	CHECK(message_read("two\nlines", 0) == NULL);
	CHECK(message_read("two\nlines\n", 0) == NULL);
	CHECK(message_read("\nfirst is empty", 0) == NULL);
}

static void exact_messages(void)
{
	CHECK_STR(message_read("one line", 1), "one line");
	CHECK_STR(message_read("one line\n\n", 1), "one line\n\n");
	CHECK_STR(message_read("two\nlines", 1), "two\nlines");
	CHECK_STR(message_read("", 1), "");
	CHECK_STR(message_read(NULL, 1), "");
}

static void extreme_log_values(void)
{
	struct reftable_log_record log = make_log("a", 1, "m"), got;
	struct reftable_writer *writer = new_writer(NULL);

	log.value.update.name = log.value.update.email = NULL;
	log.value.update.time = UINT64_MAX;
	log.value.update.tz_offset = INT16_MIN;
	CHECK_INT(reftable_writer_add_log(writer, &log), 0);
	CHECK_INT(reftable_writer_close(writer), 0);
	reftable_writer_free(writer);
	got = read_log();
	CHECK_STR(got.value.update.name, "");
	CHECK_STR(got.value.update.email, "");
	CHECK(got.value.update.time == UINT64_MAX);
	CHECK_INT(got.value.update.tz_offset, INT16_MIN);
	reftable_log_record_release(&got);
	buffer_release(&buffer);
}

static void entries_too_big(void)
{
	struct reftable_write_options options = { .block_size = 256 };
	struct reftable_ref_record symref;
	struct reftable_log_record log;
	char text[400];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	symref = make_symref("a", 1, text);
	log = make_log("z", 1, text);

	struct reftable_writer *writer = new_writer(&options);

	CHECK_INT(put_ref(writer, text), REFTABLE_ENTRY_TOO_BIG_ERROR);
	reftable_writer_free(writer);
	writer = new_writer(&options);
	CHECK_INT(reftable_writer_add_ref(writer, &symref), REFTABLE_ENTRY_TOO_BIG_ERROR);
	reftable_writer_free(writer);
	writer = new_writer(&options);
	CHECK_INT(reftable_writer_add_log(writer, &log), REFTABLE_ENTRY_TOO_BIG_ERROR);
	reftable_writer_free(writer);
	buffer_release(&buffer);
}

static void empty_table(void)
{
	struct reftable_writer *writer = new_writer(NULL);

	CHECK_INT(reftable_writer_close(writer), REFTABLE_EMPTY_TABLE_ERROR);
	/* Header and footer are written nonetheless. */
	CHECK_INT(buffer.len, 24 + 68);
	CHECK_MEM(buffer.bytes, "REFT\1", 5);
	CHECK_MEM(buffer.bytes + 24, "REFT\1", 5);
	CHECK_INT(reftable_writer_stats(writer)->blocks, 0);
	reftable_writer_free(writer);
	buffer_release(&buffer);
}

static void statistics(void)
{
	struct reftable_write_options options = { .block_size = 512 };
	struct reftable_ref_record *refs = make_branches(100, 1);
	struct reftable_log_record *logs = make_branch_logs(50, 1);
	struct reftable_writer *writer = new_writer(&options);
	const struct reftable_stats *stats = reftable_writer_stats(writer);

	CHECK_INT(stats->blocks, 0);
	CHECK_INT(stats->ref_stats.entries, 0);
	CHECK_INT(reftable_writer_add_refs(writer, refs, 100), 0);
	CHECK_INT(reftable_writer_add_logs(writer, logs, 50), 0);
	CHECK_INT(reftable_writer_close(writer), 0);
	CHECK(stats == reftable_writer_stats(writer));
	CHECK_INT(stats->ref_stats.entries, 100);
	CHECK_INT(stats->log_stats.entries, 50);
	CHECK(stats->ref_stats.blocks > 3);
	CHECK_INT(stats->ref_stats.offset, 0);
	CHECK(stats->ref_stats.index_blocks >= 1);
	CHECK_INT(stats->ref_stats.index_offset % 512, 0);
	CHECK(stats->obj_stats.offset > stats->ref_stats.index_offset);
	CHECK(stats->log_stats.offset > stats->obj_stats.offset);
	CHECK(stats->object_id_len >= 2);
	CHECK_INT(stats->blocks, stats->ref_stats.blocks + stats->obj_stats.blocks +
				 stats->idx_stats.blocks + stats->log_stats.blocks);
	reftable_writer_free(writer);
	buffer_release(&buffer);
	free(refs);
	free(logs);
}

/* The writer must not change what the records point to: the literals are read-only. */
static void records_may_be_constant(void)
{
	struct reftable_ref_record refs[] = { make_symref("b", 1, "x"), make_val2("a", 1, 1) };
	struct reftable_log_record logs[] = { make_log("b", 1, "two\n\n"), make_log("a", 1, "m") };
	struct reftable_writer *writer;

	allocator_install();
	writer = new_writer(NULL);
	CHECK_INT(reftable_writer_add_refs(writer, refs, 2), 0);
	CHECK_INT(reftable_writer_add_logs(writer, logs, 2), 0);
	CHECK_INT(reftable_writer_close(writer), 0);
	reftable_writer_free(writer);
	CHECK_STR(logs[1].value.update.message, "two\n\n");
	CHECK_INT(allocator_live(), 0);
	buffer_release(&buffer);
}

static void freed_early(void)
{
	struct reftable_ref_record *refs = make_branches(100, 1);
	struct reftable_write_options options = { .block_size = 512 };
	struct reftable_writer *writer = NULL;

	allocator_install();
	reftable_writer_free(NULL);
	CHECK_INT(make_writer(&writer, buffer_write, buffer_flush, &buffer, 0, &options), 0);
	reftable_writer_free(writer);
#ifndef REFTABLE_UPSTREAM
	/* Upstream leaks the buffered records of a section. */
	writer = new_writer(&options);
	CHECK_INT(reftable_writer_add_refs(writer, refs, 100), 0);
	reftable_writer_free(writer);
#endif
	CHECK_INT(allocator_live(), 0);
	buffer_release(&buffer);
	free(refs);
}

/* Writes a table with all sections. Returns the first error. */
static int write_all(struct reftable_ref_record *refs, struct reftable_log_record *logs)
{
	struct reftable_write_options options = { .block_size = 512 };
	struct reftable_writer *writer = new_writer(&options);
	int err = reftable_writer_add_refs(writer, refs, 100);

	if (!err)
		err = reftable_writer_add_logs(writer, logs, 50);
	if (!err)
		err = reftable_writer_close(writer);
	reftable_writer_free(writer);
	return err;
}

static void failing_write(void)
{
	struct reftable_ref_record *refs = make_branches(100, 1);
	struct reftable_log_record *logs = make_branch_logs(50, 1);
	int at, err, writes;

	CHECK_INT(write_all(refs, logs), 0);
	writes = buffer.writes;
	CHECK(writes > 0);
	for (at = 1; at <= writes; at++) {
		buffer_release(&buffer);
		buffer.fail_write_at = at;
		buffer.error = -77;
		/* The callback's own code is returned. */
		err = write_all(refs, logs);
		CHECK_INT(err, -77);
		CHECK_INT(buffer.writes, at);
	}
	buffer_release(&buffer);
	free(refs);
	free(logs);
}

static void failing_flush(void)
{
	struct reftable_ref_record *refs = make_branches(100, 1);
	struct reftable_log_record *logs = make_branch_logs(50, 1);

	CHECK_INT(write_all(refs, logs), 0);
	CHECK_INT(buffer.flushes, 1);
	buffer_release(&buffer);
	buffer.fail_flush_at = 1;
	buffer.error = -77;
	CHECK_INT(write_all(refs, logs), REFTABLE_IO_ERROR);
	buffer_release(&buffer);
	free(refs);
	free(logs);
}

int main(void)
{
	RUN(messages);
	RUN(exact_messages);
	RUN(extreme_log_values);
	RUN(entries_too_big);
	RUN(empty_table);
	RUN(statistics);
	RUN(records_may_be_constant);
	RUN(freed_early);
	RUN(failing_write);
	RUN(failing_flush);
	return DONE();
}
