/* reftable-writer.h: options, limits, order, accepted and refused records. */
#include "check.h"
#include "support.h"

static struct buffer buffer;

static struct reftable_writer *new_writer_of(enum reftable_hash hash_id,
					     const struct reftable_write_options *options,
					     uint64_t min, uint64_t max)
{
	struct reftable_writer *writer = NULL;

	CHECK_INT(make_writer(&writer, buffer_write, buffer_flush, &buffer, hash_id, options), 0);
	CHECK(writer != NULL);
	if (min || max)
		CHECK_INT(reftable_writer_set_limits(writer, min, max), 0);
	return writer;
}

static struct reftable_writer *new_writer(const struct reftable_write_options *options, uint64_t min,
					  uint64_t max)
{
	return new_writer_of(0, options, min, max);
}

static int put_ref(struct reftable_writer *writer, const char *name, uint64_t update_index)
{
	struct reftable_ref_record ref = make_val1(name, update_index, 1);

	return reftable_writer_add_ref(writer, &ref);
}

static int put_log(struct reftable_writer *writer, const char *name, uint64_t update_index)
{
	struct reftable_log_record log = make_log(name, update_index, "m\n");

	return reftable_writer_add_log(writer, &log);
}

/* Closes the writer and returns the contents of the table: "a@1 b@2 / HEAD@3". */
static const char *finish(struct reftable_writer *writer)
{
	static char text[1000];
	struct reftable_ref_record ref = { 0 };
	struct reftable_log_record log = { 0 };
	struct reftable_iterator it = { 0 };
	struct reftable_table *table;
	size_t len = 0;

	CHECK_INT(reftable_writer_close(writer), 0);
	reftable_writer_free(writer);
	table = buffer_open(&buffer, "table");
	CHECK_INT(reftable_table_init_ref_iterator(table, &it), 0);
	CHECK_INT(reftable_iterator_seek_ref(&it, ""), 0);
	while (!reftable_iterator_next_ref(&it, &ref))
		len += (size_t)sprintf(text + len, "%s@%d ", ref.refname, (int)ref.update_index);
	reftable_iterator_destroy(&it);
	len += (size_t)sprintf(text + len, "/");
	CHECK_INT(reftable_table_init_log_iterator(table, &it), 0);
	CHECK_INT(reftable_iterator_seek_log(&it, ""), 0);
	while (!reftable_iterator_next_log(&it, &log))
		len += (size_t)sprintf(text + len, " %s@%d", log.refname, (int)log.update_index);
	reftable_iterator_destroy(&it);
	reftable_table_decref(table);
	reftable_ref_record_release(&ref);
	reftable_log_record_release(&log);
	buffer_release(&buffer);
	return text;
}

static void defaults(void)
{
	struct reftable_write_options zero = { 0 };
	struct reftable_writer *writer = new_writer(NULL, 3, 9);
	struct reftable_table *table;

	CHECK_INT(put_ref(writer, "a", 4), 0);
	CHECK_INT(reftable_writer_close(writer), 0);
	reftable_writer_free(writer);
	table = buffer_open(&buffer, "table");
	CHECK_INT(table->version, 1);
	CHECK_INT(table->block_size, 4096);
	CHECK_INT(table->hash_id, REFTABLE_HASH_SHA1);
	CHECK_INT(table->min_update_index, 3);
	CHECK_INT(table->max_update_index, 9);
	reftable_table_decref(table);
	buffer_release(&buffer);

	writer = new_writer(&zero, 1, 1);
	CHECK_INT(put_ref(writer, "a", 1), 0);
	CHECK_STR(finish(writer), "a@1 /");
}

static void hashes(void)
{
	struct reftable_writer *writer = new_writer_of(REFTABLE_HASH_SHA256, NULL, 1, 1);
	struct reftable_table *table;

	CHECK_INT(put_ref(writer, "a", 1), 0);
	CHECK_INT(reftable_writer_close(writer), 0);
	reftable_writer_free(writer);
	table = buffer_open(&buffer, "table");
	CHECK_INT(table->version, 2);
	CHECK_INT(table->hash_id, REFTABLE_HASH_SHA256);
	reftable_table_decref(table);
	buffer_release(&buffer);
}

