/*
 * Every public function, called through a pointer of the type that a caller of upstream's library
 * was compiled for. A header whose prototype differs does not compile, a library that lacks the
 * function does not link.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "reftable/reftable-basics.h"
#include "reftable/reftable-block.h"
#include "reftable/reftable-blocksource.h"
#include "reftable/reftable-constants.h"
#include "reftable/reftable-error.h"
#include "reftable/reftable-fsck.h"
#include "reftable/reftable-iterator.h"
#include "reftable/reftable-merged.h"
#include "reftable/reftable-record.h"
#include "reftable/reftable-stack.h"
#include "reftable/reftable-system.h"
#include "reftable/reftable-table.h"
#include "reftable/reftable-writer.h"

typedef struct reftable_addition addition;
typedef struct reftable_block block;
typedef struct reftable_block_source source;
typedef struct reftable_iterator iterator;
typedef struct reftable_log_record log_record;
typedef struct reftable_merged_table merged;
typedef struct reftable_ref_record ref_record;
typedef struct reftable_stack stack;
typedef struct reftable_table table;
typedef struct reftable_table_iterator table_iterator;
typedef struct reftable_writer writer;
typedef struct reftable_write_options options;
typedef int write_table(writer *, void *);

/* Parameters that git 2.56 has added. */
#ifdef REFTABLE_CAPI_2_55
typedef options opening;
#define WRITER_HASH
#define CHANGE
#else
typedef struct reftable_stack_options opening;
#define WRITER_HASH enum reftable_hash,
#define CHANGE , const options *
#endif

static int functions;

