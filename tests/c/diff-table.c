/* Single and merged tables: written, and read in every way. */
#include "differential.h"

#include "reftable/reftable-block.h"
#include "reftable/reftable-constants.h"
#include "reftable/reftable-merged.h"

static uint32_t hash_size_of(const struct options *options)
{
	return options->hash_id == REFTABLE_HASH_SHA256 ? 32 : 20;
}

/* Writes the records one by one or as arrays; prints the codes, the statistics and the bytes. */
static int write_table(struct buffer *buffer, const struct options *options,
		       struct records *records, uint64_t min, uint64_t max)
{
	struct reftable_writer *writer = NULL;
	int err = make_writer(&writer, buffer_write, buffer_flush, buffer,
			      options->hash_id, &options->write);
	size_t i;

	printf("new: %d\n", err);
	has_logs = records->log_count > 0;
	if (err)
		return err;
	printf("set_limits: %d\n", reftable_writer_set_limits(writer, min, max));
	if (random_chance(50)) {
		shuffle_records(records);
		err = reftable_writer_add_refs(writer, records->refs, records->ref_count);
		printf("add_refs: %d\n", err);
		if (!err)
			err = reftable_writer_add_logs(writer, records->logs, records->log_count);
		printf("add_logs: %d\n", err);
	} else {
		for (i = 0; !err && i < records->ref_count; i++)
			err = reftable_writer_add_ref(writer, &records->refs[i]);
		printf("add_ref: %d after %zu\n", err, i);
		for (i = 0; !err && i < records->log_count; i++)
			err = reftable_writer_add_log(writer, &records->logs[i]);
		printf("add_log: %d after %zu\n", err, i);
	}
	if (!err) {
		err = reftable_writer_close(writer);
		printf("close: %d\n", err);
		print_stats(reftable_writer_stats(writer));
		print_size("bytes: %zu %016llx\n", buffer->len,
			   (unsigned long long)digest(buffer->bytes, buffer->len));
	}
	reftable_writer_free(writer);
	return err;
}

static const char *some_name(const struct records *records)
{
	if (random_chance(50) && records->ref_count)
		return records->refs[random_below((unsigned)records->ref_count)].refname;
	if (random_chance(50) && records->log_count)
		return records->logs[random_below((unsigned)records->log_count)].refname;
	return random_chance(10) ? "" : random_name(20);
}

static void seek_in_table(struct reftable_table *table, const struct records *records,
			  uint32_t hash_size)
{
	struct reftable_iterator it = { 0 };
	int i;

	for (i = 0; i < 20; i++) {
		const char *name = some_name(records);
		uint64_t at = random_chance(40) ? UINT64_MAX : random_below(30);

		walk_refs("refs", reftable_table_init_ref_iterator(table, &it), &it, name,
			  1 + (int)random_below(5), hash_size);
		walk_logs("logs", reftable_table_init_log_iterator(table, &it), &it, name, at,
			  1 + (int)random_below(5), hash_size);
	}
	end_details("seeks");
}

static void refs_for(struct reftable_table *table, const struct records *records, uint32_t hash_size)
{
	unsigned char id[REFTABLE_HASH_SIZE_MAX];
	struct reftable_iterator it = { 0 };
	int i;

	for (i = 0; i < 20 && records->ref_count; i++) {
		const struct reftable_ref_record *ref =
			&records->refs[random_below((unsigned)records->ref_count)];
		const unsigned char *found = random_chance(50) ? reftable_ref_record_val1(ref) :
								 reftable_ref_record_val2(ref);

		make_id(id, random_below(1000000));
		if (found)
			memcpy(id, found, sizeof(id));
		detail_bytes("refs for", id, hash_size);
		walk_refs("refs", reftable_table_refs_for(table, &it, id), &it, NULL, -1, hash_size);
	}
	end_details("refs_for");
}

static void print_block(const struct reftable_block *block, uint32_t hash_size)
{
	struct reftable_iterator it = { 0 };
	struct reftable_buf key = REFTABLE_BUF_INIT;
	uint8_t type = reftable_block_type(block);
	uint64_t hash;
	int err;

	printf("block: type %c (%c) header_off %u hash_size %u restart_count %u restart_off %u\n", type,
	       block->block_type, block->header_off, block->hash_size, block->restart_count,
	       block->restart_off);
	err = reftable_block_first_key(block, &key);
	detail("first key is %d", err);
	detail_bytes("key", key.buf, key.len);
	free(key.buf);
	/* Only refs and logs can be read through this API. */
	if (type == REFTABLE_BLOCK_TYPE_REF) {
		walk_refs("refs", reftable_block_init_iterator(block, &it), &it, NULL, -1, hash_size);
		walk_refs("refs", reftable_block_init_iterator(block, &it), &it, random_name(80), 3,
			  hash_size);
	} else if (type == REFTABLE_BLOCK_TYPE_LOG) {
		walk_logs("logs", reftable_block_init_iterator(block, &it), &it, NULL, 0, -1, hash_size);
		walk_logs("logs", reftable_block_init_iterator(block, &it), &it, random_name(80), 5, 3,
			  hash_size);
	}
	end_details("records");
	print_size("block: full_block_size %u, %zu bytes\n", block->full_block_size,
		   block->block_data.len);
	hash = digest(block->block_data.data, block->restart_off + 3u * block->restart_count + 2);
	/* A log index contains their offsets. */
	if (type == REFTABLE_BLOCK_TYPE_INDEX)
		print_size("block: %016llx\n", (unsigned long long)hash);
	else
		printf("block: %016llx\n", (unsigned long long)hash);
}

