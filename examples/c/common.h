/* What the examples share. */
#ifndef EXAMPLES_COMMON_H
#define EXAMPLES_COMMON_H

#include <reftable.h>

/*
 * Opens the stack of tables in a folder, with the hash function that they use.
 * Returns 0, or a negative error; on success the caller destroys the stack.
 */
int open_stack(struct reftable_stack **stack, const char *folder);

/* The bytes of an object id in the tables of a stack. */
size_t id_length(struct reftable_stack *stack);

/* Writes an object id in hexadecimal, and a blank, to standard output. */
void print_id(const unsigned char *id, size_t length);

/* Reads an object id of that many bytes; an error when the text is anything else. */
int read_id(unsigned char *id, const char *hex, size_t length);

/* Says what went wrong with a file, if anything did; the exit status of the program. */
int finish(const char *file, int err);

#endif
