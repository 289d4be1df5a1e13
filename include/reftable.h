/*
 * The C API of libreftable: git's reference storage, as git 2.55.0's own library
 * has it in its headers reftable/reftable-*.h, with the same names and layouts.
 *
 * Made by cbindgen from src/capi: `make headers`.
 *
 * Unless a comment says otherwise: functions return 0 for success and a negative
 * number of `enum reftable_error` for failure; pointers must not be NULL, and are
 * refused with REFTABLE_API_ERROR if they are; strings end in NUL; an object is
 * used by one thread at a time. A callback may call the library, with the same
 * objects, too; it must return, neither by longjmp() nor by an exception.
 */

#ifndef REFTABLE_H
#define REFTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* An empty `struct reftable_buf`. */
#define REFTABLE_BUF_INIT { 0, 0, NULL }

/* Declares what has a `bool`, which C90 knows as an extension only. */
#if defined(__GNUC__) && !defined(__cplusplus)
#define REFTABLE_WITH_BOOL __extension__
#else
#define REFTABLE_WITH_BOOL
#endif

struct reftable_block_data;

struct reftable_fsck_info;

/*
 * Told of something that is wrong; what it returns is part of the result of
 * reftable_fsck_check().
 */
typedef int reftable_fsck_report_fn(struct reftable_fsck_info *info, void *cb_data);

/* Told what is being checked. */
typedef void reftable_fsck_verbose_fn(const char *msg, void *cb_data);

/**
 * Size of a SHA-1 object id in bytes.
 */
#define REFTABLE_HASH_SIZE_SHA1 20

/**
 * Size of a SHA-256 object id in bytes.
 */
#define REFTABLE_HASH_SIZE_SHA256 32

/**
 * Size of the longest object id in bytes.
 */
#define REFTABLE_HASH_SIZE_MAX REFTABLE_HASH_SIZE_SHA256

/**
 * First byte of a log block.
 */
#define REFTABLE_BLOCK_TYPE_LOG 103

/**
 * First byte of an index block.
 */
#define REFTABLE_BLOCK_TYPE_INDEX 105

/**
 * First byte of a ref block.
 */
#define REFTABLE_BLOCK_TYPE_REF 114

/**
 * First byte of an object block.
 */
#define REFTABLE_BLOCK_TYPE_OBJ 111

/**
 * Any block type, where a type is requested.
 */
#define REFTABLE_BLOCK_TYPE_ANY 0

/**
 * Number of kinds of values of a ref.
 */
#define REFTABLE_NR_REF_VALUETYPES 4

/**
 * Number of kinds of values of a log record.
 */
#define REFTABLE_NR_LOG_VALUETYPES 2

/**
 * Hash functions of object ids. 0, as in zero-filled options, means SHA-1.
 *
 * The numbers are those of git's library, which chose them to expose unset variables.
 * Files contain other numbers.
 */
enum reftable_hash {
    /**
     * SHA-1: 20 bytes.
     */
    REFTABLE_HASH_SHA1 = 89,
    /**
     * SHA-256: 32 bytes.
     */
    REFTABLE_HASH_SHA256 = 247
};

/**
 * Negative numbers that functions return on failure. 0 is success; 1 means that there is
 * no further record, or no such record.
 *
 * A function may also return the negative result of one of the caller's callbacks, or -1
 * for an error without a number of its own.
 */
enum reftable_error {
    /**
     * A file could not be read, written, renamed or locked.
     */
    REFTABLE_IO_ERROR = -2,
    /**
     * A file violates the format.
     */
    REFTABLE_FORMAT_ERROR = -3,
    /**
     * A required file does not exist.
     */
    REFTABLE_NOT_EXIST_ERROR = -4,
    /**
     * Another process holds a lock.
     */
    REFTABLE_LOCK_ERROR = -5,
    /**
     * The function was misused: a NULL argument, a name out of order, an update index
     * outside the limits, a log message of several lines, a ref requested from an
     * iterator over logs, an object that is closed or in use. Nothing has changed.
     */
    REFTABLE_API_ERROR = -6,
    /**
     * A log block could not be inflated or deflated.
     */
    REFTABLE_ZLIB_ERROR = -7,
    /**
     * A table without records was closed.
     */
    REFTABLE_EMPTY_TABLE_ERROR = -8,
    /**
     * A name is not a valid ref name. Unused: this library does not check names.
     */
    REFTABLE_REFNAME_ERROR = -10,
    /**
     * A record does not fit into a block.
     */
    REFTABLE_ENTRY_TOO_BIG_ERROR = -11,
    /**
     * The stack has changed since it was read. Reload it and try again.
     */
    REFTABLE_OUTDATED_ERROR = -12,
    /**
     * The allocator returned NULL.
     */
    REFTABLE_OUT_OF_MEMORY_ERROR = -13
};

/**
 * Kinds of values of a ref.
 */
enum reftable_ref_value_type {
    /**
     * The ref is deleted: the record hides the ones in older tables.
     */
    REFTABLE_REF_DELETION = 0,
    /**
     * An object id, in `value.val1`.
     */
    REFTABLE_REF_VAL1 = 1,
    /**
     * The ids of an annotated tag and of its peeled object, in `value.val2`.
     */
    REFTABLE_REF_VAL2 = 2,
    /**
     * The name of another ref, in `value.symref`.
     */
    REFTABLE_REF_SYMREF = 3
};

/**
 * Kinds of values of a log record.
 */
enum reftable_log_value_type {
    /**
     * The entry is deleted: the record hides the ones in older tables.
     */
    REFTABLE_LOG_DELETION = 0,
    /**
     * A change of a ref, in `value.update`.
     */
    REFTABLE_LOG_UPDATE = 1
};

/**
 * Flags for a new addition.
 */
