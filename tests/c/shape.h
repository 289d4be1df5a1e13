/*
 * The C API as in git 2.56, also on top of that of git 2.55 (if REFTABLE_CAPI_2_55 is defined),
 * so that the tests are the same for both.
 */
#ifndef SHAPE_H
#define SHAPE_H

#include "reftable/reftable-stack.h"
#include "reftable/reftable-writer.h"

/* All options of a stack; `write` are those for changing it. */
struct options {
	enum reftable_hash hash_id;
	void (*on_reload)(void *payload);
	void *on_reload_payload;
	int show_deletions; /* no effect in 2.55 */
	struct reftable_write_options write;
};

/*
 * The options for changing stacks, or NULL: in 2.55, those that the stack was opened with apply,
 * so a test that changes stacks with different options passes others explicitly.
 */
extern const struct reftable_write_options *write_options;

/* Opens a stack. The options, unless NULL, are also copied to `write_options`. */
int make_stack(struct reftable_stack **stack, const char *directory, const struct options *options);
/* The same without setting `write_options`. */
int open_stack_with(struct reftable_stack **stack, const char *directory,
		    const struct options *options);
int make_writer(struct reftable_writer **writer, ssize_t (*write)(void *, const void *, size_t),
		int (*flush)(void *), void *arg, enum reftable_hash hash_id,
		const struct reftable_write_options *options);

#ifdef REFTABLE_CAPI_2_55
#define reftable_stack_new_addition(addition, stack, opts, flags) \
	((void)(opts), reftable_stack_new_addition(addition, stack, flags))
#define reftable_stack_add(stack, write, arg, opts, flags) \
	((void)(opts), reftable_stack_add(stack, write, arg, flags))
#define reftable_stack_compact_all(stack, opts, config) \
	((void)(opts), reftable_stack_compact_all(stack, config))
#define reftable_stack_compaction_required(stack, opts, use_heuristics, required) \
	((void)(opts), reftable_stack_compaction_required(stack, use_heuristics, required))
#define reftable_stack_auto_compact(stack, opts) \
	((void)(opts), reftable_stack_auto_compact(stack))
#endif

#endif
