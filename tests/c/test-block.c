/* reftable-block.h, reftable-blocksource.h: single blocks, files. */
#include "check.h"
#include "support.h"

#include "reftable/reftable-block.h"
#include "reftable/reftable-constants.h"

static struct buffer buffer;
static struct reftable_block_source source;

/* One block of refs and one of logs, unpadded. */
static struct reftable_table *new_table(void)
{
	struct reftable_write_options options = { .unpadded = 1 };
	struct reftable_ref_record *refs = make_branches(40, 5);
	struct reftable_log_record *logs = make_branch_logs(10, 5);

	buffer_table(&buffer, &options, refs, 40, logs, 10);
	free(refs);
	free(logs);
	buffer_source(&source, &buffer);
	return buffer_open(&buffer, "table");
}

static void free_table(struct reftable_table *table)
{
	reftable_table_decref(table);
	CHECK_INT(buffer.lent, 0);
	buffer_release(&buffer);
}

static void ref_block(void)
{
	struct reftable_table *table = new_table();
	struct reftable_block block = { 0 };
	struct reftable_buf key = REFTABLE_BUF_INIT;

	CHECK_INT(reftable_block_init(&block, &source, 0, 24, 4096, 20, REFTABLE_BLOCK_TYPE_REF), 0);
	CHECK_INT(block.header_off, 24);
	CHECK_INT(block.hash_size, 20);
	CHECK_INT(block.block_type, 'r');
	CHECK_INT(block.restart_count, 3);
	CHECK(block.block_data.data != NULL);
	CHECK_INT(block.block_data.data[24], 'r');
	CHECK_INT(block.full_block_size, block.restart_off + 3 * 3 + 2);
	CHECK_INT(block.full_block_size, table->log_offsets.offset);
	CHECK_INT(reftable_block_type(&block), 'r');
	CHECK_INT(reftable_block_first_key(&block, &key), 0);
	CHECK_INT(key.len, strlen(branch_name(0)));
	CHECK_STR(key.buf, branch_name(0));
	CHECK(key.alloc > key.len);
	free(key.buf);
	reftable_block_release(&block);
	CHECK(block.block_data.data == NULL);
	CHECK_INT(block.full_block_size, 0);
	free_table(table);
}

static void log_block(void)
{
	struct reftable_table *table = new_table();
	struct reftable_block block = { 0 };
	struct reftable_buf key = REFTABLE_BUF_INIT;
	uint32_t offset = (uint32_t)table->log_offsets.offset;

	CHECK_INT(reftable_block_init(&block, &source, offset, 0, 4096, 20, REFTABLE_BLOCK_TYPE_ANY), 0);
	CHECK_INT(block.header_off, 0);
	CHECK_INT(block.block_type, 'g');
	CHECK_INT(reftable_block_type(&block), 'g');
	/* The content is inflated, the size in the file is not. */
	CHECK_INT(offset + block.full_block_size, table->size);
	CHECK(block.block_data.len > block.full_block_size);
	CHECK_INT(block.block_data.len, block.restart_off + 3 * block.restart_count + 2);
	CHECK_INT(reftable_block_first_key(&block, &key), 0);
	CHECK_INT(key.len, strlen(branch_name(0)) + 9);
	CHECK_MEM(key.buf, "refs/heads/branch-0000\0\xff\xff\xff\xff\xff\xff\xff\xfa", key.len);
	free(key.buf);
	reftable_block_release(&block);
	free_table(table);
}

static void wanted_type(void)
{
	struct reftable_table *table = new_table();
	struct reftable_block block = { 0 };

	CHECK_INT(reftable_block_init(&block, &source, 0, 24, 4096, 20, REFTABLE_BLOCK_TYPE_ANY), 0);
	reftable_block_release(&block);
	CHECK_INT(reftable_block_init(&block, &source, 0, 24, 4096, 20, REFTABLE_BLOCK_TYPE_LOG), 1);
	reftable_block_release(&block);
	CHECK_INT(reftable_block_init(&block, &source, 0, 24, 4096, 20, REFTABLE_BLOCK_TYPE_INDEX), 1);
	reftable_block_release(&block);
	/* Not a block: the middle of a record. */
	CHECK_INT(reftable_block_init(&block, &source, 30, 0, 4096, 20, REFTABLE_BLOCK_TYPE_ANY),
		  REFTABLE_FORMAT_ERROR);
	reftable_block_release(&block);
	free_table(table);
}

