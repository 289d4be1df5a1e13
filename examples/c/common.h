/* Shared by the examples. */
#ifndef EXAMPLES_COMMON_H
#define EXAMPLES_COMMON_H

#include <reftable.h>

/*
 * Opens the stack of tables in a directory, with the hash function of the tables. Its
 * iterators do not return deletions.
 * Returns 0 or a negative error; on success the caller destroys the stack.
 */
int open_stack(struct reftable_stack **stack, const char *directory);

/* Options for changing a stack: waits for the lock, as git does by default. */
struct reftable_write_options writing(void);

/* The length of the object ids in the tables of a stack. */
size_t id_length(struct reftable_stack *stack);

/* Writes an object id in hexadecimal and a space to standard output. */
void print_id(const unsigned char *id, size_t length);

/* Reads an object id of that many bytes; anything else is an error. */
int read_id(unsigned char *id, const char *hex, size_t length);

/* Reports what went wrong with a file, if anything; returns the exit status. */
int finish(const char *file, int err);

#endif