static void blocks(struct reftable_table *table, uint32_t hash_size)
{
	struct reftable_table_iterator it = { 0 };
	const struct reftable_block *block = NULL;
	int err = reftable_table_iterator_init(&it, table);

	printf("blocks: %d\n", err);
	while (!(err = reftable_table_iterator_next(&it, &block)))
		print_block(block, hash_size);
	printf("blocks: end is %d\n", err);
	reftable_table_iterator_release(&it);
}

/* A block by its position, as a caller would request it who knows the format. */
static void block_at(struct buffer *buffer, const struct reftable_table *table, uint64_t offset,
		     uint32_t hash_size)
{
	static const uint8_t wanted[] = { 0, 'r', 'g', 'o', 'i' };
	struct reftable_block_source source = { 0 };
	struct reftable_block block = { 0 };
	uint8_t type = wanted[random_below(5)];
	int err;

	buffer_source(&source, buffer);
	err = reftable_block_init(&block, &source, (uint32_t)offset,
				  offset ? 0 : table->version == 1 ? 24 : 28, table->block_size,
				  hash_size, type);
	printf("block of type %d: %d\n", type, err);
	if (!err)
		print_block(&block, hash_size);
	reftable_block_release(&block);
}

static void read_table(struct buffer *buffer, const struct records *records, uint32_t hash_size)
{
	struct reftable_table *table = buffer_open(buffer, "name");
	struct reftable_iterator it = { 0 };

	print_table(table);
	walk_refs("refs", reftable_table_init_ref_iterator(table, &it), &it, "", -1, hash_size);
	end_details("refs");
	walk_logs("logs", reftable_table_init_log_iterator(table, &it), &it, "", UINT64_MAX, -1,
		  hash_size);
	end_details("logs");
	seek_in_table(table, records, hash_size);
	if (table->ref_offsets.is_present)
		refs_for(table, records, hash_size);
	blocks(table, hash_size);
	block_at(buffer, table, 0, hash_size);
	if (table->ref_offsets.index_offset)
		block_at(buffer, table, table->ref_offsets.index_offset, hash_size);
	if (table->obj_offsets.offset)
		block_at(buffer, table, table->obj_offsets.offset, hash_size);
	if (table->log_offsets.offset)
		block_at(buffer, table, table->log_offsets.offset, hash_size);
	reftable_table_decref(table);
}

void case_table(void)
{
	size_t refs = random_chance(85) ? random_below(random_chance(50) ? 20 : 700) : 0;
	size_t logs = random_chance(70) ? random_below(random_chance(50) ? 10 : 200) : 0;
	struct options options = random_options(logs > 0);
	uint64_t min = random_chance(90) ? random_below(20) : UINT64_C(1) << random_below(60);
	uint64_t max = min + random_below(20);
	struct records records = random_records(refs, logs, min, max, options.write.exact_log_message);
	struct buffer buffer = { 0 };

	printf("block_size %u restart_interval %u unpadded %d skip %d exact %d hash %d\n",
	       options.write.block_size, options.write.restart_interval, options.write.unpadded,
	       options.write.skip_index_objects, options.write.exact_log_message, (int)options.hash_id);
	printf("%zu refs, %zu logs\n", records.ref_count, records.log_count);
	if (!write_table(&buffer, &options, &records, min, max))
		read_table(&buffer, &records, hash_size_of(&options));
	printf("lent: %d\n", buffer.lent);
	buffer_release(&buffer);
	free_records(&records);
}