static void options_are_copied(void)
{
	struct reftable_write_options options = { .block_size = 512 };
	struct reftable_writer *writer = new_writer(&options, 1, 1);
	struct reftable_table *table;

	memset(&options, 0xff, sizeof(options));
	CHECK_INT(put_ref(writer, "a", 1), 0);
	CHECK_INT(reftable_writer_close(writer), 0);
	reftable_writer_free(writer);
	table = buffer_open(&buffer, "table");
	CHECK_INT(table->block_size, 512);
	reftable_table_decref(table);
	buffer_release(&buffer);
}

static void block_size_too_large(void)
{
	struct reftable_write_options options = { .block_size = (1 << 24) - 1 };
	struct reftable_writer *writer = new_writer(&options, 1, 1);

	reftable_writer_free(writer);
	writer = NULL;
	options.block_size = 1 << 24;
	CHECK_INT(make_writer(&writer, buffer_write, buffer_flush, &buffer, 0, &options),
		  REFTABLE_API_ERROR);
	options.block_size = UINT32_MAX;
	CHECK_INT(make_writer(&writer, buffer_write, buffer_flush, &buffer, 0, &options),
		  REFTABLE_API_ERROR);
	CHECK(writer == NULL);
}

static void limits(void)
{
	struct reftable_writer *writer = new_writer(NULL, 0, 0);

	/* They are 0 until they are set, and can be changed until the first record. */
	CHECK_INT(put_ref(writer, "a", 1), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_set_limits(writer, 10, 20), 0);
	CHECK_INT(reftable_writer_set_limits(writer, 5, 6), 0);
	CHECK_INT(put_ref(writer, "a", 4), REFTABLE_API_ERROR);
	CHECK_INT(put_ref(writer, "a", 7), REFTABLE_API_ERROR);
	CHECK_INT(put_ref(writer, "a", 5), 0);
	CHECK_INT(put_ref(writer, "b", 6), 0);
	CHECK_INT(put_ref(writer, "c", UINT64_MAX), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_set_limits(writer, 5, 6), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_set_limits(writer, 1, 100), REFTABLE_API_ERROR);
	CHECK_INT(put_ref(writer, "c", 7), REFTABLE_API_ERROR);
	CHECK_STR(finish(writer), "a@5 b@6 /");
}

static void limits_in_the_wrong_order(void)
{
	struct reftable_writer *writer = new_writer(NULL, 0, 0);

	CHECK_INT(reftable_writer_set_limits(writer, 7, 5), 0);
	CHECK_INT(put_ref(writer, "a", 5), REFTABLE_API_ERROR);
	CHECK_INT(put_ref(writer, "a", 6), REFTABLE_API_ERROR);
	CHECK_INT(put_ref(writer, "a", 7), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_close(writer), REFTABLE_EMPTY_TABLE_ERROR);
	reftable_writer_free(writer);
	buffer_release(&buffer);
}

static void limits_unset(void)
{
	struct reftable_writer *writer = new_writer(NULL, 0, 0);

	CHECK_INT(put_ref(writer, "a", 0), 0);
	CHECK_INT(put_log(writer, "a", 1), REFTABLE_API_ERROR);
	CHECK_INT(put_log(writer, "a", 0), 0);
	CHECK_STR(finish(writer), "a@0 / a@0");
}

static void largest_limits(void)
{
	struct reftable_writer *writer = new_writer(NULL, UINT64_MAX, UINT64_MAX);
	struct reftable_table *table;

	CHECK_INT(put_ref(writer, "a", UINT64_MAX), 0);
	CHECK_INT(put_log(writer, "a", UINT64_MAX), 0);
	CHECK_INT(reftable_writer_close(writer), 0);
	reftable_writer_free(writer);
	table = buffer_open(&buffer, "table");
	CHECK(table->max_update_index == UINT64_MAX);
	reftable_table_decref(table);
	buffer_release(&buffer);
}

