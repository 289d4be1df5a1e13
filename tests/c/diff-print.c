/* Prints what the library returns, in full or as checksums. */
#include <inttypes.h>
#include <stdarg.h>

#include "differential.h"

int verbose, has_logs, no_logs_in_stacks;

static uint64_t checksum;
static int details;

void detail(const char *format, ...)
{
	char line[1000];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(line))
		abort();
	checksum = checksum * 31 + digest(line, (size_t)len);
	details++;
	if (verbose)
		printf("  %s\n", line);
}

void print_size(const char *format, ...)
{
	va_list args;

	if (has_logs)
		printf("z ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
}

void detail_bytes(const char *what, const void *bytes, size_t len)
{
	detail("%s: %zu bytes, %016" PRIx64, what, len, digest(bytes, len));
}

void end_details(const char *group)
{
	printf("%s: %d lines, %016" PRIx64 "\n", group, details, checksum);
	checksum = 0;
	details = 0;
}

static const char *hex(const unsigned char *id, uint32_t len)
{
	static char texts[2][2 * REFTABLE_HASH_SIZE_MAX + 1];
	static int turn;
	char *text = texts[turn ^= 1];
	uint32_t i;

	for (i = 0; i < len; i++)
		sprintf(text + 2 * i, "%02x", id[i]);
	return text;
}

void detail_ref(const struct reftable_ref_record *ref, uint32_t hash_size)
{
	switch (ref->value_type) {
	case REFTABLE_REF_DELETION:
		detail("%s@%" PRIu64 " deleted", ref->refname, ref->update_index);
		break;
	case REFTABLE_REF_VAL1:
		detail("%s@%" PRIu64 " %s", ref->refname, ref->update_index,
		       hex(ref->value.val1, hash_size));
		break;
	case REFTABLE_REF_VAL2:
		detail("%s@%" PRIu64 " %s -> %s", ref->refname, ref->update_index,
		       hex(ref->value.val2.value, hash_size),
		       hex(ref->value.val2.target_value, hash_size));
		break;
	case REFTABLE_REF_SYMREF:
		detail("%s@%" PRIu64 " = %s", ref->refname, ref->update_index, ref->value.symref);
		break;
	}
}

void detail_log(const struct reftable_log_record *log, uint32_t hash_size)
{
	if (log->value_type == REFTABLE_LOG_DELETION)
		detail("%s@%" PRIu64 " deleted", log->refname, log->update_index);
	else
		detail("%s@%" PRIu64 " %s %s %s <%s> %" PRIu64 " %d [%s]", log->refname,
		       log->update_index, hex(log->value.update.old_hash, hash_size),
		       hex(log->value.update.new_hash, hash_size), log->value.update.name,
		       log->value.update.email, log->value.update.time, log->value.update.tz_offset,
		       log->value.update.message);
}

/* The offset of the log index depends on the lengths of the log blocks. */
static void print_block_stats(const char *name, const struct reftable_block_stats *stats)
{
	printf("%s: entries %d restarts %u blocks %d index_blocks %d max_index_level %d offset %" PRIu64
	       "\n",
	       name, stats->entries, stats->restarts, stats->blocks, stats->index_blocks,
	       stats->max_index_level, stats->offset);
	print_size("%s: index_offset %" PRIu64 "\n", name, stats->index_offset);
}

void print_stats(const struct reftable_stats *stats)
{
	printf("stats: blocks %d object_id_len %d\n", stats->blocks, stats->object_id_len);
	print_block_stats("refs", &stats->ref_stats);
	print_block_stats("objects", &stats->obj_stats);
	print_block_stats("logs", &stats->log_stats);
	print_size("index: offset %" PRIu64 "\n", stats->idx_stats.offset);
	printf("index: entries %d restarts %u blocks %d index_blocks %d max_index_level %d\n",
	       stats->idx_stats.entries, stats->idx_stats.restarts, stats->idx_stats.blocks,
	       stats->idx_stats.index_blocks, stats->idx_stats.max_index_level);
}

static void print_offsets(const char *name, const struct reftable_table_offsets *offsets)
{
	printf("%s: is_present %d offset %" PRIu64 "\n", name, !!offsets->is_present, offsets->offset);
	print_size("%s: index_offset %" PRIu64 "\n", name, offsets->index_offset);
}

void print_table(const struct reftable_table *table)
{
	printf("table: name %s hash_id %d block_size %u indexes %" PRIu64 " to %" PRIu64
	       " object_id_len %d version %d refcount %" PRIu64 "\n",
	       table->name, (int)table->hash_id, table->block_size, table->min_update_index,
	       table->max_update_index, table->object_id_len, table->version, table->refcount);
	print_size("table: size %" PRIu64 "\n", table->size);
	print_offsets("refs", &table->ref_offsets);
	print_offsets("objects", &table->obj_offsets);
	print_offsets("logs", &table->log_offsets);
}

void walk_refs(const char *what, int err, struct reftable_iterator *it, const char *from, int limit,
	       uint32_t hash_size)
{
	struct reftable_ref_record ref = { 0 };

	detail("%s: init is %d", what, err);
	if (!err && from) {
		err = reftable_iterator_seek_ref(it, from);
		detail("seek %s is %d", from, err);
	}
	while (!err && limit--) {
		err = reftable_iterator_next_ref(it, &ref);
		if (!err)
			detail_ref(&ref, hash_size);
	}
	detail("%s: end is %d", what, err);
	reftable_ref_record_release(&ref);
	reftable_iterator_destroy(it);
}

void walk_logs(const char *what, int err, struct reftable_iterator *it, const char *from,
	       uint64_t update_index, int limit, uint32_t hash_size)
{
	struct reftable_log_record log = { 0 };

	detail("%s: init is %d", what, err);
	if (!err && from) {
		err = update_index == UINT64_MAX ?
			      reftable_iterator_seek_log(it, from) :
			      reftable_iterator_seek_log_at(it, from, update_index);
		detail("seek %s@%" PRIu64 " is %d", from, update_index, err);
	}
	while (!err && limit--) {
		err = reftable_iterator_next_log(it, &log);
		if (!err)
			detail_log(&log, hash_size);
	}
	detail("%s: end is %d", what, err);
	reftable_log_record_release(&log);
	reftable_iterator_destroy(it);
}
