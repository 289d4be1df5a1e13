/* Opening stacks and creating writers, in either shape of the C API. */
#include "shape.h"

const struct reftable_write_options *write_options;

#ifdef REFTABLE_CAPI_2_55

static struct reftable_write_options all_of(const struct options *options)
{
	struct reftable_write_options all = options->write;

	all.hash_id = options->hash_id;
	all.on_reload = options->on_reload;
	all.on_reload_payload = options->on_reload_payload;
	return all;
}

int open_stack_with(struct reftable_stack **stack, const char *directory,
		    const struct options *options)
{
	struct reftable_write_options all;

	if (!options)
		return reftable_new_stack(stack, directory, NULL);
	all = all_of(options);
	return reftable_new_stack(stack, directory, &all);
}

int make_writer(struct reftable_writer **writer, ssize_t (*write)(void *, const void *, size_t),
		int (*flush)(void *), void *arg, enum reftable_hash hash_id,
		const struct reftable_write_options *options)
{
	struct reftable_write_options all = { 0 };

	if (!options && !hash_id)
		return reftable_writer_new(writer, write, flush, arg, NULL);
	if (options)
		all = *options;
	all.hash_id = hash_id;
	return reftable_writer_new(writer, write, flush, arg, &all);
}

#else

int open_stack_with(struct reftable_stack **stack, const char *directory,
		    const struct options *options)
{
	struct reftable_stack_options opening = { .suppress_deletions = 1 };

	if (options) {
		opening.hash_id = options->hash_id;
		opening.on_reload = options->on_reload;
		opening.on_reload_payload = options->on_reload_payload;
		opening.suppress_deletions = !options->show_deletions;
	}
	return reftable_new_stack(stack, directory, &opening);
}

int make_writer(struct reftable_writer **writer, ssize_t (*write)(void *, const void *, size_t),
		int (*flush)(void *), void *arg, enum reftable_hash hash_id,
		const struct reftable_write_options *options)
{
	return reftable_writer_new(writer, write, flush, arg, hash_id, options);
}

#endif

int make_stack(struct reftable_stack **stack, const char *directory, const struct options *options)
{
	static struct reftable_write_options latest;

	if (options) {
		latest = options->write;
		write_options = &latest;
	}
	return open_stack_with(stack, directory, options);
}