static void refs_out_of_order(void)
{
	struct reftable_writer *writer = new_writer(NULL, 1, 1);

	CHECK_INT(put_ref(writer, "b", 1), 0);
	CHECK_INT(put_ref(writer, "a", 1), REFTABLE_API_ERROR);
	CHECK_INT(put_ref(writer, "b", 1), REFTABLE_API_ERROR);
	CHECK_INT(put_ref(writer, "", 1), REFTABLE_API_ERROR);
	CHECK_INT(put_ref(writer, NULL, 1), REFTABLE_API_ERROR);
	/* The refused calls have left no trace. */
	CHECK_INT(put_ref(writer, "b/b", 1), 0);
	CHECK_INT(put_ref(writer, "\xff", 1), 0);
	CHECK_STR(finish(writer), "b@1 b/b@1 \xff@1 /");
}

static void empty_name_first(void)
{
	struct reftable_writer *writer = new_writer(NULL, 1, 1);

	CHECK_INT(put_ref(writer, "", 1), REFTABLE_API_ERROR);
	CHECK_INT(put_ref(writer, "a", 1), 0);
	CHECK_STR(finish(writer), "a@1 /");
}

/* Names are bytes here; git's rules for refnames are not checked. */
static void odd_names(void)
{
	struct reftable_writer *writer = new_writer(NULL, 1, 1);

	CHECK_INT(put_ref(writer, "\x01", 1), 0);
	CHECK_INT(put_ref(writer, "..", 1), 0);
	CHECK_INT(put_ref(writer, "//", 1), 0);
	CHECK_INT(put_ref(writer, "a/", 1), 0);
	CHECK_INT(put_ref(writer, "a/b", 1), 0);
	CHECK_STR(finish(writer), "\x01@1 ..@1 //@1 a/@1 a/b@1 /");
}

static void logs_out_of_order(void)
{
	struct reftable_writer *writer = new_writer(NULL, 1, 5);

	CHECK_INT(put_log(writer, "b", 3), 0);
	/* The second key of a section is not compared with the first. */
	CHECK_INT(put_log(writer, "b", 3), 0);
	CHECK_INT(put_log(writer, "b", 3), REFTABLE_API_ERROR);
	CHECK_INT(put_log(writer, "b", 4), REFTABLE_API_ERROR);
	CHECK_INT(put_log(writer, "a", 3), REFTABLE_API_ERROR);
	CHECK_INT(put_log(writer, NULL, 3), REFTABLE_API_ERROR);
	CHECK_INT(put_log(writer, "b", 6), REFTABLE_API_ERROR);
	CHECK_INT(put_log(writer, "b", 2), 0);
	/* Older entries may be rewritten: only the upper limit matters. */
	CHECK_INT(put_log(writer, "b", 0), 0);
	CHECK_INT(put_log(writer, "c", 5), 0);
	CHECK_STR(finish(writer), "/ b@3 b@3 b@2 b@0 c@5");
}

static void log_deletions_have_no_limits(void)
{
	struct reftable_writer *writer = new_writer(NULL, 2, 5);
	struct reftable_log_record log = make_log_deletion("a", 100);

	CHECK_INT(reftable_writer_add_log(writer, &log), 0);
	log.update_index = 1;
	CHECK_INT(reftable_writer_add_log(writer, &log), 0);
	CHECK_STR(finish(writer), "/ a@100 a@1");
}

static void refs_after_logs(void)
{
	struct reftable_writer *writer = new_writer(NULL, 1, 1);

	CHECK_INT(put_ref(writer, "a", 1), 0);
	CHECK_INT(put_log(writer, "b", 1), 0);
	CHECK_INT(put_ref(writer, "c", 1), REFTABLE_API_ERROR);
	CHECK_INT(put_ref(writer, "a", 1), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_set_limits(writer, 1, 1), REFTABLE_API_ERROR);
	CHECK_STR(finish(writer), "a@1 / b@1");
}

#ifndef REFTABLE_UPSTREAM
/* Upstream remembers the name of the refused ref and then refuses the log. */
static void a_ref_that_was_refused_changes_nothing(void)
{
	struct reftable_writer *writer = new_writer(NULL, 1, 1);

	CHECK_INT(put_log(writer, "b", 1), 0);
	CHECK_INT(put_ref(writer, "z", 1), REFTABLE_API_ERROR);
	CHECK_INT(put_log(writer, "c", 1), 0);
	CHECK_STR(finish(writer), "/ b@1 c@1");
}
#endif

