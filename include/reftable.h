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
 * Bytes of a SHA-1 object id.
 */
#define REFTABLE_HASH_SIZE_SHA1 20

/**
 * Bytes of a SHA-256 object id.
 */
#define REFTABLE_HASH_SIZE_SHA256 32

/**
 * Bytes of the longest object id.
 */
#define REFTABLE_HASH_SIZE_MAX REFTABLE_HASH_SIZE_SHA256

/**
 * First byte of a block of reflog entries.
 */
#define REFTABLE_BLOCK_TYPE_LOG 103

/**
 * First byte of an index block.
 */
#define REFTABLE_BLOCK_TYPE_INDEX 105

/**
 * First byte of a block of refs.
 */
#define REFTABLE_BLOCK_TYPE_REF 114

/**
 * First byte of a block of abbreviated object ids.
 */
#define REFTABLE_BLOCK_TYPE_OBJ 111

/**
 * Stands for any type where one is wanted.
 */
#define REFTABLE_BLOCK_TYPE_ANY 0

/**
 * How many kinds of values refs have.
 */
#define REFTABLE_NR_REF_VALUETYPES 4

/**
 * How many kinds of values log records have.
 */
#define REFTABLE_NR_LOG_VALUETYPES 2

/**
 * The hash functions of object ids. 0, as in zero-filled options, stands for SHA-1.
 *
 * The numbers are those of git's library, chosen so that a variable which was never
 * set is noticed; files hold others.
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
 * What functions return when they fail: negative numbers. 0 is success, and 1 means
 * that there is nothing more, or no such record.
 *
 * Besides these, a function may return what a callback of the caller's returned, and
 * -1 where the cause has no number of its own.
 */
enum reftable_error {
    /**
     * The system failed to read, write, rename or lock a file.
     */
    REFTABLE_IO_ERROR = -2,
    /**
     * A file breaks the format.
     */
    REFTABLE_FORMAT_ERROR = -3,
    /**
     * A file that is needed does not exist.
     */
    REFTABLE_NOT_EXIST_ERROR = -4,
    /**
     * Somebody else holds a lock.
     */
    REFTABLE_LOCK_ERROR = -5,
    /**
     * The function was called in a wrong way: NULL where it makes no sense, a name
     * out of order, an update index outside the limits, a log message of several lines,
     * a ref asked of an iterator over logs, an object that is closed or in use. Nothing
     * has changed.
     */
    REFTABLE_API_ERROR = -6,
    /**
     * A block of logs could not be inflated or deflated.
     */
    REFTABLE_ZLIB_ERROR = -7,
    /**
     * A table was closed that has no records.
     */
    REFTABLE_EMPTY_TABLE_ERROR = -8,
    /**
     * A name is not a legal ref name. This library does not check names.
     */
    REFTABLE_REFNAME_ERROR = -10,
    /**
     * A record does not fit into a block.
     */
    REFTABLE_ENTRY_TOO_BIG_ERROR = -11,
    /**
     * The stack has changed since it was read: reload it and try again.
     */
    REFTABLE_OUTDATED_ERROR = -12,
    /**
     * The allocator returned NULL.
     */
    REFTABLE_OUT_OF_MEMORY_ERROR = -13
};

/**
 * What a ref record says about its name.
 */
enum reftable_ref_value_type {
    /**
     * The ref is deleted; the record hides those of older tables.
     */
    REFTABLE_REF_DELETION = 0,
    /**
     * An object id, in `value.val1`.
     */
    REFTABLE_REF_VAL1 = 1,
    /**
     * The id of an annotated tag and of the object that it peels to, in `value.val2`.
     */
    REFTABLE_REF_VAL2 = 2,
    /**
     * The name of another ref, in `value.symref`.
     */
    REFTABLE_REF_SYMREF = 3
};

/**
 * What a log record says about its name and update index.
 */
enum reftable_log_value_type {
    /**
     * There is no such entry any more; the record hides those of older tables.
     */
    REFTABLE_LOG_DELETION = 0,
    /**
     * A change of the ref, in `value.update`.
     */
    REFTABLE_LOG_UPDATE = 1
};

/**
 * Flags of a new addition.
 */
enum reftable_stack_new_addition_flags {
    /**
     * When another process has changed the stack, reload it rather than fail.
     */
    REFTABLE_STACK_NEW_ADDITION_RELOAD = (1 << 0)
};

/**
 * What can be wrong with a stack.
 */
enum reftable_fsck_error {
    /**
     * The name of a table is not made as names of tables are.
     */
    REFTABLE_FSCK_ERROR_TABLE_NAME = 0,
    /**
     * How many errors there are.
     */
    REFTABLE_FSCK_MAX_VALUE
};

/**
 * A change of a stack in the making.
 */
struct reftable_addition;

/**
 * What kind of iterator it is.
 */
struct reftable_iterator_vtable;

/**
 * Several tables, read as one: of each name (for logs: of each name and update index)
 * the record of the newest table that has one.
 */
struct reftable_merged_table;

/**
 * A folder of tables. Several stacks, in one or in many processes, may share a folder.
 * Several threads may read a stack at once, as long as none does anything else with it.
 */
struct reftable_stack;

/**
 * Writes one table.
 */
struct reftable_writer;

/**
 * A state of zlib's; this library never makes one.
 */
struct z_stream_s;

/**
 * The ids of `REFTABLE_REF_VAL2`.
 */
