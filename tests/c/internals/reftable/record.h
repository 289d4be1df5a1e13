/* A record of any type, as git's unit tests read the records of all blocks. */
#ifndef INTERNALS_RECORD_H
#define INTERNALS_RECORD_H

#include "basics.h"
#include "reftable/reftable-record.h"

struct reftable_index_record {
	uint64_t offset;
	struct reftable_buf last_key;
};

struct reftable_obj_record {
	uint8_t *hash_prefix;
	int hash_prefix_len;
	uint64_t *offsets;
	int offset_len;
};

struct reftable_record {
	uint8_t type;
	union {
		struct reftable_ref_record ref;
		struct reftable_log_record log;
		struct reftable_obj_record obj;
		struct reftable_index_record idx;
	} u;
};

void reftable_record_release(struct reftable_record *rec);

#endif