static void many_refs_are_sorted(void)
{
	struct reftable_ref_record refs[] = {
		make_val1("c", 1, 1), make_symref("a", 1, "x"), make_val2("b", 1, 1),
		make_deletion("0", 1)
	};
	struct reftable_writer *writer = new_writer(NULL, 1, 1);

	CHECK_INT(reftable_writer_add_refs(writer, refs, 4), 0);
	/* The array was reordered, the records are unchanged. */
	CHECK_STR(refs[0].refname, "0");
	CHECK_STR(refs[1].refname, "a");
	CHECK_STR(refs[1].value.symref, "x");
	CHECK_STR(refs[2].refname, "b");
	CHECK_INT(refs[2].value_type, REFTABLE_REF_VAL2);
	CHECK_STR(refs[3].refname, "c");
	CHECK_INT(refs[3].update_index, 1);
	CHECK_STR(finish(writer), "0@1 a@1 b@1 c@1 /");
}

static void many_refs_refused(void)
{
	struct reftable_ref_record twice[] = { make_val1("b", 1, 1), make_val1("b", 1, 2) };
	struct reftable_ref_record late = make_val1("c", 2, 1), unnamed = make_val1(NULL, 1, 1);
	struct reftable_writer *writer = new_writer(NULL, 1, 1);

	CHECK_INT(reftable_writer_add_refs(writer, NULL, 0), 0);
	CHECK_INT(reftable_writer_add_refs(writer, twice, 2), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_add_refs(writer, &late, 1), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_add_refs(writer, &unnamed, 1), REFTABLE_API_ERROR);
	CHECK_STR(finish(writer), "b@1 /");
}

static void many_logs_are_sorted(void)
{
	struct reftable_log_record logs[] = {
		make_log("b", 1, "m"), make_log("a", 1, "m"), make_log_deletion("b", 3),
		make_log("b", 2, "m")
	};
	struct reftable_writer *writer = new_writer(NULL, 1, 3);

	CHECK_INT(reftable_writer_add_logs(writer, NULL, 0), 0);
	CHECK_INT(reftable_writer_add_logs(writer, logs, 4), 0);
	CHECK_STR(logs[0].refname, "a");
	CHECK_INT(logs[1].update_index, 3);
	CHECK_INT(logs[2].update_index, 2);
	CHECK_INT(logs[3].update_index, 1);
	CHECK_STR(logs[3].value.update.message, "m");
	CHECK_STR(finish(writer), "/ a@1 b@3 b@2 b@1");
}

static void many_logs_refused(void)
{
	struct reftable_log_record twice[] = {
		make_log("a", 1, "m"), make_log("b", 1, "m"), make_log("b", 1, "n")
	};
	struct reftable_log_record late = make_log("c", 2, "m"), unnamed = make_log(NULL, 1, "m");
	struct reftable_writer *writer = new_writer(NULL, 1, 1);

	CHECK_INT(reftable_writer_add_logs(writer, twice, 3), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_add_logs(writer, &late, 1), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_add_logs(writer, &unnamed, 1), REFTABLE_API_ERROR);
	CHECK_STR(finish(writer), "/ a@1 b@1");
}

int main(void)
{
	RUN(defaults);
	RUN(hashes);
	RUN(options_are_copied);
	RUN(block_size_too_large);
	RUN(limits);
	RUN(limits_in_the_wrong_order);
	RUN(limits_unset);
	RUN(largest_limits);
	RUN(refs_out_of_order);
	RUN(empty_name_first);
	RUN(odd_names);
	RUN(logs_out_of_order);
	RUN(log_deletions_have_no_limits);
	RUN(refs_after_logs);
#ifndef REFTABLE_UPSTREAM
	RUN(a_ref_that_was_refused_changes_nothing);
#endif
	RUN(many_refs_are_sorted);
	RUN(many_refs_refused);
	RUN(many_logs_are_sorted);
	RUN(many_logs_refused);
	return DONE();
}
