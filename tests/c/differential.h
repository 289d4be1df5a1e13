/* The parts of the differential program. */
#ifndef DIFFERENTIAL_H
#define DIFFERENTIAL_H

#include "support.h"

/* ---- diff-generate.c: derived from a seed; the same on all machines ---- */

void random_seed(uint64_t seed);
/* From 0 to limit - 1. */
unsigned random_below(unsigned limit);
/* True `percent` times out of 100. */
int random_chance(unsigned percent);

/* Makes our library write the same bytes as upstream's. */
#ifdef REFTABLE_UPSTREAM
#define WRITE_AS_UPSTREAM(options) ((void)(options))
#else
#define WRITE_AS_UPSTREAM(options) ((options).git_layout = 1)
#endif

struct options random_options(int with_logs);
/* A name that is valid for the case; `reuse` percent of them are among the last ones. */
const char *random_name(unsigned reuse);
struct reftable_ref_record random_ref(const char *name, uint64_t update_index);
struct reftable_log_record random_log(const char *name, uint64_t update_index, int exact);

/* Sorted arrays without duplicate keys. */
struct records {
	struct reftable_ref_record *refs;
	size_t ref_count;
	struct reftable_log_record *logs;
	size_t log_count;
};
/* Up to this number of records, with update indexes from min to max. */
struct records random_records(size_t refs, size_t logs, uint64_t min, uint64_t max, int exact);
void shuffle_records(struct records *records);
void free_records(struct records *records);
/* Ends the case: frees all names. */
void forget_names(void);

/* ---- diff-print.c ---- */

extern int verbose;
/* Whether the output may depend on how the blocks of logs were deflated. */
extern int has_logs;
/* Whether stacks have no logs: compaction depends on the sizes of tables. */
extern int no_logs_in_stacks;

/*
 * Details go into a checksum, and are printed only on request; the end of a group prints their
 * number and the checksum.
 */
void detail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void end_details(const char *group);
void detail_bytes(const char *what, const void *bytes, size_t len);

/* Prints a line, which starts with "z " when there are logs. */
void print_size(const char *format, ...) __attribute__((format(printf, 1, 2)));
void detail_ref(const struct reftable_ref_record *ref, uint32_t hash_size);
void detail_log(const struct reftable_log_record *log, uint32_t hash_size);
void print_stats(const struct reftable_stats *stats);
void print_table(const struct reftable_table *table);
/* All records of the iterator after the seek, to the end or to `limit`; destroys it. */
void walk_refs(const char *what, int err, struct reftable_iterator *it, const char *from, int limit,
	       uint32_t hash_size);
void walk_logs(const char *what, int err, struct reftable_iterator *it, const char *from,
	       uint64_t update_index, int limit, uint32_t hash_size);

/* ---- the cases ---- */

void case_table(void);
void case_refused_records(void);
void case_merged(void);
void case_stack(void);

#endif