enum reftable_stack_new_addition_flags {
    /**
     * If another process has changed the stack, reload it instead of failing.
     */
    REFTABLE_STACK_NEW_ADDITION_RELOAD = (1 << 0)
};

/**
 * Kinds of problems with a stack.
 */
enum reftable_fsck_error {
    /**
     * A table's name does not have the usual form.
     */
    REFTABLE_FSCK_ERROR_TABLE_NAME = 0,
    /**
     * Number of kinds.
     */
    REFTABLE_FSCK_MAX_VALUE
};

/**
 * A transaction that adds tables to a stack.
 */
struct reftable_addition;

/**
 * The kind of an iterator.
 */
struct reftable_iterator_vtable;

/**
 * A merged view of several tables: for each name (for logs, each name and update index)
 * the record of the newest table that contains one.
 */
struct reftable_merged_table;

/**
 * A directory of tables. Several stacks, in one or more processes, may share a directory.
 * Several threads may read a stack concurrently, as long as none changes or reloads it.
 */
struct reftable_stack;

/**
 * A writer of one table.
 */
struct reftable_writer;

/**
 * A zlib stream. This library does not use it.
 */
struct z_stream_s;

/**
 * The ids of `REFTABLE_REF_VAL2`.
 */
struct reftable_ref_val2 {
    /**
     * The id of the tag.
     */
    unsigned char value[REFTABLE_HASH_SIZE_MAX];
    /**
     * The id of the peeled object.
     */
    unsigned char target_value[REFTABLE_HASH_SIZE_MAX];
};

/**
 * The value of a ref. `value_type` selects the member.
 */
union reftable_ref_value {
    /**
     * The object id of `REFTABLE_REF_VAL1`.
     */
    unsigned char val1[REFTABLE_HASH_SIZE_MAX];
    /**
     * The object ids of `REFTABLE_REF_VAL2`.
     */
    struct reftable_ref_val2 val2;
    /**
     * The target of `REFTABLE_REF_SYMREF`, NUL-terminated.
     */
    char *symref;
};

/**
 * A ref. A zero-filled record is empty; it can be read into or released.
 *
 * Strings that the library stores in a record come from its allocator and belong to the
 * record. Free them with `reftable_ref_record_release()`, or take one over by setting its
 * member to NULL (for the name, `refname_cap` to 0 as well). Reading into a record again
 * reuses its memory. Strings of a record that is written remain the caller's and may be
 * constants.
 */
struct reftable_ref_record {
    /**
     * The name, NUL-terminated.
     */
    char *refname;
    /**
     * Bytes allocated for the name; 0 if the library did not allocate it.
     */
    size_t refname_cap;
    /**
     * Update index of the transaction that wrote the value.
     */
    uint64_t update_index;
    /**
     * The kind of value.
     */
    enum reftable_ref_value_type value_type;
    /**
     * The value.
     */
    union reftable_ref_value value;
};

/**
 * A change of a ref.
 */
struct reftable_log_update {
    /**
     * New value; zeros if the ref was deleted.
     */
    unsigned char new_hash[REFTABLE_HASH_SIZE_MAX];
    /**
     * Old value; zeros if the ref was created.
     */
    unsigned char old_hash[REFTABLE_HASH_SIZE_MAX];
    /**
     * Name of the committer. NULL is written as an empty string.
     */
    char *name;
    /**
     * Email of the committer, without angle brackets. NULL is written as an empty string.
     */
    char *email;
    /**
     * Seconds since the epoch.
     */
    uint64_t time;
    /**
     * Time zone as ±hhmm in decimal, as git passes it: -130 for -0130.
     */
    int16_t tz_offset;
    /**
     * Log message. NULL is written as an empty message.
     */
    char *message;
    /**
     * Bytes allocated for the message; 0 if the library did not allocate it.
     */
    size_t message_cap;
};

/**
 * The value of a log record.
 */
union reftable_log_value {
    /**
     * The change of `REFTABLE_LOG_UPDATE`.
     */
    struct reftable_log_update update;
};

/**
 * A reflog entry. A zero-filled record is empty; it can be read into or released. Its
 * strings are owned as those of `struct reftable_ref_record` are.
 */
struct reftable_log_record {
    /**
     * Name of the ref, NUL-terminated.
     */
    char *refname;
    /**
     * Bytes allocated for the name; 0 if the library did not allocate it.
     */
    size_t refname_cap;
    /**
     * Update index of the transaction. Name and update index are the key of an entry.
     */
    uint64_t update_index;
    /**
     * The kind of value.
     */
    enum reftable_log_value_type value_type;
    /**
     * The value.
     */
    union reftable_log_value value;
};

/**
 * An iterator over refs or over reflog entries. A zero-filled iterator is uninitialised,
 * but safe to destroy; functions that initialise an iterator require it to be zero-filled.
 *
 * An iterator over a stack or over tables must be positioned before the first record is
 * read, and can be positioned again at any time. It keeps reading the tables that existed
 * when it was initialised, whatever happens to the stack. They stay open until it is
 * destroyed.
 */
struct reftable_iterator {
    /**
     * Internal.
     */
    struct reftable_iterator_vtable *ops;
    /**
     * Internal.
     */
    void *iter_arg;
};

/**
 * The functions of a source. All four are required.
 */
struct reftable_block_source_vtable {
    /**
     * Returns the total number of bytes.
     */
    uint64_t (*size)(void *source);
    /**
     * Sets `dest->data` and `dest->len` to the `size` bytes at `off` and returns their
     * number. The library never reads past the end, and requires all bytes it asks for. A
     * negative result is an error, which the library returns or replaces by
     * `REFTABLE_IO_ERROR`. The bytes must not change until `release_data` is called for
     * them, however late.
     */
    ssize_t (*read_data)(void *source,
                         struct reftable_block_data *dest,
                         uint64_t off,
                         uint32_t size);
    /**
     * Releases bytes of `read_data`. Called once for each successful read.
     */
    void (*release_data)(void *source, struct reftable_block_data *data);
    /**
     * Closes the source. Called once, after all bytes were released.
     */
    void (*close)(void *source);
};