struct reftable_ref_val2 {
    /**
     * The tag's own id.
     */
    unsigned char value[REFTABLE_HASH_SIZE_MAX];
    /**
     * What the tag peels to.
     */
    unsigned char target_value[REFTABLE_HASH_SIZE_MAX];
};

/**
 * The value of a ref; which member counts says `value_type`.
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
 * A ref. Zero-filled, it is an empty record that may be read into, or released.
 *
 * The strings of a record that the library has filled come from its allocator and
 * belong to the record: the caller frees them with `reftable_ref_record_release()`, or
 * takes one out by setting its member (and `refname_cap`, for the name) to 0. Reading
 * into a record again reuses its memory. The strings of a record that is written stay
 * the caller's; they may be constants.
 */
struct reftable_ref_record {
    /**
     * The name, NUL-terminated.
     */
    char *refname;
    /**
     * Bytes that were allocated for the name; 0 when it does not come from the library.
     */
    size_t refname_cap;
    /**
     * Number of the transaction that wrote the value.
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
     * Value after the change; zeros for a deletion of the ref.
     */
    unsigned char new_hash[REFTABLE_HASH_SIZE_MAX];
    /**
     * Value before the change; zeros for a creation of the ref.
     */
    unsigned char old_hash[REFTABLE_HASH_SIZE_MAX];
    /**
     * Who made it. NULL is written as an empty name.
     */
    char *name;
    /**
     * Who made it: the address without angle brackets. NULL is written as an empty one.
     */
    char *email;
    /**
     * Seconds since 1970.
     */
    uint64_t time;
    /**
     * Time zone as git passes it, for instance -130 for -0130.
     */
    int16_t tz_offset;
    /**
     * What was done. NULL is written as an empty message.
     */
    char *message;
    /**
     * Bytes that were allocated for the message; 0 when it does not come from the
     * library.
     */
    size_t message_cap;
};

/**
 * The value of a log record.
 */
union reftable_log_value {
    /**
     * The change, of `REFTABLE_LOG_UPDATE`.
     */
    struct reftable_log_update update;
};

/**
 * An entry of a reflog. Zero-filled, it is an empty record that may be read into, or
 * released. Its strings belong to whom those of `struct reftable_ref_record` do.
 */
