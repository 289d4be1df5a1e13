/*
 * A library that uses the C API in one shape, SHAPE_2_55 or SHAPE_2_56, in a function USE that
 * fails unless everything works.
 */
#include <string.h>

#include <reftable.h>

static int reloads;

static void count(void *payload)
{
	reloads += *(int *)payload;
}

static int write_ref(struct reftable_writer *writer, void *stack)
{
	uint64_t index = reftable_stack_next_update_index(stack);
	struct reftable_ref_record ref;

	memset(&ref, 0, sizeof(ref));
	ref.refname = (char *)"refs/heads/a";
	ref.update_index = index;
	ref.value_type = REFTABLE_REF_VAL1;
	return reftable_writer_set_limits(writer, index, index) || reftable_writer_add_ref(writer, &ref);
}

int USE(const char *directory)
{
	struct reftable_stack *stack = NULL;
	int one = 1, err;
#ifdef SHAPE_2_55
	struct reftable_write_options options;
#else
	struct reftable_stack_options options;
#endif

	memset(&options, 0, sizeof(options));
	options.hash_id = REFTABLE_HASH_SHA256;
	options.on_reload = count;
	options.on_reload_payload = &one;
	err = reftable_new_stack(&stack, directory, &options);
	if (err || reloads != 1 || reftable_stack_hash_id(stack) != REFTABLE_HASH_SHA256)
		return 1;
#ifdef SHAPE_2_55
	err = reftable_stack_add(stack, write_ref, stack, 0);
#else
	err = reftable_stack_add(stack, write_ref, stack, NULL, 0);
#endif
	reftable_stack_destroy(stack);
	return err || reloads < 2;
}