/* The struct can be reused. */
static void another_block_in_the_same_struct(void)
{
	struct reftable_table *table = new_table();
	struct reftable_block block = { 0 };
	uint32_t offset = (uint32_t)table->log_offsets.offset;
	int i;

	allocator_install();
	for (i = 0; i < 3; i++) {
		CHECK_INT(reftable_block_init(&block, &source, 0, 24, 0, 20, 'r'), 0);
		CHECK_INT(block.block_type, 'r');
		CHECK_INT(reftable_block_init(&block, &source, offset, 0, 0, 20, 'g'), 0);
		CHECK_INT(block.block_type, 'g');
	}
	reftable_block_release(&block);
	reftable_block_release(&block);
	CHECK_INT(allocator_live(), 0);
	reftable_set_alloc(NULL, NULL, NULL);
	free_table(table);
}

static void zero_filled(void)
{
	struct reftable_block block = { 0 };

	reftable_block_release(&block);
	reftable_block_release(&block);
	CHECK(block.block_data.data == NULL);
}

static void records_of_a_ref_block(void)
{
	struct reftable_table *table = new_table();
	struct reftable_ref_record *refs = make_branches(40, 0), got = { 0 };
	struct reftable_block block = { 0 };
	struct reftable_iterator it = { 0 };
	int i;

	CHECK_INT(reftable_block_init(&block, &source, 0, 24, 4096, 20, 'r'), 0);
	CHECK_INT(reftable_block_init_iterator(&block, &it), 0);
	/* It starts at the first record; update indexes are those of the block, from 0. */
	for (i = 0; i < 40; i++) {
		CHECK_INT(reftable_iterator_next_ref(&it, &got), 0);
		CHECK(reftable_ref_record_equal(&got, &refs[i], 20));
	}
	CHECK_INT(reftable_iterator_next_ref(&it, &got), 1);
	for (i = 39; i >= 0; i -= 13) {
		CHECK_INT(reftable_iterator_seek_ref(&it, branch_name((unsigned)i)), 0);
		CHECK_INT(reftable_iterator_next_ref(&it, &got), 0);
		CHECK_STR(got.refname, branch_name((unsigned)i));
	}
	CHECK_INT(reftable_iterator_seek_ref(&it, "refs/heads/branch-0009x"), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &got), 0);
	CHECK_STR(got.refname, branch_name(10));
	CHECK_INT(reftable_iterator_seek_ref(&it, "z"), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &got), 1);
	CHECK_INT(reftable_iterator_seek_ref(&it, ""), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &got), 0);
	CHECK_STR(got.refname, branch_name(0));
	CHECK_INT(reftable_iterator_seek_log(&it, "a"), REFTABLE_API_ERROR);
	reftable_iterator_destroy(&it);
	reftable_ref_record_release(&got);
	reftable_block_release(&block);
	free(refs);
	free_table(table);
}

static void records_of_a_log_block(void)
{
	struct reftable_table *table = new_table();
	struct reftable_log_record *logs = make_branch_logs(10, 5), got = { 0 };
	struct reftable_block block = { 0 };
	struct reftable_iterator it = { 0 };
	int i;

	CHECK_INT(reftable_block_init(&block, &source, (uint32_t)table->log_offsets.offset, 0, 4096,
				      20, 'g'),
		  0);
	CHECK_INT(reftable_block_init_iterator(&block, &it), 0);
	for (i = 0; i < 10; i++) {
		CHECK_INT(reftable_iterator_next_log(&it, &got), 0);
		CHECK(reftable_log_record_equal(&got, &logs[i], 20));
	}
	CHECK_INT(reftable_iterator_next_log(&it, &got), 1);
	CHECK_INT(reftable_iterator_seek_log(&it, branch_name(4)), 0);
	CHECK_INT(reftable_iterator_next_log(&it, &got), 0);
	CHECK_STR(got.refname, branch_name(4));
	CHECK_INT(reftable_iterator_seek_log_at(&it, branch_name(4), 4), 0);
	CHECK_INT(reftable_iterator_next_log(&it, &got), 0);
	CHECK_STR(got.refname, branch_name(5));
	CHECK_INT(reftable_iterator_seek_ref(&it, "a"), REFTABLE_API_ERROR);
	reftable_iterator_destroy(&it);
	reftable_log_record_release(&got);
	reftable_block_release(&block);
	free(logs);
	free_table(table);
}