/**
 * A source of a table's bytes. A zero-filled struct is no source.
 */
struct reftable_block_source {
    /**
     * Its functions; NULL if there is no source.
     */
    struct reftable_block_source_vtable *ops;
    /**
     * Argument of these functions.
     */
    void *arg;
};

/**
 * Bytes read from a source, to be returned to it.
 */
struct reftable_block_data {
    /**
     * The bytes.
     */
    uint8_t *data;
    /**
     * Number of bytes.
     */
    size_t len;
    /**
     * The source they were read from.
     */
    struct reftable_block_source source;
};

/**
 * One block of a table. A zero-filled block is empty. Callers may read the members.
 */
struct reftable_block {
    /**
     * Offset of the block's header in its bytes: after the file header in the first block
     * of a table, 0 in others.
     */
    uint32_t header_off;
    /**
     * The bytes of the block, and possibly more. For logs, the inflated bytes.
     */
    struct reftable_block_data block_data;
    /**
     * Size of an object id in bytes.
     */
    uint32_t hash_size;
    /**
     * Always NULL.
     */
    struct z_stream_s *zstream;
    /**
     * The inflated bytes of a log block, otherwise NULL.
     */
    uint8_t *uncompressed_data;
    /**
     * Bytes allocated for `uncompressed_data`.
     */
    size_t uncompressed_cap;
    /**
     * Number of restarts, the records whose key is stored in full.
     */
    uint16_t restart_count;
    /**
     * Offset of the restart table, which is the end of the records.
     */
    uint32_t restart_off;
    /**
     * Size of the block in the file: deflated for logs, and including padding.
     */
    uint32_t full_block_size;
    /**
     * Type of the block: one of `REFTABLE_BLOCK_TYPE_*`.
     */
    uint8_t block_type;
};

/**
 * A growing byte buffer. Zero-fill it or initialise it with `REFTABLE_BUF_INIT`.
 *
 * Memory of a buffer that the library has filled comes from the library's allocator. Free
 * it with the function passed to `reftable_set_alloc()`, by default `free()`.
 */
struct reftable_buf {
    /**
     * Bytes allocated for `buf`.
     */
    size_t alloc;
    /**
     * Bytes in use, followed by a NUL.
     */
    size_t len;
    /**
     * The bytes, or NULL if nothing is allocated.
     */
    char *buf;
};

/**
 * Position of a section of a table.
 */
struct reftable_table_offsets {
    /**
     * 1 if the table has the section, otherwise 0.
     */
    int is_present;
    /**
     * Offset of its first block; 0 for the section at the start of the file.
     */
    uint64_t offset;
    /**
     * Offset of its index; 0 if it has none.
     */
    uint64_t index_offset;
};

/**
 * An open table. Callers may read the members.
 */
struct reftable_table {
    /**
     * The name passed when the table was opened.
     */
    char *name;
    /**
     * The source of its bytes.
     */
    struct reftable_block_source source;
    /**
     * Size of the file in bytes, without the footer.
     */
    uint64_t size;
    /**
     * Hash function of the object ids.
     */
    enum reftable_hash hash_id;
    /**
     * Block size in the file header; 0 if blocks are not aligned.
     */
    uint32_t block_size;
    /**
     * Least update index.
     */
    uint64_t min_update_index;
    /**
     * Greatest update index.
     */
    uint64_t max_update_index;
    /**
     * Size of the abbreviated ids in the object section, in bytes.
     */
    int object_id_len;
    /**
     * Format version: 1 or 2.
     */
    int version;
    /**
     * The ref section.
     */
    struct reftable_table_offsets ref_offsets;
    /**
     * The object section.
     */
    struct reftable_table_offsets obj_offsets;
    /**
     * The log section.
     */
    struct reftable_table_offsets log_offsets;
    /**
     * Number of references to the table. It is closed when this becomes 0.
     */
    uint64_t refcount;
};

/**
 * An iterator over the blocks of a table.
 */
struct reftable_table_iterator {
    /**
     * Internal; NULL if there is no iterator.
     */
    void *iter_arg;
};

/**
 * Options for writing tables and managing a stack. Zero-filled options are the defaults.
 */
struct reftable_write_options {
    /**
     * Do not pad blocks to the block size.
     */
    unsigned int unpadded: 1;
    /**
     * Block size in bytes, at most 16777215; 0 means 4096.
     */
    uint32_t block_size;
    /**
     * Do not write the object section.
     */
    unsigned int skip_index_objects: 1;
    /**
     * Number of records per restart, a record whose key is stored in full; 0 means 16.
     */
    uint16_t restart_interval;
    /**
     * Hash function of the object ids; 0 means SHA-1.
     */
    enum reftable_hash hash_id;
    /**
     * Permission bits of tables and lists, not subject to the umask; 0 means 0666 minus the
     * umask.
     */
    unsigned int default_permissions;
    /**
     * Write log messages unchanged. Otherwise a message must be one line, and a missing
     * newline is added.
     */
    unsigned int exact_log_message: 1;
    /**
     * Do not compact a stack after adding a table.
     */
    unsigned int disable_auto_compact: 1;
    /**
     * Write the layout of git's C library even where it contradicts the format's
     * specification: an index may have several root blocks, and the first block of a table
     * that contains only logs includes the file header. JGit misses records in such tables.
     * This member is not in git's own header; it uses a bit that is unused there.
     */
    unsigned int git_layout: 1;
    /**
     * Factor of the geometric rule: a table must be at least this many times as large as
     * the next newer one, or both are compacted; 0 means 2.
     */
    uint8_t auto_compaction_factor;
    /**
     * Milliseconds to wait for a locked stack: 0 does not wait, a negative number waits
     * forever. There is no waiting for locks of single tables.
     */
    long lock_timeout_ms;
    /**
     * Called after a stack has reloaded its list of tables, or failed to. It may use the
     * stack. May be NULL.
     */
    void (*on_reload)(void *payload);
    /**
     * Argument of `on_reload`.
     */
    void *on_reload_payload;
};

