/* NULL for every pointer that may not be NULL: an error code, or no effect. Upstream crashes. */
#include "check.h"
#include "support.h"

#include "reftable/reftable-block.h"
#include "reftable/reftable-fsck.h"
#include "reftable/reftable-merged.h"

static struct buffer buffer;
static struct reftable_iterator it;
static struct reftable_ref_record ref;
static struct reftable_log_record log_record;

static struct reftable_table *new_table(void)
{
	struct reftable_ref_record a = make_val1("a", 1, 1);

	buffer_table(&buffer, NULL, &a, 1, NULL, 0);
	return buffer_open(&buffer, "table");
}

static void free_table(struct reftable_table *table)
{
	reftable_table_decref(table);
	buffer_release(&buffer);
}

static void blocks(void)
{
	struct reftable_block_source source = { 0 }, none = { 0 };
	struct reftable_table *table = new_table();
	struct reftable_buf key = REFTABLE_BUF_INIT;
	struct reftable_block block = { 0 };

	buffer_source(&source, &buffer);
	CHECK_INT(reftable_block_init(NULL, &source, 0, 24, 4096, 20, 'r'), REFTABLE_API_ERROR);
	CHECK_INT(reftable_block_init(&block, NULL, 0, 24, 4096, 20, 'r'), REFTABLE_API_ERROR);
	CHECK_INT(reftable_block_init(&block, &none, 0, 24, 4096, 20, 'r'), REFTABLE_API_ERROR);
	reftable_block_release(NULL);
	CHECK_INT(reftable_block_init(&block, &source, 0, 24, 4096, 20, 'r'), 0);
	CHECK_INT(reftable_block_init_iterator(NULL, &it), REFTABLE_API_ERROR);
	CHECK_INT(reftable_block_init_iterator(&block, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_block_type(NULL), 0);
	CHECK_INT(reftable_block_first_key(NULL, &key), REFTABLE_API_ERROR);
	CHECK_INT(reftable_block_first_key(&block, NULL), REFTABLE_API_ERROR);
	reftable_block_release(&block);
	/* And a block that has been released. */
	CHECK_INT(reftable_block_init_iterator(&block, &it), REFTABLE_API_ERROR);
	CHECK_INT(reftable_block_type(&block), 0);
	CHECK_INT(reftable_block_first_key(&block, &key), REFTABLE_API_ERROR);
	CHECK(it.ops == NULL && key.buf == NULL);
	free_table(table);
}

/* Positions without a block, and sizes that do not fit. */
static void invalid_blocks(void)
{
	struct reftable_table *table = new_table();
	struct reftable_block_source source = { 0 };
	struct reftable_block block = { 0 };
	uint32_t end = (uint32_t)buffer.len, i;
	int lent = buffer.lent;

	buffer_source(&source, &buffer);
	for (i = 25; i < end + 10; i++) {
		CHECK(reftable_block_init(&block, &source, i, 0, 4096, 20, 0) < 0);
		CHECK(block.block_data.data == NULL);
	}
	CHECK(reftable_block_init(&block, &source, UINT32_MAX, 0, 4096, 20, 0) < 0);
	CHECK(reftable_block_init(&block, &source, 0, UINT32_MAX, 4096, 20, 0) < 0);
	CHECK(reftable_block_init(&block, &source, 0, end, 4096, 20, 0) < 0);
	CHECK(reftable_block_init(&block, &source, 0, 24, UINT32_MAX, 20, 'g') != 0);
	reftable_block_release(&block);
	/* Ids that are too long. */
	if (!reftable_block_init(&block, &source, 0, 24, 4096, UINT32_MAX, 'r') &&
	    !reftable_block_init_iterator(&block, &it)) {
		CHECK(reftable_iterator_next_ref(&it, &ref) < 0);
		reftable_iterator_destroy(&it);
	}
	reftable_block_release(&block);
	reftable_ref_record_release(&ref);
	CHECK_INT(buffer.lent, lent);
	free_table(table);
}

static void sources(void)
{
	struct reftable_block_source source = { 0 };
	struct reftable_table *table = NULL;

	CHECK_INT(reftable_block_source_from_file(NULL, "/dev/null"), REFTABLE_API_ERROR);
	CHECK_INT(reftable_block_source_from_file(&source, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_table_new(&table, NULL, "name"), REFTABLE_API_ERROR);
	CHECK_INT(reftable_table_new(&table, &source, "name"), REFTABLE_API_ERROR);
	reftable_table_decref(new_table());
	/* A source that is in use. */
	buffer_source(&source, &buffer);
	CHECK_INT(reftable_block_source_from_file(&source, "/dev/null"), REFTABLE_API_ERROR);
	/* The table owns the source even if an argument is missing. */
	buffer.closes = 0;
	CHECK_INT(reftable_table_new(NULL, &source, "name"), REFTABLE_API_ERROR);
	CHECK_INT(buffer.closes, 1);
	buffer_source(&source, &buffer);
	CHECK_INT(reftable_table_new(&table, &source, NULL), REFTABLE_API_ERROR);
	CHECK_INT(buffer.closes, 2);
	CHECK_INT(buffer.lent, 0);
	buffer_release(&buffer);
}

static void tables(void)
{
	struct reftable_table_iterator blocks = { 0 };
	struct reftable_table *table = new_table();
	const struct reftable_block *block = NULL;
	unsigned char id[REFTABLE_HASH_SIZE_MAX] = { 0 };

	reftable_table_incref(NULL);
	CHECK_INT(reftable_table_init_ref_iterator(NULL, &it), REFTABLE_API_ERROR);
	CHECK_INT(reftable_table_init_ref_iterator(table, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_table_init_log_iterator(NULL, &it), REFTABLE_API_ERROR);
	CHECK_INT(reftable_table_init_log_iterator(table, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_table_refs_for(NULL, &it, id), REFTABLE_API_ERROR);
	CHECK_INT(reftable_table_refs_for(table, NULL, id), REFTABLE_API_ERROR);
	CHECK_INT(reftable_table_refs_for(table, &it, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_table_hash_id(NULL), 0);
	CHECK_INT(reftable_table_max_update_index(NULL), 0);
	CHECK_INT(reftable_table_min_update_index(NULL), 0);
	CHECK_INT(reftable_table_iterator_init(NULL, table), REFTABLE_API_ERROR);
	CHECK_INT(reftable_table_iterator_init(&blocks, NULL), REFTABLE_API_ERROR);
	reftable_table_iterator_release(NULL);
	CHECK_INT(reftable_table_iterator_next(NULL, &block), REFTABLE_API_ERROR);
	CHECK_INT(reftable_table_iterator_next(&blocks, &block), REFTABLE_API_ERROR);
	CHECK_INT(reftable_table_iterator_init(&blocks, table), 0);
	CHECK_INT(reftable_table_iterator_next(&blocks, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_table_iterator_next(&blocks, &block), 0);
	reftable_table_iterator_release(&blocks);
	CHECK_INT(reftable_table_iterator_next(&blocks, &block), REFTABLE_API_ERROR);
	CHECK_INT(table->refcount, 1);
	free_table(table);
}

static void iterators(void)
{
	struct reftable_table *table = new_table();
	int i;

	/* NULL, zero-filled, destroyed. */
	for (i = 0; i < 3; i++) {
		struct reftable_iterator *none = i ? &it : NULL;

		CHECK_INT(reftable_iterator_seek_ref(none, "a"), REFTABLE_API_ERROR);
		CHECK_INT(reftable_iterator_seek_log(none, "a"), REFTABLE_API_ERROR);
		CHECK_INT(reftable_iterator_seek_log_at(none, "a", 1), REFTABLE_API_ERROR);
		CHECK_INT(reftable_iterator_next_ref(none, &ref), REFTABLE_API_ERROR);
		CHECK_INT(reftable_iterator_next_log(none, &log_record), REFTABLE_API_ERROR);
		reftable_iterator_destroy(none);
		CHECK_INT(reftable_table_init_ref_iterator(table, &it), 0);
		reftable_iterator_destroy(&it);
	}
	CHECK_INT(reftable_table_init_ref_iterator(table, &it), 0);
	CHECK_INT(reftable_iterator_seek_ref(&it, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_iterator_seek_ref(&it, "a"), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), 0);
	CHECK_STR(ref.refname, "a");
	/* One that is in use. */
	CHECK_INT(reftable_table_init_ref_iterator(table, &it), REFTABLE_API_ERROR);
	CHECK_INT(reftable_table_init_log_iterator(table, &it), REFTABLE_API_ERROR);
	CHECK_INT(reftable_table_refs_for(table, &it, ref.value.val1), REFTABLE_API_ERROR);
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), 1);
	reftable_iterator_destroy(&it);
	CHECK_INT(reftable_table_init_log_iterator(table, &it), 0);
	CHECK_INT(reftable_iterator_seek_log(&it, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_iterator_seek_log_at(&it, NULL, 1), REFTABLE_API_ERROR);
	CHECK_INT(reftable_iterator_next_log(&it, NULL), REFTABLE_API_ERROR);
	reftable_iterator_destroy(&it);
	reftable_ref_record_release(&ref);
	CHECK_INT(table->refcount, 1);
	free_table(table);
}

static void merged_tables(void)
{
	struct reftable_merged_table *merged = NULL;
	struct reftable_table *table = new_table(), *none[] = { table, NULL };

	CHECK_INT(reftable_merged_table_new(NULL, none, 1, REFTABLE_HASH_SHA1), REFTABLE_API_ERROR);
	CHECK_INT(reftable_merged_table_new(&merged, NULL, 1, REFTABLE_HASH_SHA1), REFTABLE_API_ERROR);
	CHECK_INT(reftable_merged_table_new(&merged, none, 2, REFTABLE_HASH_SHA1), REFTABLE_API_ERROR);
	CHECK(merged == NULL);
	CHECK_INT(reftable_merged_table_new(&merged, none, 1, REFTABLE_HASH_SHA1), 0);
	CHECK_INT(reftable_merged_table_init_ref_iterator(NULL, &it), REFTABLE_API_ERROR);
	CHECK_INT(reftable_merged_table_init_ref_iterator(merged, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_merged_table_init_log_iterator(NULL, &it), REFTABLE_API_ERROR);
	CHECK_INT(reftable_merged_table_init_log_iterator(merged, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_merged_table_min_update_index(NULL), 0);
	CHECK_INT(reftable_merged_table_max_update_index(NULL), 0);
	CHECK_INT(reftable_merged_table_hash_id(NULL), 0);
	reftable_merged_table_free(merged);
	CHECK_INT(table->refcount, 1);
	free_table(table);
}

static int write_nothing(struct reftable_writer *writer, void *arg)
{
	(void)writer;
	(void)arg;
	return 0;
}

static int report(struct reftable_fsck_info *info, void *arg)
{
	(void)info;
	(void)arg;
	return 0;
}

static void stacks(void)
{
	char *directory = directory_new();
	struct reftable_addition *addition = NULL;
	struct reftable_stack *stack = NULL;
	bool required = true;

	CHECK_INT(make_stack(NULL, directory, NULL), REFTABLE_API_ERROR);
	CHECK_INT(make_stack(&stack, NULL, NULL), REFTABLE_API_ERROR);
	CHECK(stack == NULL);
	CHECK_INT(make_stack(&stack, directory, NULL), 0);
	CHECK_INT(reftable_stack_next_update_index(NULL), 0);
	CHECK_INT(reftable_stack_new_addition(NULL, stack, write_options, 0), REFTABLE_API_ERROR);
	CHECK_INT(reftable_stack_new_addition(&addition, NULL, write_options, 0), REFTABLE_API_ERROR);
	CHECK(addition == NULL);
	CHECK_INT(directory_count(directory, ""), 0);
	CHECK_INT(reftable_stack_new_addition(&addition, stack, write_options, 0), 0);
	CHECK_INT(reftable_addition_add(NULL, write_nothing, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_addition_add(addition, NULL, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_addition_commit(NULL), REFTABLE_API_ERROR);
	reftable_addition_destroy(addition);
	CHECK_INT(reftable_stack_add(NULL, write_nothing, NULL, write_options, 0), REFTABLE_API_ERROR);
	CHECK_INT(reftable_stack_add(stack, NULL, NULL, write_options, 0), REFTABLE_API_ERROR);
	CHECK_INT(reftable_stack_init_ref_iterator(NULL, &it), REFTABLE_API_ERROR);
	CHECK_INT(reftable_stack_init_ref_iterator(stack, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_stack_init_log_iterator(NULL, &it), REFTABLE_API_ERROR);
	CHECK_INT(reftable_stack_init_log_iterator(stack, NULL), REFTABLE_API_ERROR);
	CHECK(reftable_stack_merged_table(NULL) == NULL);
	CHECK_INT(reftable_stack_reload(NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_stack_compact_all(NULL, write_options, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_stack_compaction_required(NULL, write_options, true, &required), REFTABLE_API_ERROR);
	CHECK_INT(reftable_stack_compaction_required(stack, write_options, true, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_stack_auto_compact(NULL, write_options), REFTABLE_API_ERROR);
	CHECK_INT(reftable_stack_clean(NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_stack_read_ref(NULL, "a", &ref), REFTABLE_API_ERROR);
	CHECK_INT(reftable_stack_read_ref(stack, NULL, &ref), REFTABLE_API_ERROR);
	CHECK_INT(reftable_stack_read_ref(stack, "a", NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_stack_read_log(NULL, "a", &log_record), REFTABLE_API_ERROR);
	CHECK_INT(reftable_stack_read_log(stack, NULL, &log_record), REFTABLE_API_ERROR);
	CHECK_INT(reftable_stack_read_log(stack, "a", NULL), REFTABLE_API_ERROR);
	CHECK(reftable_stack_compaction_stats(NULL) == NULL);
	CHECK_INT(reftable_stack_hash_id(NULL), 0);
	CHECK_INT(reftable_fsck_check(NULL, report, NULL, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_fsck_check(stack, NULL, NULL, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_fsck_check(stack, report, NULL, NULL), 0);
	CHECK_INT(directory_count(directory, ""), 0);
	reftable_stack_destroy(stack);
	directory_remove(directory);
}

static void writers(void)
{
	struct reftable_ref_record a = make_val1("a", 1, 1), b = make_symref("b", 1, NULL);
	struct reftable_log_record log = make_log("a", 1, "m");
	struct reftable_writer *writer = NULL;

	CHECK_INT(make_writer(NULL, buffer_write, buffer_flush, &buffer, 0, NULL),
		  REFTABLE_API_ERROR);
	CHECK_INT(make_writer(&writer, NULL, buffer_flush, &buffer, 0, NULL), REFTABLE_API_ERROR);
	CHECK_INT(make_writer(&writer, buffer_write, NULL, &buffer, 0, NULL), REFTABLE_API_ERROR);
	CHECK(writer == NULL);
	CHECK_INT(reftable_writer_set_limits(NULL, 1, 1), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_add_ref(NULL, &a), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_add_refs(NULL, &a, 1), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_add_log(NULL, &log), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_add_logs(NULL, &log, 1), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_close(NULL), REFTABLE_API_ERROR);
	CHECK(reftable_writer_stats(NULL) == NULL);
	CHECK_INT(make_writer(&writer, buffer_write, buffer_flush, &buffer, 0, NULL), 0);
	CHECK_INT(reftable_writer_set_limits(writer, 1, 1), 0);
	CHECK_INT(reftable_writer_add_ref(writer, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_add_refs(writer, NULL, 1), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_add_log(writer, NULL), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_add_logs(writer, NULL, 1), REFTABLE_API_ERROR);
	/* A symref without a target, an unknown type, a deletion without a name. */
	CHECK_INT(reftable_writer_add_ref(writer, &b), REFTABLE_API_ERROR);
	b.value_type = REFTABLE_NR_REF_VALUETYPES;
	CHECK_INT(reftable_writer_add_ref(writer, &b), REFTABLE_API_ERROR);
	log = make_log_deletion(NULL, 1);
	CHECK_INT(reftable_writer_add_log(writer, &log), REFTABLE_API_ERROR);
	CHECK_INT(reftable_writer_add_ref(writer, &a), 0);
	CHECK_INT(reftable_writer_close(writer), 0);
	reftable_writer_free(writer);
	buffer_release(&buffer);
}

int main(void)
{
	RUN(blocks);
	RUN(invalid_blocks);
	RUN(sources);
	RUN(tables);
	RUN(iterators);
	RUN(merged_tables);
	RUN(stacks);
	RUN(writers);
	return DONE();
}
