/*
 * Prints the reflog of a ref, newest entry first:
 *
 *     read-reflog .git/reftable refs/heads/main
 *
 * The lines have the format of a file in .git/logs: old id, new id, name, email,
 * time and time zone, then a tab and the message. A ref without entries prints
 * nothing.
 */
#include <stdio.h>
#include <string.h>

/* The names of git's own headers work as well. */
#include <reftable/reftable-iterator.h>
#include <reftable/reftable-stack.h>

#include "common.h"

static void print_entry(const struct reftable_log_record *log, size_t id_len)
{
	const char *message = log->value.update.message;
	int len = (int)strcspn(message, "\n");

	print_id(log->value.update.old_hash, id_len);
	print_id(log->value.update.new_hash, id_len);
	/* The time zone is stored as ±hhmm in decimal: -130 is `-0130`. */
	printf("%s <%s> %lu %+05d", log->value.update.name, log->value.update.email,
	       (unsigned long)log->value.update.time, (int)log->value.update.tz_offset);
	/* Messages end with a newline and may be empty otherwise. */
	if (len)
		printf("\t%.*s", len, message);
	putchar('\n');
}

static int print_log(struct reftable_stack *stack, const char *refname)
{
	struct reftable_iterator it;
	struct reftable_log_record log;
	int err;

	memset(&it, 0, sizeof(it));
	memset(&log, 0, sizeof(log));
	err = reftable_stack_init_log_iterator(stack, &it);
	/* Entries are sorted by name, and for each name newest first. */
	if (!err)
		err = reftable_iterator_seek_log(&it, refname);
	while (!err) {
		err = reftable_iterator_next_log(&it, &log);
		if (err || strcmp(log.refname, refname))
			break;
		print_entry(&log, id_length(stack));
	}
	reftable_log_record_release(&log);
	reftable_iterator_destroy(&it);
	return err < 0 ? err : 0;
}

int main(int argc, char **argv)
{
	struct reftable_stack *stack = NULL;
	int err;

	if (argc != 3) {
		fprintf(stderr, "usage: %s DIRECTORY REF\n", argv[0]);
		return 2;
	}
	err = open_stack(&stack, argv[1]);
	if (!err)
		err = print_log(stack, argv[2]);
	reftable_stack_destroy(stack);
	return finish(argv[1], err);
}