/* FUNCTION(result, name, arguments...) */
#define FUNCTION(result, name, ...)                          \
	do {                                                 \
		result (*function)(__VA_ARGS__) = name;      \
		if (!function)                               \
			return 1;                            \
		printf("%s\n", #name);                       \
		functions++;                                 \
	} while (0)

static int readers(void)
{
	FUNCTION(int, reftable_block_init, block *, source *, uint32_t, uint32_t, uint32_t, uint32_t,
		 uint8_t);
	FUNCTION(void, reftable_block_release, block *);
	FUNCTION(int, reftable_block_init_iterator, const block *, iterator *);
	FUNCTION(uint8_t, reftable_block_type, const block *);
	FUNCTION(int, reftable_block_first_key, const block *, struct reftable_buf *);
	FUNCTION(int, reftable_block_source_from_file, source *, const char *);
	FUNCTION(int, reftable_iterator_seek_ref, iterator *, const char *);
	FUNCTION(int, reftable_iterator_next_ref, iterator *, ref_record *);
	FUNCTION(int, reftable_iterator_seek_log_at, iterator *, const char *, uint64_t);
	FUNCTION(int, reftable_iterator_seek_log, iterator *, const char *);
	FUNCTION(int, reftable_iterator_next_log, iterator *, log_record *);
	FUNCTION(void, reftable_iterator_destroy, iterator *);
	FUNCTION(int, reftable_merged_table_new, merged **, table **, size_t, enum reftable_hash);
	FUNCTION(int, reftable_merged_table_init_ref_iterator, merged *, iterator *);
	FUNCTION(int, reftable_merged_table_init_log_iterator, merged *, iterator *);
	FUNCTION(uint64_t, reftable_merged_table_max_update_index, merged *);
	FUNCTION(uint64_t, reftable_merged_table_min_update_index, merged *);
	FUNCTION(void, reftable_merged_table_free, merged *);
	FUNCTION(enum reftable_hash, reftable_merged_table_hash_id, merged *);
	FUNCTION(int, reftable_table_new, table **, source *, const char *);
	FUNCTION(void, reftable_table_incref, table *);
	FUNCTION(void, reftable_table_decref, table *);
	FUNCTION(int, reftable_table_init_ref_iterator, table *, iterator *);
	FUNCTION(int, reftable_table_init_log_iterator, table *, iterator *);
	FUNCTION(enum reftable_hash, reftable_table_hash_id, table *);
	FUNCTION(int, reftable_table_refs_for, table *, iterator *, uint8_t *);
	FUNCTION(uint64_t, reftable_table_max_update_index, table *);
	FUNCTION(uint64_t, reftable_table_min_update_index, table *);
	FUNCTION(int, reftable_table_iterator_init, table_iterator *, table *);
	FUNCTION(void, reftable_table_iterator_release, table_iterator *);
	FUNCTION(int, reftable_table_iterator_next, table_iterator *, const block **);
	return 0;
}

static int records_and_writers(void)
{
	FUNCTION(void, reftable_set_alloc, void *(*)(size_t), void *(*)(void *, size_t),
		 void (*)(void *));
	FUNCTION(const char *, reftable_error_str, int);
	FUNCTION(const unsigned char *, reftable_ref_record_val1, const ref_record *);
	FUNCTION(const unsigned char *, reftable_ref_record_val2, const ref_record *);
	FUNCTION(int, reftable_ref_record_is_deletion, const ref_record *);
	FUNCTION(void, reftable_ref_record_release, ref_record *);
	FUNCTION(int, reftable_ref_record_equal, const ref_record *, const ref_record *, uint32_t);
	FUNCTION(int, reftable_log_record_is_deletion, const log_record *);
	FUNCTION(void, reftable_log_record_release, log_record *);
	FUNCTION(int, reftable_log_record_equal, const log_record *, const log_record *, uint32_t);
	FUNCTION(int, reftable_writer_new, writer **, ssize_t (*)(void *, const void *, size_t),
		 int (*)(void *), void *, WRITER_HASH const options *);
	FUNCTION(int, reftable_writer_set_limits, writer *, uint64_t, uint64_t);
	FUNCTION(int, reftable_writer_add_ref, writer *, ref_record *);
	FUNCTION(int, reftable_writer_add_refs, writer *, ref_record *, size_t);
	FUNCTION(int, reftable_writer_add_log, writer *, log_record *);
	FUNCTION(int, reftable_writer_add_logs, writer *, log_record *, size_t);
	FUNCTION(int, reftable_writer_close, writer *);
	FUNCTION(const struct reftable_stats *, reftable_writer_stats, writer *);
	FUNCTION(void, reftable_writer_free, writer *);
	return 0;
}

static int stacks(void)
{
	FUNCTION(int, reftable_new_stack, stack **, const char *, const opening *);
	FUNCTION(uint64_t, reftable_stack_next_update_index, stack *);
	FUNCTION(int, reftable_stack_new_addition, addition **, stack * CHANGE, unsigned int);
	FUNCTION(int, reftable_addition_add, addition *, write_table *, void *);
	FUNCTION(int, reftable_addition_commit, addition *);
	FUNCTION(void, reftable_addition_destroy, addition *);
	FUNCTION(int, reftable_stack_add, stack *, write_table *, void * CHANGE, unsigned);
	FUNCTION(int, reftable_stack_init_ref_iterator, stack *, iterator *);
	FUNCTION(int, reftable_stack_init_log_iterator, stack *, iterator *);
	FUNCTION(merged *, reftable_stack_merged_table, stack *);
	FUNCTION(void, reftable_stack_destroy, stack *);
	FUNCTION(int, reftable_stack_reload, stack *);
	FUNCTION(int, reftable_stack_compact_all, stack * CHANGE,
		 struct reftable_log_expiry_config *);
	FUNCTION(int, reftable_stack_compaction_required, stack * CHANGE, bool, bool *);
	FUNCTION(int, reftable_stack_auto_compact, stack * CHANGE);
	FUNCTION(int, reftable_stack_clean, stack *);
	FUNCTION(int, reftable_stack_read_ref, stack *, const char *, ref_record *);
	FUNCTION(int, reftable_stack_read_log, stack *, const char *, log_record *);
	FUNCTION(struct reftable_compaction_stats *, reftable_stack_compaction_stats, stack *);
	FUNCTION(enum reftable_hash, reftable_stack_hash_id, stack *);
	FUNCTION(int, reftable_fsck_check, stack *, reftable_fsck_report_fn, reftable_fsck_verbose_fn,
		 void *);
	return 0;
}

int main(void)
{
	int err = readers() | records_and_writers() | stacks();

	printf("%d functions\n", functions);
	return err;
}
