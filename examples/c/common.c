/* Shared by the examples. */
#include <stdio.h>
#include <string.h>

#include "common.h"

int open_stack(struct reftable_stack **stack, const char *directory)
{
	struct reftable_stack_options opts;
	int err;

	/* Zero means the default. */
	memset(&opts, 0, sizeof(opts));
	opts.suppress_deletions = 1;
	opts.hash_id = REFTABLE_HASH_SHA1;
	err = reftable_new_stack(stack, directory, &opts);
	if (err == REFTABLE_FORMAT_ERROR) {
		opts.hash_id = REFTABLE_HASH_SHA256;
		err = reftable_new_stack(stack, directory, &opts);
	}
	return err;
}

struct reftable_write_options writing(void)
{
	struct reftable_write_options opts;

	memset(&opts, 0, sizeof(opts));
	opts.lock_timeout_ms = 100;
	return opts;
}

size_t id_length(struct reftable_stack *stack)
{
	return reftable_stack_hash_id(stack) == REFTABLE_HASH_SHA256 ?
		       REFTABLE_HASH_SIZE_SHA256 :
		       REFTABLE_HASH_SIZE_SHA1;
}

void print_id(const unsigned char *id, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		printf("%02x", (unsigned)id[i]);
	putchar(' ');
}

int read_id(unsigned char *id, const char *hex, size_t length)
{
	unsigned byte;
	size_t i;

	if (strlen(hex) != 2 * length || strspn(hex, "0123456789abcdef") != 2 * length)
		return REFTABLE_API_ERROR;
	for (i = 0; i < length && sscanf(hex + 2 * i, "%2x", &byte) == 1; i++)
		id[i] = (unsigned char)byte;
	return 0;
}

int finish(const char *file, int err)
{
	if (err) {
		fprintf(stderr, "%s: %s\n", file, reftable_error_str(err));
		return 1;
	}
	if (fflush(stdout) || ferror(stdout)) {
		perror("standard output");
		return 1;
	}
	return 0;
}
