/*
 * Adds tables to the stack in DIR through git's C library, for ever and without a pause.
 *
 * usage: tight-writer DIR
 */
#include "git-compat-util.h"
#include "reftable/reftable-error.h"
#include "reftable/reftable-stack.h"
#include "reftable/reftable-writer.h"

static int write_ref(struct reftable_writer *writer, void *stack)
{
	uint64_t index = reftable_stack_next_update_index(stack);
	struct reftable_ref_record ref = {
		.refname = (char *)"refs/heads/tight",
		.value_type = REFTABLE_REF_VAL1,
		.update_index = index,
		.value.val1 = { 1 },
	};
	int err = reftable_writer_set_limits(writer, index, index);

	return err ? err : reftable_writer_add_ref(writer, &ref);
}

int cmd_main(int argc, const char **argv)
{
	struct reftable_write_options options = { .lock_timeout_ms = 100 };
	struct reftable_stack *stack;

	if (argc != 2 || reftable_new_stack(&stack, argv[1], &options))
		die("usage: tight-writer DIR");
	for (;;) {
		int err = reftable_stack_add(stack, write_ref, stack, 0);

		if (err == REFTABLE_OUTDATED_ERROR)
			err = reftable_stack_reload(stack);
		if (err && err != REFTABLE_LOCK_ERROR)
			die("%s", reftable_error_str(err));
	}
}
