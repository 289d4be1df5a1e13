/*
 * What the test programs share: memory to write to and to read from, an allocator that counts and
 * fails, directories, and records.
 */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "reftable/reftable-basics.h"
#include "reftable/reftable-blocksource.h"
#include "reftable/reftable-error.h"
#include "reftable/reftable-stack.h"
#include "reftable/reftable-table.h"
#include "reftable/reftable-writer.h"

#include "shape.h"

/* ---- buffer.c: a table in memory ---- */

/*
 * The counters count calls. The call whose number (from 1) is in a `..._at` member fails; 0 means
 * none. Zeroed, it is empty.
 */
struct buffer {
	unsigned char *bytes;
	size_t len, cap;

	int writes, flushes;
	int fail_write_at, fail_flush_at;
	ssize_t error; /* what a failed call returns */

	int reads, closes;
	int fail_read_at, short_read_at;
	int lent; /* data that was handed out and not released */
};

ssize_t buffer_write(void *buffer, const void *bytes, size_t len);
int buffer_flush(void *buffer);
void buffer_source(struct reftable_block_source *source, struct buffer *buffer);
void buffer_release(struct buffer *buffer);

/* A table with these records, whose limits include them all; exits on failure. */
void buffer_table(struct buffer *buffer, const struct reftable_write_options *options,
		  struct reftable_ref_record *refs, size_t ref_count,
		  struct reftable_log_record *logs, size_t log_count);
struct reftable_table *buffer_open(struct buffer *buffer, const char *name);

/* ---- allocator.c: hooks for reftable_set_alloc() ---- */

/* Makes the library use hooks that count, and mark their memory. */
void allocator_install(void);
/* Allocation number `n` from now on (from 0) fails, and all later ones if `all` is set. */
void allocator_fail_at(long n, int all);
/* No more allocations fail. */
void allocator_recover(void);
/* Whether the allocation that was to fail was requested. */
int allocator_has_failed(void);
/* Allocations that have not been freed. */
long allocator_live(void);
/* All allocations so far. */
long allocator_calls(void);
/* Whether the memory came from the hooks. */
int allocator_owns(const void *memory);
char *allocator_strdup(const char *text);
void allocator_free(void *memory);

/* ---- directory.c ---- */

/* A new empty directory; directory_remove() also frees the name. */
char *directory_new(void);
void directory_remove(char *directory);
/* "DIRECTORY/NAME", to be freed. */
char *directory_path(const char *directory, const char *name);
/* Names, permissions, sizes and checksums of all files, sorted; to be freed. */
char *directory_snapshot(const char *directory);
int directory_count(const char *directory, const char *suffix);
int directory_has(const char *directory, const char *name);
/* The contents followed by a NUL, to be freed; NULL if there is no such file. */
char *directory_read(const char *directory, const char *name, size_t *len);
void directory_write(const char *directory, const char *name, const void *bytes, size_t len);
void directory_delete(const char *directory, const char *name);
uint64_t digest(const void *bytes, size_t len);

/* ---- records.c ---- */

/* Fills an id with bytes derived from the seed. */
void make_id(unsigned char *id, unsigned seed);
struct reftable_ref_record make_deletion(const char *name, uint64_t update_index);
struct reftable_ref_record make_val1(const char *name, uint64_t update_index, unsigned seed);
struct reftable_ref_record make_val2(const char *name, uint64_t update_index, unsigned seed);
struct reftable_ref_record make_symref(const char *name, uint64_t update_index, const char *to);
struct reftable_log_record make_log(const char *name, uint64_t update_index, const char *message);
struct reftable_log_record make_log_deletion(const char *name, uint64_t update_index);

/* Names "refs/heads/branch-0000" and so on, valid until the program ends. */
const char *branch_name(unsigned number);
/* `count` records of the branches from 0 on, of all four kinds; to be freed. */
struct reftable_ref_record *make_branches(size_t count, uint64_t update_index);
struct reftable_log_record *make_branch_logs(size_t count, uint64_t update_index);

/* What write_batch() writes: limits, unless both are 0, then the records. */
struct batch {
	uint64_t min, max;
	struct reftable_ref_record *refs;
	size_t ref_count;
	struct reftable_log_record *logs;
	size_t log_count;
	int result; /* returned on success */
};

int write_batch(struct reftable_writer *writer, void *batch);
/* One table with one record at the stack's next update index. */
int add_ref(struct reftable_stack *stack, const char *name, unsigned seed);
int add_log(struct reftable_stack *stack, const char *name, const char *message);
/* The first byte of the ref's id, 0 if the ref does not exist, or a negative error. */
int read_seed(struct reftable_stack *stack, const char *name);

#endif