/**
 * Statistics of the blocks of one type.
 */
struct reftable_block_stats {
    /**
     * Number of records.
     */
    int entries;
    /**
     * Number of restarts.
     */
    uint32_t restarts;
    /**
     * Number of blocks.
     */
    int blocks;
    /**
     * Number of blocks of the section's index.
     */
    int index_blocks;
    /**
     * Number of levels of the section's index.
     */
    int max_index_level;
    /**
     * Offset of the first block; 0 if there is none, or if it is the first of the file.
     */
    uint64_t offset;
    /**
     * Offset of the index; 0 if there is none.
     */
    uint64_t index_offset;
};

/**
 * Statistics of a table that is being written.
 */
struct reftable_stats {
    /**
     * Number of blocks of all types.
     */
    int blocks;
    /**
     * Ref blocks.
     */
    struct reftable_block_stats ref_stats;
    /**
     * Object blocks.
     */
    struct reftable_block_stats obj_stats;
    /**
     * Index blocks.
     */
    struct reftable_block_stats idx_stats;
    /**
     * Log blocks.
     */
    struct reftable_block_stats log_stats;
    /**
     * Size of the abbreviated ids in the object section, in bytes.
     */
    int object_id_len;
};

/**
 * The reflog entries that a compaction drops.
 */
struct reftable_log_expiry_config {
    /**
     * Entries older than this, in seconds since the epoch; 0 for none.
     */
    uint64_t time;
    /**
     * Entries with a lower update index; 0 for none.
     */
    uint64_t min_update_index;
};

/**
 * Statistics of a stack's compactions since it was opened.
 */
struct reftable_compaction_stats {
    /**
     * Size of the merged tables in bytes, without their footers.
     */
    uint64_t bytes;
    /**
     * Number of records written, including those of compactions that failed later.
     */
    uint64_t entries_written;
    /**
     * Number of attempted compactions.
     */
    int attempts;
    /**
     * Number of compactions that failed because of a lock.
     */
    int failures;
};

/**
 * One problem.
 */
struct reftable_fsck_info {
    /**
     * Its kind.
     */
    enum reftable_fsck_error error;
    /**
     * A text for people.
     */
    const char *msg;
    /**
     * Name of the affected file.
     */
    const char *path;
};