static void damaged_log_block(void)
{
	struct reftable_table *table = new_table();
	struct reftable_block block = { 0 };
	uint32_t offset = (uint32_t)table->log_offsets.offset;

	/* A wrong inflated size: too small, too large. */
	buffer.bytes[offset + 3] -= 1;
	CHECK_INT(reftable_block_init(&block, &source, offset, 0, 4096, 20, 'g'), REFTABLE_ZLIB_ERROR);
	buffer.bytes[offset + 3] += 2;
	CHECK_INT(reftable_block_init(&block, &source, offset, 0, 4096, 20, 'g'), REFTABLE_FORMAT_ERROR);
	buffer.bytes[offset + 3] -= 1;
	/* The compressed bytes. */
	memset(buffer.bytes + offset + 20, 0xff, 20);
	CHECK_INT(reftable_block_init(&block, &source, offset, 0, 4096, 20, 'g'), REFTABLE_ZLIB_ERROR);
	reftable_block_release(&block);
	free_table(table);
}

static void failing_reads(void)
{
	struct reftable_table *table = new_table();
	struct reftable_block block = { 0 };

	buffer.error = -77;
	buffer.fail_read_at = buffer.reads + 1;
	CHECK_INT(reftable_block_init(&block, &source, 0, 24, 4096, 20, 'r'), -77);
	/* The block is larger than the first guess and is read again. */
	buffer.fail_read_at = buffer.reads + 2;
	CHECK_INT(reftable_block_init(&block, &source, 0, 24, 100, 20, 'r'), -77);
	buffer.fail_read_at = 0;
	CHECK_INT(reftable_block_init(&block, &source, 0, 24, 100, 20, 'r'), 0);
	reftable_block_release(&block);
	free_table(table);
}

static void file(void)
{
	struct reftable_block_source from_file = { 0 };
	struct reftable_block_data data = { 0 };
	char *directory = directory_new(), *path = directory_path(directory, "file");

	allocator_install();
	CHECK_INT(reftable_block_source_from_file(&from_file, path), REFTABLE_NOT_EXIST_ERROR);
	CHECK(from_file.ops == NULL);
	directory_write(directory, "file", "0123456789", 10);
	CHECK_INT(reftable_block_source_from_file(&from_file, path), 0);
	CHECK_INT(from_file.ops->size(from_file.arg), 10);
	CHECK_INT(from_file.ops->read_data(from_file.arg, &data, 3, 4), 4);
	CHECK_INT(data.len, 4);
	CHECK_MEM(data.data, "3456", 4);
	from_file.ops->release_data(from_file.arg, &data);
	CHECK_INT(from_file.ops->read_data(from_file.arg, &data, 0, 10), 10);
	CHECK_MEM(data.data, "0123456789", 10);
	from_file.ops->release_data(from_file.arg, &data);
	from_file.ops->close(from_file.arg);

	from_file.ops = NULL;
	directory_write(directory, "file", "", 0);
	CHECK_INT(reftable_block_source_from_file(&from_file, path), 0);
	CHECK_INT(from_file.ops->size(from_file.arg), 0);
	from_file.ops->close(from_file.arg);

	from_file.ops = NULL;
	CHECK(reftable_block_source_from_file(&from_file, directory) < 0);
	CHECK(from_file.ops == NULL);
	CHECK_INT(allocator_live(), 0);
	free(path);
	directory_remove(directory);
}

static void table_in_a_file(void)
{
	struct reftable_block_source from_file = { 0 };
	char *directory = directory_new(), *path = directory_path(directory, "file");
	struct reftable_table *table = new_table();
	struct reftable_ref_record ref = { 0 };
	struct reftable_iterator it = { 0 };

	directory_write(directory, "file", buffer.bytes, buffer.len);
	free_table(table);
	CHECK_INT(reftable_block_source_from_file(&from_file, path), 0);
	CHECK_INT(reftable_table_new(&table, &from_file, "file"), 0);
	/* Mapped: the file can be removed. */
	directory_remove(directory);
	free(path);
	CHECK_INT(reftable_table_init_ref_iterator(table, &it), 0);
	CHECK_INT(reftable_iterator_seek_ref(&it, branch_name(33)), 0);
	CHECK_INT(reftable_iterator_next_ref(&it, &ref), 0);
	CHECK_STR(ref.refname, branch_name(33));
	reftable_ref_record_release(&ref);
	reftable_iterator_destroy(&it);
	reftable_table_decref(table);
}

int main(void)
{
	RUN(ref_block);
	RUN(log_block);
	RUN(wanted_type);
	RUN(another_block_in_the_same_struct);
	RUN(zero_filled);
	RUN(records_of_a_ref_block);
	RUN(records_of_a_log_block);
	RUN(damaged_log_block);
	RUN(failing_reads);
	RUN(file);
	RUN(table_in_a_file);
	return DONE();
}
