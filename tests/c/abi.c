/*
 * Prints what a program takes from the public headers: size and alignment of every
 * struct, offset, size and kind of every member, the bits of the bit-fields, the value of every
 * constant. The output with upstream's headers and with ours must be the same.
 */
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
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

/* The C type of an expression that is not a struct of the library. */
#define KIND(e)                                                                       \
	_Generic((e),                                                                 \
		bool: "bool", char: "char", signed char: "i8", unsigned char: "u8",   \
		short: "i16", unsigned short: "u16", int: "int", unsigned: "unsigned", \
		long: "long", unsigned long: "unsigned long", long long: "long long", \
		unsigned long long: "unsigned long long", char *: "char *",           \
		const char *: "const char *", unsigned char *: "u8 *", void *: "void *", \
		default: "other")

#define STRUCT(s) printf("%s: size %zu, alignment %zu\n", #s, sizeof(s), _Alignof(s))

#define MEMBER(s, m)                                                        \
	printf("  .%s: offset %zu, size %zu, %s\n", #m, offsetof(s, m),     \
	       sizeof(((s *)NULL)->m), KIND(((s *)NULL)->m))

/* A member of a named type: a wrong one does not compile. */
#define POINTER(s, m, type)                                                 \
	do {                                                                \
		s pointer_owner;                                            \
		type *pointer_type = &pointer_owner.m;                      \
		(void)pointer_type;                                         \
		MEMBER(s, m);                                               \
	} while (0)