#ifdef __cplusplus
extern "C" {
#endif /* __cplusplus */

/**
 * Sets the functions that allocate everything the library hands out: strings of records,
 * buffers, and the objects themselves. Memory that callers never see is allocated
 * elsewhere.
 *
 * NULL means the C library's function. Memory allocated earlier is freed with the
 * functions set now, so call this once, before any other function. `malloc_fn` and
 * `realloc_fn` may return NULL: the call that needed the memory then fails with
 * `REFTABLE_OUT_OF_MEMORY_ERROR`. The functions must not call the library.
 */
void reftable_set_alloc(void *(*malloc_fn)(size_t),
                        void *(*realloc_fn)(void*, size_t),
                        void (*free_fn)(void*));

/**
 * Returns a short English text for an error number, without a newline. The text is never
 * NULL and must not be freed.
 *
 * The text for a number that is not in `enum reftable_error` is valid until the same
 * thread calls this function with another such number.
 */
const char *reftable_error_str(int err);

/**
 * Returns the object id of a `REFTABLE_REF_VAL1` or `REFTABLE_REF_VAL2` record, a pointer
 * into the record; NULL for other records and for NULL.
 */
const unsigned char *reftable_ref_record_val1(const struct reftable_ref_record *record);

/**
 * Returns the peeled object id of a `REFTABLE_REF_VAL2` record, a pointer into the
 * record; NULL for other records and for NULL.
 */
const unsigned char *reftable_ref_record_val2(const struct reftable_ref_record *record);

/**
 * Returns 1 if the record is a deletion, otherwise 0; 0 for NULL.
 */
int reftable_ref_record_is_deletion(const struct reftable_ref_record *record);

/**
 * Frees the strings of a record and zero-fills it. Does nothing for NULL or a zero-filled
 * record.
 */
void reftable_ref_record_release(struct reftable_ref_record *record);

/**
 * Returns 1 if both records are equal, otherwise 0. NULL names equal empty ones. Of ids,
 * the first `hash_size` bytes are compared, at most `REFTABLE_HASH_SIZE_MAX`.
 */
int reftable_ref_record_equal(const struct reftable_ref_record *a,
                              const struct reftable_ref_record *b,
                              uint32_t hash_size);

/**
 * Returns 1 if the record is a deletion, otherwise 0; 0 for NULL.
 */
int reftable_log_record_is_deletion(const struct reftable_log_record *record);

/**
 * Frees the strings of a record and zero-fills it. Does nothing for NULL or a zero-filled
 * record.
 */
void reftable_log_record_release(struct reftable_log_record *record);

/**
 * Returns 1 if both records are equal, otherwise 0. NULL strings equal empty ones. Of ids,
 * the first `hash_size` bytes are compared, at most `REFTABLE_HASH_SIZE_MAX`.
 */
int reftable_log_record_equal(const struct reftable_log_record *a,
                              const struct reftable_log_record *b,
                              uint32_t hash_size);

/**
 * Positions an iterator over refs before the first ref whose name is not less than `name`.
 * The empty string is before all refs.
 *
 * Returns 0, even if there is no such ref; 1 if a table with an index has no such ref;
 * `REFTABLE_API_ERROR` for an iterator over logs, for one that cannot be positioned (over
 * the refs of an object, found through the object section), for a zero-filled iterator or
 * NULL; `REFTABLE_FORMAT_ERROR` and other read errors.
 */
int reftable_iterator_seek_ref(struct reftable_iterator *it,
                               const char *name);

/**
 * Reads the next ref into `record`, reusing the memory of its strings. Zero-fill the record
 * before the first use.
 *
 * Returns 0; 1 at the end, leaving the record unchanged; `REFTABLE_API_ERROR` for an
 * iterator over logs, for one over a table that was not positioned, for a zero-filled
 * iterator or NULL; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_FORMAT_ERROR` and other read
 * errors. In every case the record can be released or read into again.
 */
int reftable_iterator_next_ref(struct reftable_iterator *it,
                               struct reftable_ref_record *record);

/**
 * Positions an iterator over logs before the newest entry of `name` whose update index is
 * at most `update_index`, or else before the first entry of the names that follow.
 *
 * Returns the same as `reftable_iterator_seek_ref()`, and `REFTABLE_ZLIB_ERROR` if a block
 * cannot be inflated.
 */
int reftable_iterator_seek_log_at(struct reftable_iterator *it,
                                  const char *name,
                                  uint64_t update_index);

/**
 * Positions an iterator over logs before the newest entry of `name`. See
 * `reftable_iterator_seek_log_at()`.
 */
int reftable_iterator_seek_log(struct reftable_iterator *it, const char *name);

/**
 * Reads the next log entry into `record`. Entries are ordered by name; those of one name
 * come newest first.
 *
 * Returns the same as `reftable_iterator_next_ref()`, and `REFTABLE_ZLIB_ERROR` if a block
 * cannot be inflated.
 */
int reftable_iterator_next_log(struct reftable_iterator *it,
                               struct reftable_log_record *record);

/**
 * Frees the resources of an iterator and zero-fills it. Does nothing for NULL or a
 * zero-filled iterator.
 */
void reftable_iterator_destroy(struct reftable_iterator *it);

/**
 * Reads the block at `offset` of `source` into `b`, which must be zero-filled or hold a
 * block. That block is released first.
 *
 * `header_size` is the size of the file header (24 or 28) for a block at offset 0,
 * otherwise 0. `table_block_size` is the block size in the file header, or 0. `hash_size`
 * is the size of an object id. `want_type` is the required block type, or
 * `REFTABLE_BLOCK_TYPE_ANY`.
 *
 * Returns 0; 1 if the block has another type; `REFTABLE_FORMAT_ERROR` if the bytes are not
 * a block; `REFTABLE_ZLIB_ERROR` if the block cannot be inflated; the result of the
 * source's `read_data` if that is negative; `REFTABLE_OUT_OF_MEMORY_ERROR`;
 * `REFTABLE_API_ERROR` for NULL. After 0 or 1 the block must be released; after an error
 * there is nothing to release.
 */
int reftable_block_init(struct reftable_block *b,
                        struct reftable_block_source *source,
                        uint32_t offset,
                        uint32_t header_size,
                        uint32_t table_block_size,
                        uint32_t hash_size,
                        uint8_t want_type);

/**
 * Releases the resources of a block and zero-fills it. Does nothing for NULL or a
 * zero-filled block. Must not be called for a block returned by a table iterator.
 */
void reftable_block_release(struct reftable_block *b);

/**
 * Initialises an iterator over the records of a block, positioned before the first one.
 * The block must not change while the iterator is used.
 *
 * Read refs with `reftable_iterator_next_ref()` and logs with
 * `reftable_iterator_next_log()`. Records of other block types cannot be read. Update
 * indexes of refs are relative to the least one of the table, which a block does not
 * contain.
 *
 * Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL, a zero-filled
 * block, or an iterator in use.
 */
int reftable_block_init_iterator(const struct reftable_block *b,
                                 struct reftable_iterator *it);

/**
 * Returns the type of a block, one of `REFTABLE_BLOCK_TYPE_*`; 0 for NULL or a zero-filled
 * block.
 */
uint8_t reftable_block_type(const struct reftable_block *b);

/**
 * Replaces the content of `key` by the key of the block's first record. The key of a ref
 * is its name; that of a log entry is the name, a NUL, and the bitwise complement of the
 * update index in 8 bytes, big-endian. The caller frees `key->buf`; see
 * `struct reftable_buf`.
 *
 * Returns 0; `REFTABLE_FORMAT_ERROR`; `REFTABLE_OUT_OF_MEMORY_ERROR`;
 * `REFTABLE_API_ERROR` for NULL or a zero-filled block.
 */
int reftable_block_first_key(const struct reftable_block *b, struct reftable_buf *key);

/**
 * Opens the file `name` as a source. `block_src` must be zero-filled. A table opened with
 * the source takes it over and closes it.
 *
 * Returns 0; `REFTABLE_NOT_EXIST_ERROR` if there is no such file; -1 if it cannot be
 * opened for another reason; `REFTABLE_IO_ERROR` if it cannot be read or is not a regular
 * file; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` if an argument is NULL or
 * `block_src` is in use.
 */
int reftable_block_source_from_file(struct reftable_block_source *block_src,
                                    const char *name);

/**
 * Opens the table in `src` and stores it in `*out`. `name`, usually the name of the file,
 * is copied.
 *
 * The table takes over the source and closes it when it is itself closed. If opening
 * fails, the source is closed at once. This function reads the whole source.
 *
 * Returns 0; `REFTABLE_FORMAT_ERROR` if the content is not a table; `REFTABLE_IO_ERROR` if
 * the source cannot be read; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL.
 */
int reftable_table_new(struct reftable_table **out,
                       struct reftable_block_source *src,
                       const char *name);

/**
 * Adds a reference to a table. It stays open until all references are dropped.
 */
void reftable_table_incref(struct reftable_table *table);

/**
 * Drops a reference to a table. Dropping the last one closes and frees the table. Does
 * nothing for NULL.
 */
void reftable_table_decref(struct reftable_table *table);

/**
 * Initialises an iterator over the refs of a table, including deletions. It must be
 * positioned before it is read.
 *
 * Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an iterator
 * in use.
 */
int reftable_table_init_ref_iterator(struct reftable_table *t,
                                     struct reftable_iterator *it);

/**
 * Initialises an iterator over the reflog entries of a table, including deletions. It must
 * be positioned before it is read.
 *
 * Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an iterator
 * in use.
 */
int reftable_table_init_log_iterator(struct reftable_table *t,
                                     struct reftable_iterator *it);

/**
 * Returns the hash function of the object ids; 0 for NULL.
 */
enum reftable_hash reftable_table_hash_id(struct reftable_table *t);

/**
 * Initialises an iterator over the refs whose value or peeled value is the object `oid`, in
 * order of their names. `oid` has the size of the table's hash. The iterator is positioned
 * before the first ref.
 *
 * If the table has an object section, it is used to find the ref blocks. Then update
 * indexes of the refs are relative to the least one of the table, and the iterator cannot
 * be positioned.
 *
 * Returns 0, even if there is no such ref; 1 if the object section has an index and ends
 * before the object, leaving the iterator empty; `REFTABLE_FORMAT_ERROR`;
 * `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an iterator in use.
 */
int reftable_table_refs_for(struct reftable_table *t,
                            struct reftable_iterator *it,
                            uint8_t *oid);

/**
 * Returns the greatest update index of a table; 0 for NULL.
 */
uint64_t reftable_table_max_update_index(struct reftable_table *t);

/**
 * Returns the least update index of a table; 0 for NULL.
 */
uint64_t reftable_table_min_update_index(struct reftable_table *t);

/**
 * Initialises an iterator over all blocks of a table, in file order. `it` need not be
 * zero-filled. The table stays open until the iterator is released.
 *
 * Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL.
 */
int reftable_table_iterator_init(struct reftable_table_iterator *it,
                                 struct reftable_table *t);

/**
 * Frees the resources of an iterator, including the block it returned last. Does nothing
 * for NULL or a zero-filled iterator.
 */
void reftable_table_iterator_release(struct reftable_table_iterator *it);

/**
 * Reads the next block and stores it in `*out`. It is valid until the next call.
 *
 * Returns 0; 1 at the end; the errors of `reftable_block_init()`; `REFTABLE_API_ERROR` for
 * NULL or a zero-filled iterator. Unless it returns 0, `*out` holds no block.
 */
int reftable_table_iterator_next(struct reftable_table_iterator *it,
                                 const struct reftable_block **out);

/**
 * Creates a merged view of `n` tables, oldest first, and stores it in `*dest`.
 *
 * The array is copied. The tables remain the caller's and must stay open until the view is
 * freed. Iterators over the view return deletions as records.
 *
 * Returns 0; `REFTABLE_FORMAT_ERROR` if a table has another hash function than `hash_id`;
 * `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL (`tables` may be NULL if
 * `n` is 0).
 */
int reftable_merged_table_new(struct reftable_merged_table **dest,
                              struct reftable_table **tables,
                              size_t n,
                              enum reftable_hash hash_id);

/**
 * Initialises an iterator over the refs of a view. Until it is positioned it returns no
 * records.
 *
 * Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an iterator
 * in use.
 */
int reftable_merged_table_init_ref_iterator(struct reftable_merged_table *mt,
                                            struct reftable_iterator *it);

/**
 * Initialises an iterator over the reflog entries of a view. Until it is positioned it
 * returns no records.
 *
 * Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an iterator
 * in use.
 */
int reftable_merged_table_init_log_iterator(struct reftable_merged_table *mt,
                                            struct reftable_iterator *it);

/**
 * Returns the greatest update index of all tables; 0 if there are none, and for NULL.
 */
uint64_t reftable_merged_table_max_update_index(struct reftable_merged_table *mt);

/**
 * Returns the least update index of all tables; 0 if there are none, and for NULL.
 */
uint64_t reftable_merged_table_min_update_index(struct reftable_merged_table *mt);

/**
 * Frees a view created by `reftable_merged_table_new()`. Its tables stay open. Does
 * nothing for NULL or the view of a stack.
 */
void reftable_merged_table_free(struct reftable_merged_table *m);

/**
 * Returns the hash function of the tables; 0 for NULL.
 */
enum reftable_hash reftable_merged_table_hash_id(struct reftable_merged_table *m);

/**
 * Creates a writer and stores it in `*out`. It must be freed.
 *
 * `writer_func` appends all `len` bytes to the file. A negative result is an error, which
 * the library function that called it returns. `flush_func` makes the file durable; it is
 * called once, when the table is complete. Both are called with `writer_arg`. `opts` is
 * copied; NULL means zero-filled options.
 *
 * Returns 0; `REFTABLE_API_ERROR` if the block size is above 16777215, the hash function
 * is unknown, or another argument is NULL; `REFTABLE_OUT_OF_MEMORY_ERROR`.
 */
int reftable_writer_new(struct reftable_writer **out,
                        ssize_t (*writer_func)(void *arg, const void *data, size_t len),
                        int (*flush_func)(void *arg),
                        void *writer_arg,
                        const struct reftable_write_options *opts);

/**
 * Sets the least and the greatest update index of the table, both inclusive. The default
 * for both is 0. A table for a stack starts at `reftable_stack_next_update_index()` or
 * later.
 *
 * Returns 0; `REFTABLE_API_ERROR` after a record was added, or for NULL.
 */
int reftable_writer_set_limits(struct reftable_writer *w, uint64_t min, uint64_t max);

/**
 * Adds a ref. The record remains the caller's. Refs must be added in ascending bytewise
 * order of their names, and before all logs.
 *
 * Returns 0; `REFTABLE_API_ERROR` if the record is out of order, the name is NULL or empty,
 * the update index is outside the limits, the kind of value is unknown or its string is
 * NULL, the table is closed, or an argument is NULL; `REFTABLE_ENTRY_TOO_BIG_ERROR` if the
 * record does not fit into a block; the result of `writer_func` if that is negative. After
 * `REFTABLE_API_ERROR` the writer can still be used.
 */
int reftable_writer_add_ref(struct reftable_writer *w,
                            struct reftable_ref_record *record);

/**
 * Sorts the array of `n` refs in place and adds them in order, up to the first that fails.
 * The strings of the records remain the caller's.
 *
 * Returns the same as `reftable_writer_add_ref()`.
 */
int reftable_writer_add_refs(struct reftable_writer *w,
                             struct reftable_ref_record *refs,
                             size_t n);

/**
 * Adds a reflog entry. The record remains the caller's. Entries must be added in ascending
 * order of their names and, for each name, in descending order of their update indexes.
 *
 * The update index must not be above the upper limit. It may be below the lower one, since
 * an entry can replace an older one. Deletions are not checked. Unless the options request
 * exact messages, a message must be one line; several newlines at its end become one.
 *
 * Returns 0; `REFTABLE_API_ERROR` if the record is out of order, the name is NULL or empty,
 * the update index is too large, the message has several lines, the table is closed, or an
 * argument is NULL; `REFTABLE_ENTRY_TOO_BIG_ERROR`; the result of `writer_func` if that is
 * negative.
 */
int reftable_writer_add_log(struct reftable_writer *w,
                            struct reftable_log_record *record);

/**
 * Sorts the array of `n` reflog entries in place and adds them in order, up to the first
 * that fails. The strings of the records remain the caller's.
 *
 * Returns the same as `reftable_writer_add_log()`.
 */
int reftable_writer_add_logs(struct reftable_writer *w,
                             struct reftable_log_record *logs,
                             size_t n);

/**
 * Completes the table. After that no record can be added. Statistics remain available, and
 * the writer must still be freed.
 *
 * Returns 0; `REFTABLE_EMPTY_TABLE_ERROR` if there are no records (header and footer are
 * written nevertheless); `REFTABLE_IO_ERROR` if `flush_func` returned a negative number;
 * the result of `writer_func` if that is negative; `REFTABLE_API_ERROR` if the table is
 * already closed, or for NULL.
 */
int reftable_writer_close(struct reftable_writer *w);

/**
 * Returns the statistics of what was written so far. The pointer is valid, and the
 * statistics are kept up to date, until the writer is freed. NULL for NULL.
 */
const struct reftable_stats *reftable_writer_stats(struct reftable_writer *w);

/**
 * Frees a writer created by `reftable_writer_new()`. A table that was not closed remains
 * incomplete. Does nothing for NULL or the writer of an addition.
 */
void reftable_writer_free(struct reftable_writer *w);

/**
 * Opens the stack in the directory `dir` and stores it in `*dest`. A missing directory, or
 * one without a list of tables, is an empty stack. `opts` is copied; NULL means zero-filled
 * options.
 *
 * Returns 0; `REFTABLE_FORMAT_ERROR` if the list or a table is damaged, or a table has
 * another hash function; `REFTABLE_NOT_EXIST_ERROR` if a table is missing;
 * `REFTABLE_IO_ERROR`; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an
 * unknown hash function. After an error `*dest` is NULL.
 */
int reftable_new_stack(struct reftable_stack **dest,
                       const char *dir,
                       const struct reftable_write_options *opts);

/**
 * Returns the least update index of a new table: one more than the greatest of the newest
 * table, 1 for an empty stack, 0 for NULL.
 */
uint64_t reftable_stack_next_update_index(struct reftable_stack *st);

/**
 * Locks the stack and stores a new addition in `*dest`. The addition must be destroyed,
 * even after a commit, and before the stack.
 *
 * `flags` is 0 or `REFTABLE_STACK_NEW_ADDITION_RELOAD`.
 *
 * Returns 0; `REFTABLE_LOCK_ERROR` if the lock cannot be acquired within the timeout of the
 * options; `REFTABLE_OUTDATED_ERROR` if the stack has changed since it was read and the
 * flags do not request a reload; errors of the reload; `REFTABLE_IO_ERROR`;
 * `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL. After an error `*dest` is
 * NULL.
 */
int reftable_stack_new_addition(struct reftable_addition **dest,
                                struct reftable_stack *st,
                                unsigned int flags);

/**
 * Adds a table written by `write_table`, which is called once with a writer and `arg`. The
 * function sets the limits, adds records, and returns 0, or a negative number to cancel the
 * table. It must not close or free the writer. It may use the stack, and open other stacks
 * on the same directory.
 *
 * A table without records is omitted. Tables of one addition may have the same update
 * indexes; the one added later is newer.
 *
 * Returns 0; the result of `write_table` if that is negative; `REFTABLE_API_ERROR` if the
 * least update index of the table is below the stack's next one, the addition is committed
 * or in use, or an argument is NULL; write errors. After an error the addition can be
 * continued without this table.
 */
int reftable_addition_add(struct reftable_addition *add,
                          int (*write_table)(struct reftable_writer *wr, void *arg),
                          void *arg);

/**
 * Publishes all tables of an addition atomically, unlocks the stack and reloads it. Then
 * compacts the stack, unless the options disable that. An addition without tables only
 * unlocks the stack. The addition must still be destroyed.
 *
 * Returns 0, even if it was already committed; `REFTABLE_IO_ERROR` if the tables could not
 * be published, which leaves the stack unchanged; `REFTABLE_API_ERROR` for NULL or an
 * addition in use. An error of the compaction is returned although the tables have been
 * published, unless it is a lock or a change by another process.
 */
int reftable_addition_commit(struct reftable_addition *add);

/**
 * Frees an addition. If it was not committed, removes its tables and unlocks the stack.
 * Does nothing for NULL.
 */
void reftable_addition_destroy(struct reftable_addition *add);

/**
 * Adds one table: creates an addition with `flags`, adds to it with `write_table` and
 * `write_arg`, commits it and destroys it.
 *
 * Returns the same as these functions. After `REFTABLE_OUTDATED_ERROR` the stack has been
 * reloaded.
 */
int reftable_stack_add(struct reftable_stack *st,
                       int (*write_table)(struct reftable_writer *wr, void *write_arg),
                       void *write_arg,
                       unsigned int flags);

/**
 * Initialises an iterator over the refs of a stack, without deletions. Until it is
 * positioned it returns no records.
 *
 * Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an iterator
 * in use.
 */
int reftable_stack_init_ref_iterator(struct reftable_stack *st,
                                     struct reftable_iterator *it);

/**
 * Initialises an iterator over the reflog entries of a stack, without deletions. Until it
 * is positioned it returns no records.
 *
 * Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an iterator
 * in use.
 */
int reftable_stack_init_log_iterator(struct reftable_stack *st,
                                     struct reftable_iterator *it);

/**
 * Returns the merged view of the stack's tables. It belongs to the stack and always shows
 * the current tables. NULL for NULL.
 */
struct reftable_merged_table *reftable_stack_merged_table(struct reftable_stack *st);

/**
 * Closes a stack and removes those of its tables that other processes have replaced.
 * Iterators over it remain usable. If a library function is using the stack, or it has an
 * addition, the stack is closed when these have ended. Does nothing for NULL.
 */
void reftable_stack_destroy(struct reftable_stack *st);

/**
 * Reloads the list of tables if it has changed. Checking that is cheap.
 *
 * Returns 0; `REFTABLE_FORMAT_ERROR`, `REFTABLE_NOT_EXIST_ERROR` or `REFTABLE_IO_ERROR`,
 * after which the stack shows the same tables as before; `REFTABLE_API_ERROR` for NULL.
 */
int reftable_stack_reload(struct reftable_stack *st);

/**
 * Compacts all tables into one, dropping deletions and the reflog entries selected by
 * `config`. If `config` is NULL, drops no entries and leaves a single table unchanged.
 *
 * Returns 0; `REFTABLE_LOCK_ERROR` if the stack or a table is locked;
 * `REFTABLE_OUTDATED_ERROR` if the stack has changed since it was read; read and write
 * errors; `REFTABLE_API_ERROR` for NULL, or if a log message cannot be written with the
 * stack's options.
 */
int reftable_stack_compact_all(struct reftable_stack *st,
                               struct reftable_log_expiry_config *config);

/**
 * Stores in `*required` whether the stack should be compacted. With `use_heuristics` that
 * is decided by the sizes of the tables, as in `reftable_stack_auto_compact()`; otherwise
 * it is true if there are two or more tables.
 *
 * Returns 0; `REFTABLE_API_ERROR` for NULL.
 */
REFTABLE_WITH_BOOL
int reftable_stack_compaction_required(struct reftable_stack *st,
                                       bool use_heuristics,
                                       bool *required);

/**
 * Compacts the tables whose sizes violate the geometric rule, see `auto_compaction_factor`.
 * Excludes tables that another process has locked, and tables older than these.
 *
 * Returns the same as `reftable_stack_compact_all()`.
 */
int reftable_stack_auto_compact(struct reftable_stack *st);

/**
 * Removes tables that are in the directory but not in the list and are no longer needed,
 * and temporary files of tables that are older than a day.
 *
 * Returns 0, or the errors of `reftable_stack_new_addition()` without flags.
 */
int reftable_stack_clean(struct reftable_stack *st);

/**
 * Reads the ref `refname` into `record`, which must be zero-filled or have been read into
 * before.
 *
 * Returns 0; 1 if there is no such ref, leaving the record zero-filled; the errors of
 * `reftable_iterator_next_ref()`.
 */
int reftable_stack_read_ref(struct reftable_stack *st,
                            const char *refname,
                            struct reftable_ref_record *record);

/**
 * Reads the newest reflog entry of `refname` into `record`, which must be zero-filled or
 * have been read into before.
 *
 * Returns 0; 1 if there is none; the errors of `reftable_iterator_next_log()`. Unless it
 * returns 0, the record is zero-filled.
 */
int reftable_stack_read_log(struct reftable_stack *st,
                            const char *refname,
                            struct reftable_log_record *record);

/**
 * Returns the statistics of a stack's compactions. The pointer is valid, and the statistics
 * are kept up to date, until the stack is destroyed. NULL for NULL.
 */
struct reftable_compaction_stats *reftable_stack_compaction_stats(struct reftable_stack *st);

/**
 * Returns the hash function of the stack; 0 for NULL.
 */
enum reftable_hash reftable_stack_hash_id(struct reftable_stack *st);

/**
 * Checks the names of a stack's tables.
 *
 * `verbose_fn`, which may be NULL, is called with a line of text before each table is
 * checked. `report_fn` is called for each problem. Both receive `cb_data`, and texts that
 * are valid until they return.
 *
 * Returns 0 if there are no problems, otherwise the bitwise OR of the results of
 * `report_fn`; `REFTABLE_API_ERROR` if `stack` or `report_fn` is NULL.
 */
int reftable_fsck_check(struct reftable_stack *stack,
                        reftable_fsck_report_fn report_fn,
                        reftable_fsck_verbose_fn verbose_fn,
                        void *cb_data);

#ifdef __cplusplus
}  /* extern "C" */
#endif  /* __cplusplus */

#endif  /* REFTABLE_H */
