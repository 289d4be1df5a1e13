/* Block sources as git's unit tests call them. */
#ifndef INTERNALS_BLOCKSOURCE_H
#define INTERNALS_BLOCKSOURCE_H

#include "basics.h"
#include "reftable/reftable-blocksource.h"

/* A source that reads from a buffer, which must live as long. */
void block_source_from_buf(struct reftable_block_source *source, struct reftable_buf *buf);

uint64_t block_source_size(struct reftable_block_source *source);
ssize_t block_source_read_data(struct reftable_block_source *source,
			       struct reftable_block_data *dest, uint64_t off, uint32_t size);
void block_source_release_data(struct reftable_block_data *data);
void block_source_close(struct reftable_block_source *source);

#endif