struct reftable_log_record {
    /**
     * Name of the ref, NUL-terminated.
     */
    char *refname;
    /**
     * Bytes that were allocated for the name; 0 when it does not come from the library.
     */
    size_t refname_cap;
    /**
     * Number of the transaction; name and number together are the key of an entry.
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
 * An iterator over refs or over reflog entries. Zero-filled, it is none: functions that
 * make an iterator want it so, and destroying it is no mistake.
 *
 * An iterator over a stack or over tables must be positioned before the first record is
 * read. It may be positioned again at any time. What it reads stays as it was when it
 * was made, whatever becomes of the stack; the tables stay open until it is destroyed.
 */
struct reftable_iterator {
    /**
     * For the library.
     */
    struct reftable_iterator_vtable *ops;
    /**
     * For the library.
     */
    void *iter_arg;
};

/**
 * The functions of a source. All four must be there.
 */
struct reftable_block_source_vtable {
    /**
     * The number of bytes that there are in all.
     */
    uint64_t (*size)(void *source);
    /**
     * Sets `dest->data` and `dest->len` to the `size` bytes at `off`, and returns their
     * number; a negative number is an error, which the library passes on or turns into
     * `REFTABLE_IO_ERROR`. All of them must be there: never asked for bytes beyond the end. The bytes stay as they
     * are until `release_data` is called for them, however long that may be.
     */
    ssize_t (*read_data)(void *source,
                         struct reftable_block_data *dest,
                         uint64_t off,
                         uint32_t size);
    /**
     * Takes bytes back that `read_data` gave. Called once for each successful read.
     */
    void (*release_data)(void *source, struct reftable_block_data *data);
    /**
     * Ends the use of the source. Called once, after all bytes were taken back.
     */
    void (*close)(void *source);
};

/**
 * Something that gives the bytes of a table. Zero-filled, it is none.
 */
struct reftable_block_source {
    /**
     * What can be done with it; NULL when there is no source.
     */
    struct reftable_block_source_vtable *ops;
    /**
     * Passed to each of these functions.
     */
    void *arg;
};

/**
 * Bytes that a source has given, and the source to which they go back.
 */
struct reftable_block_data {
    /**
     * The bytes.
     */
    uint8_t *data;
    /**
     * How many they are.
     */
    size_t len;
    /**
     * The source that gave them.
     */
    struct reftable_block_source source;
};

/**
 * One block, which is part of a table. Zero-filled, it is none. The members may be read.
 */
struct reftable_block {
    /**
     * Where the block's own header begins in its bytes: behind the file's header in the
     * first block of a table, 0 in others.
     */
    uint32_t header_off;
    /**
     * The bytes of the block and perhaps of what follows it; inflated for logs.
     */
    struct reftable_block_data block_data;
    /**
     * Bytes of an object id.
     */
    uint32_t hash_size;
    /**
     * NULL.
     */
    struct z_stream_s *zstream;
    /**
     * The inflated bytes of a block of logs, else NULL.
     */
    uint8_t *uncompressed_data;
    /**
     * Bytes that were allocated for them.
     */
    size_t uncompressed_cap;
    /**
     * How many restarts there are: records whose key is written in full.
     */
    uint16_t restart_count;
    /**
     * Where the positions of the restarts begin, which is where the records end.
     */
    uint32_t restart_off;
    /**
     * Bytes of the block in the file: deflated, if it is, and with its padding.
     */
    uint32_t full_block_size;
    /**
     * What it holds: one of `REFTABLE_BLOCK_TYPE_*`.
     */
    uint8_t block_type;
};

/**
 * A growing buffer of bytes. Zero-filled, or `REFTABLE_BUF_INIT`, it is empty.
 *
 * A buffer that the library has filled holds memory of its allocator: it is given back
 * with the function that was passed to `reftable_set_alloc()`, `free()` by default.
 */
struct reftable_buf {
    /**
     * Bytes that `buf` has room for.
     */
    size_t alloc;
    /**
     * Bytes in use; a NUL follows them.
     */
    size_t len;
    /**
     * The bytes; NULL in an empty buffer.
     */
    char *buf;
};

/**
 * Where a section of a table stands.
 */
struct reftable_table_offsets {
    /**
     * 1 if the table has the section, else 0.
     */
    int is_present;
    /**
     * Position of its first block; 0 for the section at the beginning of the file.
     */
    uint64_t offset;
    /**
     * Position of its index; 0 when it has none.
     */
    uint64_t index_offset;
};

/**
 * An open table. The members may be read.
 */
struct reftable_table {
    /**
     * The name that was given when it was opened.
     */
    char *name;
    /**
     * Where its bytes come from.
     */
    struct reftable_block_source source;
    /**
     * Bytes of the file, without its footer.
     */
    uint64_t size;
    /**
     * Hash function of the object ids.
     */
    enum reftable_hash hash_id;
    /**
     * Block size that the header names; 0 when blocks are not aligned.
     */
    uint32_t block_size;
    /**
     * Least update index of the table.
     */
    uint64_t min_update_index;
    /**
     * Greatest update index of the table.
     */
    uint64_t max_update_index;
    /**
     * Bytes of the abbreviated ids in the object section.
     */
    int object_id_len;
    /**
     * Version of the format: 1 or 2.
     */
    int version;
    /**
     * The refs.
     */
    struct reftable_table_offsets ref_offsets;
    /**
     * The objects that refs point at.
     */
    struct reftable_table_offsets obj_offsets;
    /**
     * The reflog entries.
     */
    struct reftable_table_offsets log_offsets;
    /**
     * How many times the table must be given back until it is closed.
     */
    uint64_t refcount;
};

/**
 * An iterator over the blocks of a table.
 */
struct reftable_table_iterator {
    /**
     * For the library; NULL when there is no iterator.
     */
    void *iter_arg;
};

/**
 * How tables are written, and how a stack is kept. Zero-filled, all is as usual.
 */
struct reftable_write_options {
    /**
     * Do not pad blocks to the block size.
     */
    unsigned int unpadded: 1;
    /**
     * Bytes of a block, at most 16777215; 0 means 4096.
     */
    uint32_t block_size;
    /**
     * Write no object section.
     */
    unsigned int skip_index_objects: 1;
    /**
     * How many records there are from one whose key is written in full to the next; 0
     * means 16.
     */
    uint16_t restart_interval;
    /**
     * Hash function of the object ids; 0 means SHA-1.
     */
    enum reftable_hash hash_id;
    /**
     * Permission bits of tables and lists, free of the umask; 0 means 0666 less the umask.
     */
    unsigned int default_permissions;
    /**
     * Write log messages as they are. Otherwise a message must be one line, and gets a
     * newline at its end if it has none.
     */
    unsigned int exact_log_message: 1;
    /**
     * Do not compact a stack after a table was added.
     */
    unsigned int disable_auto_compact: 1;
    /**
     * Write what git's C library writes even where the format's document asks for something
     * else: an index may end in several blocks, and the first block of a table of logs alone
     * includes the file header. JGit misses records in such tables. Not in git's own header;
     * it takes a bit that is unused there.
     */
    unsigned int git_layout: 1;
    /**
     * How many times as large as the next newer one a table must be, lest they be
     * compacted; 0 means 2.
     */
    uint8_t auto_compaction_factor;
    /**
     * How many milliseconds to wait for a locked stack: 0 not at all, a negative number
     * for ever. Locks of single tables are never waited for.
     */
    long lock_timeout_ms;
    /**
     * Called whenever a stack has read its list of tables anew, or tried to. It may use
     * the stack. NULL for nothing.
     */
    void (*on_reload)(void *payload);
    /**
     * What it is called with.
     */
    void *on_reload_payload;
};

/**
 * Numbers about the blocks of one type.
 */
struct reftable_block_stats {
    /**
     * Records.
     */
    int entries;
    /**
     * Records whose key is written in full.
     */
    uint32_t restarts;
    /**
     * Blocks.
     */
    int blocks;
    /**
     * Blocks of the section's index.
     */
    int index_blocks;
    /**
     * Levels of the section's index.
     */
    int max_index_level;
    /**
     * Position of the first block; 0 when there is none, or it is the first of the file.
     */
    uint64_t offset;
    /**
     * Position of the index; 0 when there is none.
     */
    uint64_t index_offset;
};

/**
 * Numbers about a table that is being written.
 */
struct reftable_stats {
    /**
     * Blocks of all types.
     */
    int blocks;
    /**
     * The refs.
     */
    struct reftable_block_stats ref_stats;
    /**
     * The objects that refs point at.
     */
    struct reftable_block_stats obj_stats;
    /**
     * Blocks of indexes.
     */
    struct reftable_block_stats idx_stats;
    /**
     * The reflog entries.
     */
    struct reftable_block_stats log_stats;
    /**
     * Bytes of the abbreviated ids in the object section.
     */
    int object_id_len;
};

/**
 * Which reflog entries a compaction drops.
 */
struct reftable_log_expiry_config {
    /**
     * Those older than this, in seconds since 1970; 0 for none.
     */
    uint64_t time;
    /**
     * Those with a lesser update index; 0 for none.
     */
    uint64_t min_update_index;
};

/**
 * What the compactions of a stack have done since it was opened.
 */
struct reftable_compaction_stats {
    /**
     * Bytes of the tables that were merged, without their footers.
     */
    uint64_t bytes;
    /**
     * Records that were written, also by compactions that failed afterwards.
     */
    uint64_t entries_written;
    /**
     * How many compactions were tried.
     */
    int attempts;
    /**
     * How many of them gave up because something was locked.
     */
    int failures;
};

/**
 * One thing that is wrong.
 */
struct reftable_fsck_info {
    /**
     * Which.
     */
    enum reftable_fsck_error error;
    /**
     * The same as a text.
     */
    const char *msg;
    /**
     * Name of the file.
     */
    const char *path;
};

#ifdef __cplusplus
extern "C" {
#endif /* __cplusplus */

/**
 * Sets the functions with which the library allocates everything that it hands out:
 * strings of records, buffers, and the objects themselves. Memory that no caller ever
 * sees is not allocated with them.
 *
 * NULL stands for the C library's function. Memory that was allocated before is given
 * back with the functions set now, so this is called once, before anything else.
 * `malloc_fn` and `realloc_fn` may return NULL: the call that needed the memory then
 * fails with `REFTABLE_OUT_OF_MEMORY_ERROR`. The functions must not call the library.
 */
void reftable_set_alloc(void *(*malloc_fn)(size_t),
                        void *(*realloc_fn)(void*, size_t),
                        void (*free_fn)(void*));

/**
 * A short text for an error number, in English, without a newline.
 *
 * Never NULL, and not to be freed. The text of a number that is not in
 * `enum reftable_error` is valid until the same thread asks for another one.
 */
const char *reftable_error_str(int err);

/**
 * The object id of a `REFTABLE_REF_VAL1` or `REFTABLE_REF_VAL2` record, inside of the
 * record; NULL for other records, and for NULL.
 */
const unsigned char *reftable_ref_record_val1(const struct reftable_ref_record *record);

/**
 * The peeled object id of a `REFTABLE_REF_VAL2` record, inside of the record; NULL for
 * other records, and for NULL.
 */
const unsigned char *reftable_ref_record_val2(const struct reftable_ref_record *record);

/**
 * 1 if the record says that the ref is deleted, else 0; 0 for NULL.
 */
int reftable_ref_record_is_deletion(const struct reftable_ref_record *record);

/**
 * Frees the strings of a record and fills it with zeros. NULL, and a record that is
 * zero-filled already, are fine.
 */
void reftable_ref_record_release(struct reftable_ref_record *record);

/**
 * 1 if both records say the same, else 0. A missing name equals an empty one. Of ids,
 * the first `hash_size` bytes are compared, at most `REFTABLE_HASH_SIZE_MAX`.
 */
int reftable_ref_record_equal(const struct reftable_ref_record *a,
                              const struct reftable_ref_record *b,
                              uint32_t hash_size);

/**
 * 1 if the record only hides older ones, else 0; 0 for NULL.
 */
int reftable_log_record_is_deletion(const struct reftable_log_record *record);

/**
 * Frees the strings of a record and fills it with zeros. NULL, and a record that is
 * zero-filled already, are fine.
 */
void reftable_log_record_release(struct reftable_log_record *record);

/**
 * 1 if both records say the same, else 0. A missing string equals an empty one. Of ids,
 * the first `hash_size` bytes are compared, at most `REFTABLE_HASH_SIZE_MAX`.
 */
int reftable_log_record_equal(const struct reftable_log_record *a,
                              const struct reftable_log_record *b,
                              uint32_t hash_size);

/**
 * Positions an iterator over refs: the next one read is the first whose name is not less
 * than `name`; all of them, if it is the empty string.
 *
 * Returns 0, also when there is no such ref; 1 when a table with an index has none;
 * `REFTABLE_API_ERROR` for an iterator over logs, for one that cannot be positioned (over
 * the refs of an object, by way of the object section), a zero-filled one or NULL;
 * `REFTABLE_FORMAT_ERROR` and other errors of reading.
 */
int reftable_iterator_seek_ref(struct reftable_iterator *it, const char *name);

/**
 * Reads the next ref into `record`, reusing the memory of its strings; a record that is
 * read into the first time is zero-filled.
 *
 * Returns 0; 1 at the end, and the record is what it was; `REFTABLE_API_ERROR` for an
 * iterator over logs, for one over a table that was not positioned, a zero-filled one or
 * NULL; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_FORMAT_ERROR` and other errors of
 * reading. Whatever it returns, the record can be released or read into again.
 */
int reftable_iterator_next_ref(struct reftable_iterator *it,
                               struct reftable_ref_record *record);

/**
 * Positions an iterator over logs: the next entry read is the newest of `name` whose
 * update index is at most `update_index`, or else the first of the names that follow.
 *
 * Returns what `reftable_iterator_seek_ref()` does, and `REFTABLE_ZLIB_ERROR` when a
 * block cannot be inflated.
 */
int reftable_iterator_seek_log_at(struct reftable_iterator *it,
                                  const char *name,
                                  uint64_t update_index);

/**
 * Positions an iterator over logs at the newest entry of `name`; see
 * `reftable_iterator_seek_log_at()`.
 */
int reftable_iterator_seek_log(struct reftable_iterator *it, const char *name);

/**
 * Reads the next entry into `record`: by name, and for each name the newest first.
 *
 * Returns what `reftable_iterator_next_ref()` does, and `REFTABLE_ZLIB_ERROR` when a
 * block cannot be inflated.
 */
int reftable_iterator_next_log(struct reftable_iterator *it,
                               struct reftable_log_record *record);

/**
 * Frees what an iterator holds and fills it with zeros. NULL, and a zero-filled
 * iterator, are fine.
 */
void reftable_iterator_destroy(struct reftable_iterator *it);

/**
 * Reads the block at `offset` of `source` into `b`, which is zero-filled or holds a
 * block that is released first.
 *
 * `header_size` is the length of the file's header for a block at offset 0 (24 or 28),
 * else 0. `table_block_size` is the block size that the file's header names, or 0;
 * `hash_size` the length of object ids; `want_type` the type that the block must have, or
 * `REFTABLE_BLOCK_TYPE_ANY`.
 *
 * Returns 0; 1 when the block is of another type; `REFTABLE_FORMAT_ERROR` for bytes that
 * are no block; `REFTABLE_ZLIB_ERROR` when it cannot be inflated; what the source's
 * `read_data` returned, when that is negative; `REFTABLE_OUT_OF_MEMORY_ERROR`;
 * `REFTABLE_API_ERROR` for NULL. After an error nothing is left to be released; after
 * 0 or 1 the block must be.
 */
int reftable_block_init(struct reftable_block *b,
                        struct reftable_block_source *source,
                        uint32_t offset,
                        uint32_t header_size,
                        uint32_t table_block_size,
                        uint32_t hash_size,
                        uint8_t want_type);

/**
 * Gives back what a block holds and fills it with zeros. NULL, and a zero-filled block,
 * are fine. Not for blocks that a table iterator gave.
 */
void reftable_block_release(struct reftable_block *b);

/**
 * Makes an iterator over the records of a block, which stands before the first of them.
 * The block must stay as it is for as long as the iterator is used.
 *
 * Refs are read with `reftable_iterator_next_ref()`, logs with
 * `reftable_iterator_next_log()`; records of other blocks cannot be read. Update indexes
 * of refs count from the least one of the table, which a block does not know.
 *
 * Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL, a block that
 * is zero-filled, or an iterator that is in use.
 */
int reftable_block_init_iterator(const struct reftable_block *b,
                                 struct reftable_iterator *it);

/**
 * What the block holds: one of `REFTABLE_BLOCK_TYPE_*`; 0 for NULL or a zero-filled block.
 */
uint8_t reftable_block_type(const struct reftable_block *b);

/**
 * Puts the key of the block's first record into `key`, in place of what is in it. Keys
 * are names for refs; for logs a name, a NUL and the inverted update index, 8 bytes,
 * big-endian. The caller frees `key->buf`; see `struct reftable_buf`.
 *
 * Returns 0; `REFTABLE_FORMAT_ERROR`; `REFTABLE_OUT_OF_MEMORY_ERROR`;
 * `REFTABLE_API_ERROR` for NULL or a zero-filled block.
 */
int reftable_block_first_key(const struct reftable_block *b, struct reftable_buf *key);

/**
 * Opens the file `name` as a source. `block_src` must be zero-filled; a table that is
 * opened with it takes it over and closes it.
 *
 * Returns 0; `REFTABLE_NOT_EXIST_ERROR` when there is no such file; -1 when it cannot
 * be opened for another reason; `REFTABLE_IO_ERROR` when it cannot be read or is not a
 * regular file; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` when an argument is
 * NULL or `block_src` is in use.
 */
int reftable_block_source_from_file(struct reftable_block_source *block_src,
                                    const char *name);

/**
 * Opens the table in `src` and stores it in `*out`. `name` is what the table is called,
 * the name of its file usually; it is copied.
 *
 * The source goes over to the table, which closes it in the end; if opening fails it is
 * closed at once. The whole content is read now.
 *
 * Returns 0; `REFTABLE_FORMAT_ERROR` when it is no table; `REFTABLE_IO_ERROR` when the
 * source fails to read; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL.
 */
int reftable_table_new(struct reftable_table **out,
                       struct reftable_block_source *src,
                       const char *name);

/**
 * Counts one more user of a table: it stays open until all have given it back.
 */
void reftable_table_incref(struct reftable_table *table);

/**
 * Gives a table back. When nobody else uses it, it is closed and freed. NULL is fine.
 */
void reftable_table_decref(struct reftable_table *table);

/**
 * Makes an iterator over the refs of a table, deletions included. It must be positioned
 * before it is read.
 *
 * Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an
 * iterator that is in use.
 */
int reftable_table_init_ref_iterator(struct reftable_table *t,
                                     struct reftable_iterator *it);

/**
 * Makes an iterator over the reflog entries of a table, deletions included. It must be
 * positioned before it is read.
 *
 * Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an
 * iterator that is in use.
 */
int reftable_table_init_log_iterator(struct reftable_table *t,
                                     struct reftable_iterator *it);

/**
 * The hash function of the object ids; 0 for NULL.
 */
enum reftable_hash reftable_table_hash_id(struct reftable_table *t);

/**
 * Makes an iterator over the refs that point at the object `oid`, directly or peeled, in
 * order of their names. `oid` has as many bytes as the table's hash. It is read without
 * being positioned.
 *
 * When the table has an object section, that is asked which blocks to look at; update
 * indexes of the refs then count from the least one of the table, and the iterator cannot
 * be positioned.
 *
 * Returns 0, also when there is no such ref; 1 when the object section has an index and
 * ends before the object, and the iterator is empty; `REFTABLE_FORMAT_ERROR`;
 * `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an iterator that is in
 * use.
 */
int reftable_table_refs_for(struct reftable_table *t,
                            struct reftable_iterator *it,
                            uint8_t *oid);

/**
 * The greatest update index of a table; 0 for NULL.
 */
uint64_t reftable_table_max_update_index(struct reftable_table *t);

/**
 * The least update index of a table; 0 for NULL.
 */
uint64_t reftable_table_min_update_index(struct reftable_table *t);

/**
 * Makes an iterator over all blocks of a table, in the order of the file. `it` need not
 * be zero-filled. The table stays open until the iterator is released.
 *
 * Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL.
 */
int reftable_table_iterator_init(struct reftable_table_iterator *it,
                                 struct reftable_table *t);

/**
 * Frees what the iterator holds, the block that it gave last included. NULL, and a
 * zero-filled iterator, are fine.
 */
void reftable_table_iterator_release(struct reftable_table_iterator *it);

/**
 * Reads the next block and stores it in `*out`: it is valid until the next call.
 *
 * Returns 0; 1 at the end; errors as `reftable_block_init()`; `REFTABLE_API_ERROR` for
 * NULL or a zero-filled iterator. After 1 or an error there is no block in `*out`.
 */
int reftable_table_iterator_next(struct reftable_table_iterator *it,
                                 const struct reftable_block **out);

/**
 * Makes one view of `n` tables, the oldest first, and stores it in `*dest`.
 *
 * The tables stay the caller's: they must not be closed before the view is freed. The
 * array is copied. The view shows deletions, as records.
 *
 * Returns 0; `REFTABLE_FORMAT_ERROR` when a table is not of the hash function `hash_id`;
 * `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL (`tables` may be NULL when
 * `n` is 0).
 */
int reftable_merged_table_new(struct reftable_merged_table **dest,
                              struct reftable_table **tables,
                              size_t n,
                              enum reftable_hash hash_id);

/**
 * Makes an iterator over the refs of a view. It must be positioned before it is read;
 * before that it gives nothing.
 *
 * Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an
 * iterator that is in use.
 */
int reftable_merged_table_init_ref_iterator(struct reftable_merged_table *mt,
                                            struct reftable_iterator *it);

/**
 * Makes an iterator over the reflog entries of a view. It must be positioned before it
 * is read; before that it gives nothing.
 *
 * Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an
 * iterator that is in use.
 */
int reftable_merged_table_init_log_iterator(struct reftable_merged_table *mt,
                                            struct reftable_iterator *it);

/**
 * The greatest update index of all tables; 0 when there are none, and for NULL.
 */
uint64_t reftable_merged_table_max_update_index(struct reftable_merged_table *mt);

/**
 * The least update index of all tables; 0 when there are none, and for NULL.
 */
uint64_t reftable_merged_table_min_update_index(struct reftable_merged_table *mt);

/**
 * Frees a view that `reftable_merged_table_new()` made; its tables stay open. NULL is
 * fine.
 */
void reftable_merged_table_free(struct reftable_merged_table *m);

/**
 * The hash function of the tables; 0 for NULL.
 */
enum reftable_hash reftable_merged_table_hash_id(struct reftable_merged_table *m);

/**
 * Makes a writer and stores it in `*out`. It must be freed.
 *
 * `writer_func` is called with `writer_arg` and appends bytes to the file, all of them; a
 * negative number is an error, which the function that was called returns in turn.
 * `flush_func` makes the file durable; it is called once, when the table is complete.
 * `opts` is copied; NULL stands for options that are zero-filled.
 *
 * Returns 0; `REFTABLE_API_ERROR` when the block size is above 16777215, the hash function
 * is unknown, or another argument is NULL; `REFTABLE_OUT_OF_MEMORY_ERROR`.
 */
int reftable_writer_new(struct reftable_writer **out,
                        ssize_t (*writer_func)(void *arg, const void *data, size_t len),
                        int (*flush_func)(void *arg),
                        void *writer_arg,
                        const struct reftable_write_options *opts);

/**
 * Sets the least and the greatest update index of the table, both included. Without it
 * both are 0. A table for a stack begins at `reftable_stack_next_update_index()` or later.
 *
 * Returns 0; `REFTABLE_API_ERROR` once a record was added, or for NULL.
 */
int reftable_writer_set_limits(struct reftable_writer *w,
                               uint64_t min,
                               uint64_t max);

/**
 * Adds a ref, which stays the caller's and may be freed afterwards. Refs come in
 * ascending order of their names, compared byte by byte, and before all logs.
 *
 * Returns 0; `REFTABLE_API_ERROR` when the order is broken, the name is NULL or empty,
 * the update index is outside the limits, the kind of value is unknown or its string
 * NULL, the table is closed, or for NULL; `REFTABLE_ENTRY_TOO_BIG_ERROR` when the record
 * does not fit into a block; what `writer_func` returned, when that is negative. After an
 * error of `REFTABLE_API_ERROR` the table can be written on.
 */
int reftable_writer_add_ref(struct reftable_writer *w,
                            struct reftable_ref_record *record);

/**
 * Sorts the array of `n` refs, in place, and adds them one after another, up to the first
 * that fails. The strings of the records stay the caller's.
 *
 * Returns what `reftable_writer_add_ref()` does.
 */
int reftable_writer_add_refs(struct reftable_writer *w,
                             struct reftable_ref_record *refs,
                             size_t n);

/**
 * Adds a reflog entry, which stays the caller's. Entries come in ascending order of their
 * names, and for each name the one with the greatest update index first.
 *
 * The update index must not be above the limit; it may be below the least one, for an
 * entry can replace an older one. A deletion is not checked. Unless the options say that
 * messages are exact, a message must be one line; newlines at its end become one.
 *
 * Returns 0; `REFTABLE_API_ERROR` when the order is broken, the name is NULL or empty,
 * the update index is too great, the message has several lines, the table is closed, or
 * for NULL; `REFTABLE_ENTRY_TOO_BIG_ERROR`; what `writer_func` returned, when that is
 * negative.
 */
int reftable_writer_add_log(struct reftable_writer *w,
                            struct reftable_log_record *record);

/**
 * Sorts the array of `n` entries, in place, and adds them one after another, up to the
 * first that fails. The strings of the records stay the caller's.
 *
 * Returns what `reftable_writer_add_log()` does.
 */
int reftable_writer_add_logs(struct reftable_writer *w,
                             struct reftable_log_record *logs,
                             size_t n);

/**
 * Completes the table. Nothing can be added any more; statistics can still be asked for,
 * and the writer must still be freed.
 *
 * Returns 0; `REFTABLE_EMPTY_TABLE_ERROR` when there are no records (a header and a footer
 * were written all the same); `REFTABLE_IO_ERROR` when `flush_func` returned a negative
 * number; what `writer_func` returned, when that is negative; `REFTABLE_API_ERROR` when
 * the table is closed already, or for NULL.
 */
int reftable_writer_close(struct reftable_writer *w);

/**
 * Numbers about what was written so far: valid, and kept up to date, until the writer is
 * freed. NULL for NULL.
 */
const struct reftable_stats *reftable_writer_stats(struct reftable_writer *w);

/**
 * Frees a writer that `reftable_writer_new()` made. What was not closed is lost. NULL is
 * fine.
 */
void reftable_writer_free(struct reftable_writer *w);

/**
 * Opens the stack in the folder `dir` and stores it in `*dest`. A missing folder, or one
 * without a list of tables, is an empty stack. `opts` is copied; NULL stands for options
 * that are zero-filled.
 *
 * Returns 0; `REFTABLE_FORMAT_ERROR` when the list or a table is damaged, or of another
 * hash function; `REFTABLE_NOT_EXIST_ERROR` when a table is missing; `REFTABLE_IO_ERROR`;
 * `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an unknown hash
 * function. After an error `*dest` is NULL.
 */
int reftable_new_stack(struct reftable_stack **dest,
                       const char *dir,
                       const struct reftable_write_options *opts);

/**
 * The update index at which a new table begins: one more than the greatest of the newest
 * table, 1 for an empty stack. 0 for NULL.
 */
uint64_t reftable_stack_next_update_index(struct reftable_stack *st);

/**
 * Locks the stack for a change and stores the addition in `*dest`. It must be destroyed,
 * also after it was committed, and before the stack.
 *
 * `flags` is 0 or `REFTABLE_STACK_NEW_ADDITION_RELOAD`.
 *
 * Returns 0; `REFTABLE_LOCK_ERROR` when the lock is not to be had in the time that the
 * options allow; `REFTABLE_OUTDATED_ERROR` when the stack has changed since it was read,
 * unless the flags say to reload; errors of reloading; `REFTABLE_IO_ERROR`;
 * `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL. After an error `*dest` is
 * NULL.
 */
int reftable_stack_new_addition(struct reftable_addition **dest,
                                struct reftable_stack *st,
                                unsigned int flags);

/**
 * Writes a table by `write_table`, which is called once with a writer and `arg`. It sets
 * the limits, adds records and returns 0, or a negative number to give up. It does not
 * close or free the writer. It may use the stack, and open others on the same folder.
 *
 * A table without records is left out. Tables of one addition may have the same update
 * indexes; the later one is newer.
 *
 * Returns 0; what `write_table` returned, when that is negative; `REFTABLE_API_ERROR` when
 * the least update index of the table is below the stack's next one, the addition is over
 * or in use, or for NULL; errors of writing. After an error the addition can go on
 * without this table.
 */
int reftable_addition_add(struct reftable_addition *add,
                          int (*write_table)(struct reftable_writer *wr, void *arg),
                          void *arg);

/**
 * Publishes the tables of an addition, all at once, unlocks the stack and reloads it;
 * then compacts it, unless the options forbid that. Without tables, only unlocks. The
 * addition is over and must still be destroyed.
 *
 * Returns 0, also when it is over already; `REFTABLE_IO_ERROR` when the tables could not
 * be published, and the stack is as it was. An error of the compaction is returned though
 * the tables have been published, except that locks and changes of other processes do not
 * count. `REFTABLE_API_ERROR` for NULL or an addition in use.
 */
int reftable_addition_commit(struct reftable_addition *add);

/**
 * Frees an addition. What was not committed is removed, and the stack unlocked. NULL is
 * fine.
 */
void reftable_addition_destroy(struct reftable_addition *add);

/**
 * Adds one table: makes an addition with `flags`, adds to it with `write_table` and
 * `write_arg`, commits and destroys it.
 *
 * Returns what these three do. After `REFTABLE_OUTDATED_ERROR` the stack has been reloaded.
 */
int reftable_stack_add(struct reftable_stack *st,
                       int (*write_table)(struct reftable_writer *wr, void *write_arg),
                       void *write_arg,
                       unsigned int flags);

/**
 * Makes an iterator over the refs of a stack, without deleted ones. It must be positioned
 * before it is read; before that it gives nothing.
 *
 * Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an
 * iterator that is in use.
 */
int reftable_stack_init_ref_iterator(struct reftable_stack *st,
                                     struct reftable_iterator *it);

/**
 * Makes an iterator over the reflog entries of a stack, without deleted ones. It must be
 * positioned before it is read; before that it gives nothing.
 *
 * Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an
 * iterator that is in use.
 */
int reftable_stack_init_log_iterator(struct reftable_stack *st,
                                     struct reftable_iterator *it);

/**
 * The stack's tables as one. It belongs to the stack, always shows its current tables,
 * and must not be freed. NULL for NULL.
 */
struct reftable_merged_table *reftable_stack_merged_table(struct reftable_stack *st);

/**
 * Closes a stack, and removes those of its tables that others have replaced meanwhile.
 * Iterators over it can be used on. While a function of the library is at work on the stack,
 * or an addition to it is there, the stack is closed as soon as that is over. NULL is fine.
 */
void reftable_stack_destroy(struct reftable_stack *st);

/**
 * Reads the list of tables again if it has changed. Costs next to nothing otherwise.
 *
 * Returns 0; `REFTABLE_FORMAT_ERROR`, `REFTABLE_NOT_EXIST_ERROR` or `REFTABLE_IO_ERROR`,
 * and the stack shows what it showed before; `REFTABLE_API_ERROR` for NULL.
 */
int reftable_stack_reload(struct reftable_stack *st);

/**
 * Compacts all tables into one, without deletions, and without the reflog entries that
 * `config` names. NULL drops none, and then a single table is left as it is.
 *
 * Returns 0; `REFTABLE_LOCK_ERROR` when the stack or a table is locked;
 * `REFTABLE_OUTDATED_ERROR` when the stack has changed since it was read; errors of
 * reading and writing; `REFTABLE_API_ERROR` for NULL, or when a log message cannot be
 * written with the stack's options.
 */
int reftable_stack_compact_all(struct reftable_stack *st,
                               struct reftable_log_expiry_config *config);

/**
 * Stores in `*required` whether there is something to compact: with `use_heuristics`, by
 * the sizes of the tables, as `reftable_stack_auto_compact()` sees it; without, whenever
 * there are two or more.
 *
 * Returns 0; `REFTABLE_API_ERROR` for NULL.
 */
REFTABLE_WITH_BOOL
int reftable_stack_compaction_required(struct reftable_stack *st,
                                       bool use_heuristics,
                                       bool *required);

/**
 * Compacts those tables that are too small for the ones above them. Tables that another
 * process has locked, and older ones, are left out.
 *
 * Returns what `reftable_stack_compact_all()` does.
 */
int reftable_stack_auto_compact(struct reftable_stack *st);

/**
 * Removes tables that are in the folder but not in the list and cannot be of any use, and
 * temporary files of tables that are older than a day.
 *
 * Returns 0; errors as `reftable_stack_new_addition()` without flags.
 */
int reftable_stack_clean(struct reftable_stack *st);

/**
 * Reads the ref `refname` into `record`, which is zero-filled or was read into before.
 *
 * Returns 0; 1 when there is no such ref, and the record is zero-filled; errors as
 * `reftable_iterator_next_ref()`.
 */
int reftable_stack_read_ref(struct reftable_stack *st,
                            const char *refname,
                            struct reftable_ref_record *record);

/**
 * Reads the newest reflog entry of `refname` into `record`, which is zero-filled or was
 * read into before.
 *
 * Returns 0; 1 when there is none, and the record is zero-filled; errors as
 * `reftable_iterator_next_log()`, after which it is zero-filled, too.
 */
int reftable_stack_read_log(struct reftable_stack *st,
                            const char *refname,
                            struct reftable_log_record *record);

/**
 * What the compactions of a stack have done: valid, and kept up to date, until the stack
 * is destroyed. NULL for NULL.
 */
struct reftable_compaction_stats *reftable_stack_compaction_stats(struct reftable_stack *st);

/**
 * The hash function of the stack; 0 for NULL.
 */
enum reftable_hash reftable_stack_hash_id(struct reftable_stack *st);

/**
 * Checks the names of a stack's tables.
 *
 * `verbose_fn` is called with a line of text for each table, before it is checked; it may
 * be NULL. `report_fn` is called for each thing that is wrong; what it returns is part of
 * the result. Both get `cb_data`, and texts that are valid until they return.
 *
 * Returns 0 when nothing was wrong; the results of `report_fn`, by bitwise or;
 * `REFTABLE_API_ERROR` when `stack` or `report_fn` is NULL.
 */
int reftable_fsck_check(struct reftable_stack *stack,
                        reftable_fsck_report_fn report_fn,
                        reftable_fsck_verbose_fn verbose_fn,
                        void *cb_data);

#ifdef __cplusplus
}  /* extern "C" */
#endif  /* __cplusplus */

#endif  /* REFTABLE_H */
