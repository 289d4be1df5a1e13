/*
 * What the files of the benchmark share. They use only the public interface of the reftable
 * library, so that they can be linked with any library that has it.
 */
#ifndef BENCH_H
#define BENCH_H

#include "reftable/reftable-basics.h"
#include "reftable/reftable-blocksource.h"
#include "reftable/reftable-error.h"
#include "reftable/reftable-iterator.h"
#include "reftable/reftable-record.h"
#include "reftable/reftable-stack.h"
#include "reftable/reftable-table.h"
#include "reftable/reftable-writer.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct workload;

/* One run of one workload. */
struct bench {
	const struct workload *workload;
	const char *dir;      /* directory of the input and output */
	size_t size;          /* refs, log records or transactions */
	uint64_t seed;

	/* Opened before the measured part, closed after it. */
	struct reftable_table *table;
	struct reftable_stack *stack;
	struct reftable_iterator it;
	int fd;
	int keep_tables;      /* no compaction of tables that are added to the stack */

	/* The results. */
	uint64_t units;       /* amount of work in the measured part */
	uint64_t checksum;    /* checksum of the data read or written */
};

struct workload {
	const char *name;
	void (*prepare)(struct bench *);  /* writes the input, in another process */
	void (*open)(struct bench *);
	void (*run)(struct bench *);      /* the measured part */
	void (*finish)(struct bench *);   /* closes, and reads the output back */
	unsigned tables;                  /* tables of the stack; 0: a single table, no stack */
	unsigned no_objects : 1;          /* without the section of object ids */
};

/* Refs and reflog entries made from numbers (data.c). */

/* "refs/heads/dir00000/branch000", for numbers below 100,000,000. */
#define NAME_LEN 29
/* A name that is looked up without success has one byte more. */
#define NAME_MAX_LEN (NAME_LEN + 2)
/* Reflog entries per ref. */
#define LOGS_PER_REF 200

void name_of(char *out, size_t number);
void missing_name(char *out, size_t number);
void id_of(unsigned char *out, uint64_t seed, size_t number);
/* The COUNTth number of a random sequence, below LIMIT. */
size_t pick(uint64_t seed, size_t count, size_t limit);
void make_ref(struct reftable_ref_record *rec, char *name, uint64_t seed,
	      size_t number, uint64_t update_index);
void make_log(struct reftable_log_record *rec, char *name, uint64_t seed,
	      size_t number, uint64_t update_index);
/* Cheap checksums that differ if records are lost, added, or out of order. */
uint64_t add_ref(uint64_t sum, const struct reftable_ref_record *rec);
uint64_t add_log(uint64_t sum, const struct reftable_log_record *rec);

/* The calls whose parameters depend on the release of the library (calls.c). */

void new_writer(struct bench *b, struct reftable_writer **w,
		ssize_t (*write)(void *, const void *, size_t), int (*flush)(void *));
/* Opens the stack in the directory of B. */
void new_stack(struct bench *b);
void add_table(struct bench *b, int (*write)(struct reftable_writer *, void *), void *arg);
void compact_tables(struct bench *b);

/* Tables and stacks for the workloads (input.c). */

/* Ends the process with a message if ERR is an error code. */
void check(int err, const char *what);
/* The same for system calls, with errno. */
void check_system(int failed, const char *what);
void path_in(char *out, size_t size, const char *dir, const char *name);
/* Writes refs FIRST, FIRST + STEP, … below SIZE. */
int write_refs(struct reftable_writer *w, const struct bench *b, size_t first,
	       size_t step, uint64_t update_index);
int write_logs(struct reftable_writer *w, const struct bench *b);
/* Writes the file table.ref with WRITE, keeping the descriptor in B. */
void write_table(struct bench *b,
		 int (*write)(struct reftable_writer *, const struct bench *));
int all_refs(struct reftable_writer *w, const struct bench *b);
void prepare_ref_table(struct bench *b);
void prepare_log_table(struct bench *b);
void prepare_stack(struct bench *b);
void open_table(struct bench *b);
void open_stack(struct bench *b);
void close_all(struct bench *b);
/* Adds all refs of the stack, or all bytes of table.ref, to the checksum. */
void sum_stack(struct bench *b);
void sum_file(struct bench *b);

/* The measured parts (reads.c, writes.c). */

void open_refs(struct bench *b);
void open_logs(struct bench *b);
void iterate_refs(struct bench *b);
void look_up_hits(struct bench *b);
void look_up_misses(struct bench *b);
void look_up_in_order(struct bench *b);
void iterate_logs(struct bench *b);
void read_logs(struct bench *b);
void refs_by_id(struct bench *b);
void open_and_read(struct bench *b);

void create_table(struct bench *b);
void write_ref_table(struct bench *b);
void write_log_table(struct bench *b);
void finish_ref_table(struct bench *b);
void finish_log_table(struct bench *b);
void one_ref_transactions(struct bench *b);
void compact_stack(struct bench *b);
void finish_stack(struct bench *b);

#endif
