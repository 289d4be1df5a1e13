/* reftable-table.h: opening, the struct's members, iterators, refs of an object, blocks. */
#include "check.h"
#include "support.h"

static struct buffer buffer;
static struct reftable_ref_record *refs;
static struct reftable_log_record *logs;

/* A table with refs, an index of them, objects and logs. */
static struct reftable_table *new_table(const struct reftable_write_options *given)
{
	struct reftable_write_options options = { .block_size = 512 };

	refs = make_branches(100, 3);
	logs = make_branch_logs(20, 3);
	buffer_table(&buffer, given ? given : &options, refs, 100, logs, 20);
	return buffer_open(&buffer, "some name");
}

static void free_table(struct reftable_table *table)
{
	reftable_table_decref(table);
	CHECK_INT(buffer.lent, 0);
	buffer_release(&buffer);
	free(refs);
	free(logs);
}

static void members(void)
{
	struct reftable_table *table;

	table = new_table(NULL);
	CHECK_STR(table->name, "some name");
	CHECK(table->source.arg == &buffer);
	CHECK(table->source.ops != NULL);
	CHECK_INT(table->size, buffer.len - 68);
	CHECK_INT(table->hash_id, REFTABLE_HASH_SHA1);
	CHECK_INT(table->block_size, 512);
	CHECK_INT(table->min_update_index, 3);
	CHECK_INT(table->max_update_index, 3);
	CHECK(table->object_id_len >= 2);
	CHECK_INT(table->version, 1);
	CHECK_INT(table->ref_offsets.is_present, 1);
	CHECK_INT(table->ref_offsets.offset, 0);
	CHECK(table->ref_offsets.index_offset > 0);
	CHECK_INT(table->obj_offsets.is_present, 1);
	CHECK(table->obj_offsets.offset > table->ref_offsets.index_offset);
	CHECK_INT(table->log_offsets.is_present, 1);
	CHECK(table->log_offsets.offset > table->obj_offsets.offset);
	CHECK_INT(table->refcount, 1);
	CHECK_INT(reftable_table_min_update_index(table), 3);
	CHECK_INT(reftable_table_max_update_index(table), 3);
	CHECK_INT(reftable_table_hash_id(table), REFTABLE_HASH_SHA1);
	free_table(table);
}

static void members_of_a_log_only_table(void)
{
	struct reftable_log_record log = make_log("HEAD", 9, "m");
	struct reftable_table *table;

	buffer_table(&buffer, NULL, NULL, 0, &log, 1);
	table = buffer_open(&buffer, "logs");
	CHECK_INT(table->ref_offsets.is_present, 0);
	CHECK_INT(table->obj_offsets.is_present, 0);
	CHECK_INT(table->log_offsets.is_present, 1);
	/*
	 * In git's writer the first block includes the header, in the format's document it does
	 * not.
	 */
	CHECK(table->log_offsets.offset == 0 || table->log_offsets.offset == 24);
	reftable_table_decref(table);
	buffer_release(&buffer);
}

/* The code for opening the first `len` bytes of the buffer; the source must then be closed. */
static int open_error(size_t len)
{
	struct reftable_block_source source = { 0 };
	struct reftable_table *table = NULL;
	size_t whole = buffer.len;
	int err;

	buffer.len = len;
	buffer.closes = 0;
	buffer_source(&source, &buffer);
	err = reftable_table_new(&table, &source, "name");
	buffer.len = whole;
	CHECK_INT(buffer.lent, 0);
	CHECK_INT(buffer.closes, 1);
	CHECK(table == NULL);
	return err;
}

static void damaged(void)
{
	struct reftable_ref_record ref = make_val1("a", 1, 1);
	size_t footer, i;

	buffer_table(&buffer, NULL, &ref, 1, NULL, 0);
	footer = buffer.len - 68;
	/* Too short for the header and the type of the first block. */
	for (i = 0; i < 29; i++)
		CHECK_INT(open_error(i), REFTABLE_FORMAT_ERROR);
#ifdef REFTABLE_UPSTREAM
	/* Upstream seeks before the start of the file if it is shorter than a footer. */
	i = 68;
#endif
	for (; i < buffer.len; i++)
		CHECK_INT(open_error(i), REFTABLE_FORMAT_ERROR);
	/* Each byte of header and footer is checked. */
	for (i = 0; i < buffer.len; i++) {
		if (i == 24)
			i = footer;
#ifdef REFTABLE_UPSTREAM
		/* A header of version 2 is longer. */
		if (i == 4)
			continue;
#endif
		buffer.bytes[i] ^= 3;
		CHECK_INT(open_error(buffer.len), REFTABLE_FORMAT_ERROR);
		buffer.bytes[i] ^= 3;
	}
	buffer_release(&buffer);
}

