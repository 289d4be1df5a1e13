/*
 * Sets refs in one transaction, with a reflog entry for each:
 *
 *     write-transaction .git/reftable MESSAGE REF ID [REF ID]...
 *
 * Either all refs are changed or none is. The objects need not exist.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common.h"

struct transaction {
	struct reftable_ref_record *refs;
	struct reftable_log_record *logs;
	size_t n;
	uint64_t index; /* of all its records */
};

/* Called to write the new table, while the stack is locked. */
static int write_table(struct reftable_writer *writer, void *arg)
{
	struct transaction *t = arg;
	int err = reftable_writer_set_limits(writer, t->index, t->index);

	/* These sort the arrays; a table needs its records in order. */
	err = err ? err : reftable_writer_add_refs(writer, t->refs, t->n);
	return err ? err : reftable_writer_add_logs(writer, t->logs, t->n);
}

/* Fills a record of a ref and one of its reflog. The caller keeps the strings. */
static int fill(struct transaction *t, size_t i, struct reftable_stack *stack, char **args)
{
	struct reftable_ref_record *ref = &t->refs[i], old;
	struct reftable_log_record *log = &t->logs[i];
	int err;

	ref->refname = log->refname = args[1 + 2 * i];
	ref->update_index = log->update_index = t->index;
	ref->value_type = REFTABLE_REF_VAL1;
	log->value_type = REFTABLE_LOG_UPDATE;
	log->value.update.name = (char *)"Example";
	log->value.update.email = (char *)"example@localhost";
	log->value.update.time = (uint64_t)time(NULL);
	log->value.update.message = args[0];
	memset(&old, 0, sizeof(old));
	/* 1 means that there is no such ref: its old id is all zeros. */
	err = reftable_stack_read_ref(stack, ref->refname, &old);
	if (!err && reftable_ref_record_val1(&old))
		memcpy(log->value.update.old_hash, old.value.val1, id_length(stack));
	reftable_ref_record_release(&old);
	if (err >= 0)
		err = read_id(ref->value.val1, args[2 + 2 * i], id_length(stack));
	memcpy(log->value.update.new_hash, ref->value.val1, sizeof(ref->value.val1));
	return err;
}

static int run(struct transaction *t, struct reftable_stack *stack, char **args)
{
	const struct reftable_write_options opts = writing();
	struct reftable_addition *addition = NULL;
	size_t i;
	/* Takes the lock, and reloads the stack if others have changed it. */
	unsigned flags = REFTABLE_STACK_NEW_ADDITION_RELOAD;
	int err = reftable_stack_new_addition(&addition, stack, &opts, flags);

	if (!err)
		t->index = reftable_stack_next_update_index(stack);
	for (i = 0; !err && i < t->n; i++)
		err = fill(t, i, stack, args);
	err = err ? err : reftable_addition_add(addition, write_table, t);
	err = err ? err : reftable_addition_commit(addition);
	/* Releases the lock; what has not been committed is dropped. */
	reftable_addition_destroy(addition);
	return err;
}

int main(int argc, char **argv)
{
	struct reftable_stack *stack = NULL;
	struct transaction t;
	int err;

	if (argc < 5 || argc % 2 == 0) {
		fprintf(stderr, "usage: %s DIRECTORY MESSAGE REF ID [REF ID]...\n", argv[0]);
		return 2;
	}
	t.n = (size_t)(argc - 3) / 2;
	t.refs = calloc(t.n, sizeof(*t.refs));
	t.logs = calloc(t.n, sizeof(*t.logs));
	err = t.refs && t.logs ? open_stack(&stack, argv[1]) : REFTABLE_OUT_OF_MEMORY_ERROR;
	if (!err)
		err = run(&t, stack, argv + 2);
	reftable_stack_destroy(stack);
	free(t.refs);
	free(t.logs);
	return finish(argv[1], err);
}
