/* A table in memory, written by a writer and read through the caller's block source. */
#include "support.h"

ssize_t buffer_write(void *arg, const void *bytes, size_t len)
{
	struct buffer *buffer = arg;

	if (++buffer->writes == buffer->fail_write_at)
		return buffer->error;
	if (buffer->len + len > buffer->cap) {
		buffer->cap = (buffer->len + len) * 2;
		buffer->bytes = realloc(buffer->bytes, buffer->cap);
		if (!buffer->bytes)
			abort();
	}
	memcpy(buffer->bytes + buffer->len, bytes, len);
	buffer->len += len;
	return (ssize_t)len;
}

int buffer_flush(void *arg)
{
	struct buffer *buffer = arg;

	return ++buffer->flushes == buffer->fail_flush_at ? (int)buffer->error : 0;
}

static uint64_t size(void *arg)
{
	struct buffer *buffer = arg;

	return buffer->len;
}

/* A copy of exactly this size, so that a memory checker detects each byte read beyond it. */
static ssize_t read_data(void *arg, struct reftable_block_data *dest, uint64_t off, uint32_t len)
{
	struct buffer *buffer = arg;

	if (++buffer->reads == buffer->fail_read_at)
		return buffer->error;
	if (off > buffer->len || len > buffer->len - off)
		abort(); /* reading beyond the end is an error */
	if (buffer->reads == buffer->short_read_at)
		len /= 2;
	dest->data = malloc(len ? len : 1);
	if (!dest->data)
		abort();
	memcpy(dest->data, buffer->bytes + off, len);
	dest->len = len;
	buffer->lent++;
	return len;
}

static void release_data(void *arg, struct reftable_block_data *data)
{
	struct buffer *buffer = arg;

	/* A failed read may leave nothing to release. */
	if (!data->data)
		return;
	free(data->data);
	buffer->lent--;
}

static void close_source(void *arg)
{
	struct buffer *buffer = arg;

	buffer->closes++;
}

static struct reftable_block_source_vtable vtable = {
	.size = size,
	.read_data = read_data,
	.release_data = release_data,
	.close = close_source,
};

void buffer_source(struct reftable_block_source *source, struct buffer *buffer)
{
	source->ops = &vtable;
	source->arg = buffer;
}

void buffer_release(struct buffer *buffer)
{
	free(buffer->bytes);
	memset(buffer, 0, sizeof(*buffer));
}

static void must(int err, const char *what)
{
	if (err) {
		printf("# buffer: %s: %s\n", what, reftable_error_str(err));
		fflush(stdout);
		exit(1);
	}
}

static void span(uint64_t index, uint64_t *min, uint64_t *max)
{
	if (index < *min)
		*min = index;
	if (index > *max)
		*max = index;
}

void buffer_table(struct buffer *buffer, const struct reftable_write_options *options,
		  struct reftable_ref_record *refs, size_t ref_count,
		  struct reftable_log_record *logs, size_t log_count)
{
	uint64_t min = UINT64_MAX, max = 0;
	struct reftable_writer *writer = NULL;
	size_t i;

	for (i = 0; i < ref_count; i++)
		span(refs[i].update_index, &min, &max);
	for (i = 0; i < log_count; i++)
		span(logs[i].update_index, &min, &max);
	must(make_writer(&writer, buffer_write, buffer_flush, buffer, 0, options), "new");
	must(reftable_writer_set_limits(writer, min, max), "set_limits");
	must(reftable_writer_add_refs(writer, refs, ref_count), "add_refs");
	must(reftable_writer_add_logs(writer, logs, log_count), "add_logs");
	must(reftable_writer_close(writer), "close");
	reftable_writer_free(writer);
}

struct reftable_table *buffer_open(struct buffer *buffer, const char *name)
{
	struct reftable_block_source source = { 0 };
	struct reftable_table *table = NULL;

	buffer_source(&source, buffer);
	must(reftable_table_new(&table, &source, name), "table_new");
	return table;
}