static void failing_source(void)
{
	struct reftable_ref_record ref = make_val1("a", 1, 1);
	int reads;

	buffer_table(&buffer, NULL, &ref, 1, NULL, 0);
	reftable_table_decref(buffer_open(&buffer, "name"));
	reads = buffer.reads;
	CHECK(reads > 0);
	for (int at = 1; at <= reads; at++) {
		buffer.reads = 0;
		buffer.fail_read_at = at;
		buffer.error = -77;
		CHECK_INT(open_error(buffer.len), REFTABLE_IO_ERROR);
		buffer.reads = 0;
		buffer.fail_read_at = 0;
		buffer.short_read_at = at;
		CHECK_INT(open_error(buffer.len), REFTABLE_IO_ERROR);
		buffer.short_read_at = 0;
	}
	buffer_release(&buffer);
}

static void counted_references(void)
{
	struct reftable_iterator it = { 0 }, logs_it = { 0 };
	struct reftable_ref_record ref = { 0 };
	struct reftable_table *table;

	allocator_install();
	table = new_table(NULL);
	reftable_table_incref(table);
	CHECK_INT(table->refcount, 2);
	reftable_table_decref(table);
	CHECK_INT(table->refcount, 1);
	CHECK_INT(buffer.closes, 0);

	/* Iterators keep a reference to the table. */
	CHECK_INT(reftable_table_init_ref_iterator(table, &it), 0);
	CHECK_INT(reftable_table_init_log_iterator(table, &logs_it), 0);
	CHECK_INT(table->refcount, 3);
	reftable_iterator_destroy(&logs_it);
	CHECK_INT(table->refcount, 2);
	reftable_table_decref(table);
	CHECK_INT(buffer.closes, 0);
	CHECK_INT(reftable_iterator_seek_ref(&it, branch_name(42)), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), 0);
	CHECK_STR(ref.refname, branch_name(42));
	reftable_ref_record_release(&ref);
	reftable_iterator_destroy(&it);
	CHECK_INT(buffer.closes, 1);
	CHECK_INT(allocator_live(), 0);
	reftable_table_decref(NULL);
	free_table(NULL);
}

static void all_refs(void)
{
	struct reftable_iterator it = { 0 };
	struct reftable_ref_record ref = { 0 };
	struct reftable_table *table = new_table(NULL);
	int i;

	CHECK_INT(reftable_table_init_ref_iterator(table, &it), 0);
	CHECK_INT(reftable_iterator_seek_ref(&it, ""), 0);
	for (i = 0; i < 100; i++) {
		CHECK_INT(reftable_iterator_next_ref(&it, &ref), 0);
		CHECK(reftable_ref_record_equal(&ref, &refs[i], 20));
	}
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), 1);
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), 1);
	reftable_ref_record_release(&ref);
	reftable_iterator_destroy(&it);
	free_table(table);
}

static void all_logs(void)
{
	struct reftable_iterator it = { 0 };
	struct reftable_log_record log = { 0 };
	struct reftable_table *table = new_table(NULL);
	int i;

	CHECK_INT(reftable_table_init_log_iterator(table, &it), 0);
	CHECK_INT(reftable_iterator_seek_log(&it, ""), 0);
	for (i = 0; i < 20; i++) {
		CHECK_INT(reftable_iterator_next_log(&it, &log), 0);
		CHECK(reftable_log_record_equal(&log, &logs[i], 20));
	}
	CHECK_INT(reftable_iterator_next_log(&it, &log), 1);
	CHECK_INT(reftable_iterator_next_log(&it, &log), 1);
	reftable_log_record_release(&log);
	reftable_iterator_destroy(&it);
	free_table(table);
}

static void sections_that_are_not_there(void)
{
	struct reftable_log_record log = make_log("a", 1, "m"), got_log = { 0 };
	struct reftable_ref_record ref = make_val1("a", 1, 1), got_ref = { 0 };
	struct reftable_iterator it = { 0 };
	struct reftable_table *table;

	buffer_table(&buffer, NULL, NULL, 0, &log, 1);
	table = buffer_open(&buffer, "logs");
	CHECK_INT(reftable_table_init_ref_iterator(table, &it), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &got_ref), 1);
	CHECK_INT(reftable_iterator_seek_ref(&it, "a"), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &got_ref), 1);
	reftable_iterator_destroy(&it);
	reftable_table_decref(table);
	buffer_release(&buffer);

	buffer_table(&buffer, NULL, &ref, 1, NULL, 0);
	table = buffer_open(&buffer, "refs");
	CHECK_INT(reftable_table_init_log_iterator(table, &it), 0);
	CHECK_INT(reftable_iterator_next_log(&it, &got_log), 1);
	CHECK_INT(reftable_iterator_seek_log(&it, "a"), 0);
	CHECK_INT(reftable_iterator_seek_log_at(&it, "a", 1), 0);
	CHECK_INT(reftable_iterator_next_log(&it, &got_log), 1);
	reftable_iterator_destroy(&it);
	reftable_table_decref(table);
	buffer_release(&buffer);
}