/* Few records in one block, with refused attempts in between. */
void case_refused_records(void)
{
	struct reftable_write_options options = { .exact_log_message = random_chance(50) };
	struct records records = random_records(12, 12, 10, 20, 1);
	struct reftable_writer *writer = NULL;
	struct buffer buffer = { 0 };
	size_t i, logs = 0;

	WRITE_AS_UPSTREAM(options);
	has_logs = 1;
	printf("new: %d\n", make_writer(&writer, buffer_write, buffer_flush, &buffer, 0, &options));
	printf("set_limits: %d\n", reftable_writer_set_limits(writer, 10, 20));
	for (i = 0; i < records.ref_count; i++) {
		struct reftable_ref_record bad = records.refs[random_below((unsigned)i + 1)];

		printf("add_ref: %d\n", reftable_writer_add_ref(writer, &records.refs[i]));
		if (random_chance(30))
			printf("again: %d\n", reftable_writer_add_ref(writer, &bad));
		bad.update_index = random_chance(50) ? random_below(10) : 21 + random_below(10);
		bad.refname = (char *)"\xff\xff";
		if (random_chance(30))
			printf("outside: %d\n", reftable_writer_add_ref(writer, &bad));
		bad.refname = NULL;
		if (random_chance(30))
			printf("unnamed: %d\n", reftable_writer_add_ref(writer, &bad));
		if (random_chance(30))
			printf("set_limits: %d\n", reftable_writer_set_limits(writer, 1, 30));
	}
	for (i = 0; i < records.log_count; i++) {
		struct reftable_log_record bad = records.logs[random_below((unsigned)i + 1)];
		/* Messages of several lines are refused, unless messages are exact. */
		int err = reftable_writer_add_log(writer, &records.logs[i]);

		printf("add_log: %d\n", err);
		/* Upstream does not compare the second key of a section with the first. */
		logs += !err;
		if (logs < 2)
			continue;
		if (random_chance(30))
			printf("again: %d\n", reftable_writer_add_log(writer, &bad));
		bad.update_index = 21 + random_below(10);
		bad.refname = (char *)"\xff\xff";
		if (bad.value_type && random_chance(30))
			printf("outside: %d\n", reftable_writer_add_log(writer, &bad));
		bad.refname = NULL;
		if (bad.value_type && random_chance(30))
			printf("unnamed: %d\n", reftable_writer_add_log(writer, &bad));
	}
	printf("close: %d\n", reftable_writer_close(writer));
	print_stats(reftable_writer_stats(writer));
	print_size("bytes: %zu %016llx\n", buffer.len,
		   (unsigned long long)digest(buffer.bytes, buffer.len));
	reftable_writer_free(writer);
	buffer_release(&buffer);
	free_records(&records);
}

#define MAX_TABLES 5

static void read_merged(struct reftable_merged_table *merged, const struct records *records,
			uint32_t hash_size)
{
	struct reftable_iterator it = { 0 };
	int i;

	printf("indexes: %llu to %llu, hash_id %d\n",
	       (unsigned long long)reftable_merged_table_min_update_index(merged),
	       (unsigned long long)reftable_merged_table_max_update_index(merged),
	       (int)reftable_merged_table_hash_id(merged));
	walk_refs("refs", reftable_merged_table_init_ref_iterator(merged, &it), &it, "", -1, hash_size);
	end_details("refs");
	walk_logs("logs", reftable_merged_table_init_log_iterator(merged, &it), &it, "", UINT64_MAX, -1,
		  hash_size);
	end_details("logs");
	for (i = 0; i < 20; i++) {
		const char *name = some_name(records);
		uint64_t at = random_chance(40) ? UINT64_MAX : random_below(100);

		walk_refs("refs", reftable_merged_table_init_ref_iterator(merged, &it), &it, name,
			  1 + (int)random_below(5), hash_size);
		walk_logs("logs", reftable_merged_table_init_log_iterator(merged, &it), &it, name, at,
			  1 + (int)random_below(5), hash_size);
	}
	end_details("seeks");
}

void case_merged(void)
{
	struct options options = random_options(1);
	size_t count = random_below(MAX_TABLES + 1), i;
	struct reftable_table *tables[MAX_TABLES] = { NULL };
	struct buffer buffers[MAX_TABLES] = { { 0 } };
	struct records records[MAX_TABLES + 1] = { { 0 } };
	struct reftable_merged_table *merged = NULL;
	uint64_t min = 1;
	int err;

	for (i = 0; i < count; i++) {
		uint64_t max = min + random_below(5);

		/* The table may be empty, which cannot be read. */
		records[i] = random_records(1 + random_below(60), random_below(30), min, max,
					    options.write.exact_log_message);
		if (write_table(&buffers[i], &options, &records[i], min, max))
			abort();
		tables[i] = buffer_open(&buffers[i], "name");
		min = random_chance(80) ? max + 1 : min;
	}
	err = reftable_merged_table_new(&merged, tables, count,
					options.hash_id ? options.hash_id : REFTABLE_HASH_SHA1);
	printf("merged of %zu: %d\n", count, err);
	if (!err)
		read_merged(merged, &records[count ? count - 1 : 0], hash_size_of(&options));
	reftable_merged_table_free(merged);
	for (i = 0; i < count; i++) {
		printf("refcount: %llu\n", (unsigned long long)tables[i]->refcount);
		reftable_table_decref(tables[i]);
		buffer_release(&buffers[i]);
		free_records(&records[i]);
	}
}
