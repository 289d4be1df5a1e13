/*
 * What git's unit tests need around the library and what it has no names for:
 * growing buffers, tables in memory, sizes of the format. Tables in memory are
 * block sources of a caller, as any program may write them.
 */
#include <assert.h>
#include <string.h>

#include "reftable/basics.h"
#include "reftable/block.h"
#include "reftable/blocksource.h"
#include "reftable/iter.h"
#include "reftable/merged.h"
#include "reftable/reftable-error.h"

uint32_t hash_size(enum reftable_hash id)
{
	return id == REFTABLE_HASH_SHA256 ? REFTABLE_HASH_SIZE_SHA256 : REFTABLE_HASH_SIZE_SHA1;
}

/* Magic, version, block size, two update indexes; version 2 adds the hash. */
size_t header_size(int version)
{
	return 4 + 1 + 3 + 8 + 8 + (version == 2 ? 4 : 0);
}

/* The header again, five offsets, a checksum. */
size_t footer_size(int version)
{
	return header_size(version) + 5 * 8 + 4;
}

void free_names(char **names)
{
	char **name;

	for (name = names; name && *name; name++)
		reftable_free(*name);
	reftable_free(names);
}

void reftable_buf_init(struct reftable_buf *buf)
{
	memset(buf, 0, sizeof(*buf));
}

void reftable_buf_release(struct reftable_buf *buf)
{
	reftable_free(buf->buf);
	reftable_buf_init(buf);
}

int reftable_buf_setlen(struct reftable_buf *buf, size_t len)
{
	if (len && len >= buf->alloc)
		return REFTABLE_API_ERROR;
	buf->len = len;
	if (buf->buf)
		buf->buf[len] = '\0';
	return 0;
}

void reftable_buf_reset(struct reftable_buf *buf)
{
	reftable_buf_setlen(buf, 0);
}

int reftable_buf_add(struct reftable_buf *buf, const void *data, size_t len)
{
	if (REFTABLE_ALLOC_GROW(buf->buf, buf->len + len + 1, buf->alloc))
		return REFTABLE_OUT_OF_MEMORY_ERROR;
	memcpy(buf->buf + buf->len, data, len);
	return reftable_buf_setlen(buf, buf->len + len);
}

int reftable_buf_addstr(struct reftable_buf *buf, const char *s)
{
	return reftable_buf_add(buf, s, strlen(s));
}

/* A table in memory: the argument of the source is the buffer. */

static uint64_t memory_size(void *arg)
{
	return ((struct reftable_buf *)arg)->len;
}

static ssize_t memory_read(void *arg, struct reftable_block_data *dest, uint64_t off, uint32_t size)
{
	struct reftable_buf *buf = arg;

	assert(off + size <= buf->len);
	dest->data = reftable_malloc(size ? size : 1);
	if (!dest->data)
		return -1;
	memcpy(dest->data, buf->buf + off, size);
	dest->len = size;
	return size;
}

static void memory_release(void *arg, struct reftable_block_data *data)
{
	(void)arg;
	reftable_free(data->data);
}

static void memory_close(void *arg)
{
	(void)arg;
}

static struct reftable_block_source_vtable memory_ops = {
	memory_size, memory_read, memory_release, memory_close,
};

void block_source_from_buf(struct reftable_block_source *source, struct reftable_buf *buf)
{
	source->ops = &memory_ops;
	source->arg = buf;
}

uint64_t block_source_size(struct reftable_block_source *source)
{
	return source->ops->size(source->arg);
}

ssize_t block_source_read_data(struct reftable_block_source *source,
			       struct reftable_block_data *dest, uint64_t off, uint32_t size)
{
	ssize_t result = source->ops->read_data(source->arg, dest, off, size);

	dest->source = *source;
	return result;
}

void block_source_release_data(struct reftable_block_data *data)
{
	if (data->source.ops)
		data->source.ops->release_data(data->source.arg, data);
	memset(data, 0, sizeof(*data));
}

void block_source_close(struct reftable_block_source *source)
{
	if (source->ops)
		source->ops->close(source->arg);
	memset(source, 0, sizeof(*source));
}

int merged_table_init_iter(struct reftable_merged_table *mt, struct reftable_iterator *it,
			   uint8_t type)
{
	return type == REFTABLE_BLOCK_TYPE_LOG ? reftable_merged_table_init_log_iterator(mt, it) :
						 reftable_merged_table_init_ref_iterator(mt, it);
}