/* How many refs refs_for() finds for the id; all must point at it. */
static int count_refs_for(struct reftable_table *table, unsigned char *id)
{
	struct reftable_iterator it = { 0 };
	struct reftable_ref_record ref = { 0 };
	int count = 0, err;

	CHECK_INT(reftable_table_refs_for(table, &it, id), 0);
	while (!(err = reftable_iterator_next_ref(&it, &ref))) {
		const unsigned char *val1 = reftable_ref_record_val1(&ref);
		const unsigned char *val2 = reftable_ref_record_val2(&ref);

		CHECK((val1 && !memcmp(val1, id, 20)) || (val2 && !memcmp(val2, id, 20)));
		count++;
	}
	CHECK_INT(err, 1);
	reftable_ref_record_release(&ref);
	reftable_iterator_destroy(&it);
	return count;
}

static void refs_for_an_object(void)
{
	struct reftable_write_options indexed = { .block_size = 512 };
	struct reftable_write_options unindexed = { .block_size = 512, .skip_index_objects = 1 };
	unsigned char id[REFTABLE_HASH_SIZE_MAX];
	int pass;

	for (pass = 0; pass < 2; pass++) {
		struct reftable_table *table = new_table(pass ? &unindexed : &indexed);

		CHECK_INT(table->obj_offsets.is_present, !pass);
		make_id(id, 1); /* val1 of branch 1 */
		CHECK_INT(count_refs_for(table, id), 1);
		make_id(id, 3); /* value of branch 3 */
		CHECK_INT(count_refs_for(table, id), 1);
		make_id(id, 4); /* target of branch 3, val1 of branch 4 */
		CHECK_INT(count_refs_for(table, id), 2);
		make_id(id, 1000);
		CHECK_INT(count_refs_for(table, id), 0);
		memset(id, 0xff, sizeof(id));
		CHECK_INT(count_refs_for(table, id), 0);
		free_table(table);
	}
}

static void refs_for_has_no_logs(void)
{
	struct reftable_write_options unindexed = { .block_size = 512, .skip_index_objects = 1 };
	unsigned char id[REFTABLE_HASH_SIZE_MAX];
	struct reftable_iterator it = { 0 };
	struct reftable_table *table = new_table(NULL);

	/* With an object index there is nothing to seek in. */
	make_id(id, 4);
	CHECK_INT(reftable_table_refs_for(table, &it, id), 0);
	CHECK_INT(reftable_iterator_seek_ref(&it, branch_name(4)), REFTABLE_API_ERROR);
	reftable_iterator_destroy(&it);
	free_table(table);

	table = new_table(&unindexed);
	CHECK_INT(reftable_table_refs_for(table, &it, id), 0);
	reftable_iterator_destroy(&it);
	free_table(table);
}

static void blocks(void)
{
	struct reftable_table_iterator it = { 0 };
	const struct reftable_block *block = NULL;
	struct reftable_table *table;
	char types[200];
	int count = 0, err;

	allocator_install();
	reftable_table_iterator_release(&it);
	table = new_table(NULL);
	CHECK_INT(reftable_table_iterator_init(&it, table), 0);
	while (!(err = reftable_table_iterator_next(&it, &block)) && count < 199) {
		CHECK(block != NULL);
		CHECK_INT(block->header_off, count ? 0 : 24);
		CHECK_INT(block->hash_size, 20);
		CHECK_INT(reftable_block_type(block), block->block_type);
		types[count++] = (char)block->block_type;
	}
	CHECK_INT(err, 1);
	CHECK_INT(reftable_table_iterator_next(&it, &block), 1);
	types[count] = 0;
	/* Refs, their index, objects, logs. */
	CHECK_INT(strspn(types, "r") + 1, strcspn(types, "o"));
	CHECK(strstr(types, "rio") != NULL);
	CHECK(strchr(types, 'g') > strrchr(types, 'o'));
	reftable_table_iterator_release(&it);
	reftable_table_iterator_release(&it);
	reftable_table_decref(table);
	CHECK_INT(allocator_live(), 0);
	free_table(NULL);
}

static void blocks_keep_the_table(void)
{
	struct reftable_table_iterator it = { 0 };
	const struct reftable_block *block = NULL;
	struct reftable_table *table = new_table(NULL);

	CHECK_INT(reftable_table_iterator_init(&it, table), 0);
	CHECK_INT(table->refcount, 2);
	reftable_table_decref(table);
	CHECK_INT(reftable_table_iterator_next(&it, &block), 0);
	CHECK_INT(buffer.closes, 0);
	reftable_table_iterator_release(&it);
	CHECK_INT(buffer.closes, 1);
	free_table(NULL);
}

int main(void)
{
	RUN(members);
	RUN(members_of_a_log_only_table);
	RUN(damaged);
	RUN(failing_source);
	RUN(counted_references);
	RUN(all_refs);
	RUN(all_logs);
	RUN(sections_that_are_not_there);
	RUN(refs_for_an_object);
	RUN(refs_for_has_no_logs);
	RUN(blocks);
	RUN(blocks_keep_the_table);
	return DONE();
}