/* Prints the bits of the struct that a bit-field uses, and whether it is signed. */
#define BIT_FIELD(s, m)                                                     \
	do {                                                                \
		s bits;                                                     \
		memset(&bits, 0, sizeof(bits));                             \
		bits.m = ~bits.m;                                           \
		printf("  .%s: all ones is %lld,", #m, (long long)bits.m);  \
		print_bits(&bits, sizeof(bits));                            \
	} while (0)

#define VALUE(c) printf("%s = %lld, %s\n", #c, (long long)(c), KIND(c))

#define ENUM(e) printf("%s: size %zu, %s\n", #e, sizeof(e), KIND((e)0))

static void print_bits(const void *bytes, size_t len)
{
	const unsigned char *byte = bytes;
	size_t i;

	for (i = 0; i < len; i++)
		if (byte[i])
			printf(" byte %zu: %02x", i, byte[i]);
	printf("\n");
}

static void basics(void)
{
	struct reftable_buf empty = REFTABLE_BUF_INIT;

	STRUCT(struct reftable_buf);
	MEMBER(struct reftable_buf, alloc);
	MEMBER(struct reftable_buf, len);
	MEMBER(struct reftable_buf, buf);
	printf("REFTABLE_BUF_INIT = %zu, %zu, %d\n", empty.alloc, empty.len, !empty.buf);
	ENUM(enum reftable_hash);
	VALUE(REFTABLE_HASH_SHA1);
	VALUE(REFTABLE_HASH_SHA256);
	VALUE(REFTABLE_HASH_SIZE_SHA1);
	VALUE(REFTABLE_HASH_SIZE_SHA256);
	VALUE(REFTABLE_HASH_SIZE_MAX);
}

static void constants(void)
{
	VALUE(REFTABLE_BLOCK_TYPE_LOG);
	VALUE(REFTABLE_BLOCK_TYPE_INDEX);
	VALUE(REFTABLE_BLOCK_TYPE_REF);
	VALUE(REFTABLE_BLOCK_TYPE_OBJ);
	VALUE(REFTABLE_BLOCK_TYPE_ANY);
	VALUE(REFTABLE_STACK_NEW_ADDITION_RELOAD);
}

static void errors(void)
{
	ENUM(enum reftable_error);
	VALUE(REFTABLE_IO_ERROR);
	VALUE(REFTABLE_FORMAT_ERROR);
	VALUE(REFTABLE_NOT_EXIST_ERROR);
	VALUE(REFTABLE_LOCK_ERROR);
	VALUE(REFTABLE_API_ERROR);
	VALUE(REFTABLE_ZLIB_ERROR);
	VALUE(REFTABLE_EMPTY_TABLE_ERROR);
	VALUE(REFTABLE_REFNAME_ERROR);
	VALUE(REFTABLE_ENTRY_TOO_BIG_ERROR);
	VALUE(REFTABLE_OUTDATED_ERROR);
	VALUE(REFTABLE_OUT_OF_MEMORY_ERROR);
}

static void block(void)
{
	STRUCT(struct reftable_block);
	MEMBER(struct reftable_block, header_off);
	POINTER(struct reftable_block, block_data, struct reftable_block_data);
	MEMBER(struct reftable_block, hash_size);
	POINTER(struct reftable_block, zstream, struct z_stream_s *);
	MEMBER(struct reftable_block, uncompressed_data);
	MEMBER(struct reftable_block, uncompressed_cap);
	MEMBER(struct reftable_block, restart_count);
	MEMBER(struct reftable_block, restart_off);
	MEMBER(struct reftable_block, full_block_size);
	MEMBER(struct reftable_block, block_type);
}

typedef uint64_t (*size_fn)(void *);
typedef ssize_t (*read_data_fn)(void *, struct reftable_block_data *, uint64_t, uint32_t);
typedef void (*release_data_fn)(void *, struct reftable_block_data *);
typedef void (*close_fn)(void *);

static void blocksource(void)
{
	STRUCT(struct reftable_block_source);
	POINTER(struct reftable_block_source, ops, struct reftable_block_source_vtable *);
	MEMBER(struct reftable_block_source, arg);
	STRUCT(struct reftable_block_data);
	MEMBER(struct reftable_block_data, data);
	MEMBER(struct reftable_block_data, len);
	POINTER(struct reftable_block_data, source, struct reftable_block_source);
	STRUCT(struct reftable_block_source_vtable);
	POINTER(struct reftable_block_source_vtable, size, size_fn);
	POINTER(struct reftable_block_source_vtable, read_data, read_data_fn);
	POINTER(struct reftable_block_source_vtable, release_data, release_data_fn);
	POINTER(struct reftable_block_source_vtable, close, close_fn);
}

static void fsck(void)
{
	ENUM(enum reftable_fsck_error);
	VALUE(REFTABLE_FSCK_ERROR_TABLE_NAME);
	VALUE(REFTABLE_FSCK_MAX_VALUE);
	STRUCT(struct reftable_fsck_info);
	POINTER(struct reftable_fsck_info, error, enum reftable_fsck_error);
	MEMBER(struct reftable_fsck_info, msg);
	MEMBER(struct reftable_fsck_info, path);
}

static void iterators(void)
{
	STRUCT(struct reftable_iterator);
	POINTER(struct reftable_iterator, ops, struct reftable_iterator_vtable *);
	MEMBER(struct reftable_iterator, iter_arg);
	STRUCT(struct reftable_table_iterator);
	MEMBER(struct reftable_table_iterator, iter_arg);
}

static void ref_record(void)
{
	struct reftable_ref_record ref;

	STRUCT(struct reftable_ref_record);
	MEMBER(struct reftable_ref_record, refname);
	MEMBER(struct reftable_ref_record, refname_cap);
	MEMBER(struct reftable_ref_record, update_index);
	MEMBER(struct reftable_ref_record, value_type);
	MEMBER(struct reftable_ref_record, value);
	MEMBER(struct reftable_ref_record, value.val1);
	MEMBER(struct reftable_ref_record, value.val2);
	MEMBER(struct reftable_ref_record, value.val2.value);
	MEMBER(struct reftable_ref_record, value.val2.target_value);
	MEMBER(struct reftable_ref_record, value.symref);
	memset(&ref, 0xff, sizeof(ref));
	printf("  .value_type, all ones, is %lld\n", (long long)ref.value_type);
	VALUE(REFTABLE_REF_DELETION);
	VALUE(REFTABLE_REF_VAL1);
	VALUE(REFTABLE_REF_VAL2);
	VALUE(REFTABLE_REF_SYMREF);
	VALUE(REFTABLE_NR_REF_VALUETYPES);
}

static void log_record(void)
{
	struct reftable_log_record log;

	STRUCT(struct reftable_log_record);
	MEMBER(struct reftable_log_record, refname);
	MEMBER(struct reftable_log_record, refname_cap);
	MEMBER(struct reftable_log_record, update_index);
	MEMBER(struct reftable_log_record, value_type);
	MEMBER(struct reftable_log_record, value);
	MEMBER(struct reftable_log_record, value.update);
	MEMBER(struct reftable_log_record, value.update.new_hash);
	MEMBER(struct reftable_log_record, value.update.old_hash);
	MEMBER(struct reftable_log_record, value.update.name);
	MEMBER(struct reftable_log_record, value.update.email);
	MEMBER(struct reftable_log_record, value.update.time);
	MEMBER(struct reftable_log_record, value.update.tz_offset);
	MEMBER(struct reftable_log_record, value.update.message);
	MEMBER(struct reftable_log_record, value.update.message_cap);
	memset(&log, 0xff, sizeof(log));
	printf("  .value_type, all ones, is %lld\n", (long long)log.value_type);
	VALUE(REFTABLE_LOG_DELETION);
	VALUE(REFTABLE_LOG_UPDATE);
	VALUE(REFTABLE_NR_LOG_VALUETYPES);
}

static void stack(void)
{
	STRUCT(struct reftable_log_expiry_config);
	MEMBER(struct reftable_log_expiry_config, time);
	MEMBER(struct reftable_log_expiry_config, min_update_index);
	STRUCT(struct reftable_compaction_stats);
	MEMBER(struct reftable_compaction_stats, bytes);
	MEMBER(struct reftable_compaction_stats, entries_written);
	MEMBER(struct reftable_compaction_stats, attempts);
	MEMBER(struct reftable_compaction_stats, failures);
}

static void table(void)
{
	STRUCT(struct reftable_table_offsets);
	MEMBER(struct reftable_table_offsets, is_present);
	MEMBER(struct reftable_table_offsets, offset);
	MEMBER(struct reftable_table_offsets, index_offset);
	STRUCT(struct reftable_table);
	MEMBER(struct reftable_table, name);
	POINTER(struct reftable_table, source, struct reftable_block_source);
	MEMBER(struct reftable_table, size);
	POINTER(struct reftable_table, hash_id, enum reftable_hash);
	MEMBER(struct reftable_table, block_size);
	MEMBER(struct reftable_table, min_update_index);
	MEMBER(struct reftable_table, max_update_index);
	MEMBER(struct reftable_table, object_id_len);
	MEMBER(struct reftable_table, version);
	POINTER(struct reftable_table, ref_offsets, struct reftable_table_offsets);
	POINTER(struct reftable_table, obj_offsets, struct reftable_table_offsets);
	POINTER(struct reftable_table, log_offsets, struct reftable_table_offsets);
	MEMBER(struct reftable_table, refcount);
}

typedef void (*on_reload_fn)(void *);

static void options(void)
{
	STRUCT(struct reftable_write_options);
	BIT_FIELD(struct reftable_write_options, unpadded);
	MEMBER(struct reftable_write_options, block_size);
	BIT_FIELD(struct reftable_write_options, skip_index_objects);
	MEMBER(struct reftable_write_options, restart_interval);
#ifdef REFTABLE_CAPI_2_55
	POINTER(struct reftable_write_options, hash_id, enum reftable_hash);
	POINTER(struct reftable_write_options, on_reload, on_reload_fn);
	MEMBER(struct reftable_write_options, on_reload_payload);
#else
	STRUCT(struct reftable_stack_options);
	POINTER(struct reftable_stack_options, hash_id, enum reftable_hash);
	POINTER(struct reftable_stack_options, on_reload, on_reload_fn);
	MEMBER(struct reftable_stack_options, on_reload_payload);
	MEMBER(struct reftable_stack_options, suppress_deletions);
#endif
	MEMBER(struct reftable_write_options, default_permissions);
	BIT_FIELD(struct reftable_write_options, exact_log_message);
	BIT_FIELD(struct reftable_write_options, disable_auto_compact);
	MEMBER(struct reftable_write_options, auto_compaction_factor);
	MEMBER(struct reftable_write_options, lock_timeout_ms);
}

static void stats(void)
{
	STRUCT(struct reftable_block_stats);
	MEMBER(struct reftable_block_stats, entries);
	MEMBER(struct reftable_block_stats, restarts);
	MEMBER(struct reftable_block_stats, blocks);
	MEMBER(struct reftable_block_stats, index_blocks);
	MEMBER(struct reftable_block_stats, max_index_level);
	MEMBER(struct reftable_block_stats, offset);
	MEMBER(struct reftable_block_stats, index_offset);
	STRUCT(struct reftable_stats);
	MEMBER(struct reftable_stats, blocks);
	POINTER(struct reftable_stats, ref_stats, struct reftable_block_stats);
	POINTER(struct reftable_stats, obj_stats, struct reftable_block_stats);
	POINTER(struct reftable_stats, idx_stats, struct reftable_block_stats);
	POINTER(struct reftable_stats, log_stats, struct reftable_block_stats);
	MEMBER(struct reftable_stats, object_id_len);
}

int main(void)
{
	basics();
	constants();
	errors();
	block();
	blocksource();
	fsck();
	iterators();
	ref_record();
	log_record();
	stack();
	table();
	options();
	stats();
	return 0;
}
