/*
 * Lists the refs of a repository that uses reftables:
 *
 *     list-refs .git/reftable [PREFIX]
 *
 * One line per ref, sorted by name: the object id and the name, for an
 * annotated tag with the id of the peeled object in between, or
 * `ref: TARGET NAME` for a symbolic ref. Fails if a table is damaged.
 */
#include <stdio.h>
#include <string.h>

#include "common.h"

static void print_ref(const struct reftable_ref_record *ref, size_t id_len)
{
	/* These return NULL if the record does not have that value. */
	const unsigned char *id = reftable_ref_record_val1(ref);
	const unsigned char *peeled = reftable_ref_record_val2(ref);

	if (ref->value_type == REFTABLE_REF_SYMREF)
		printf("ref: %s ", ref->value.symref);
	if (id)
		print_id(id, id_len);
	if (peeled)
		print_id(peeled, id_len);
	puts(ref->refname);
}

static int list(struct reftable_stack *stack, const char *prefix)
{
	struct reftable_iterator it;
	struct reftable_ref_record ref;
	int err;

	/* Zeroed, so that both can be released and destroyed after any failure. */
	memset(&it, 0, sizeof(it));
	memset(&ref, 0, sizeof(ref));
	err = reftable_stack_init_ref_iterator(stack, &it);
	if (!err)
		err = reftable_iterator_seek_ref(&it, prefix);
	while (!err) {
		/* Overwrites the record; 1 means that there are no more. */
		err = reftable_iterator_next_ref(&it, &ref);
		if (err || strncmp(ref.refname, prefix, strlen(prefix)))
			break;
		print_ref(&ref, id_length(stack));
	}
	reftable_ref_record_release(&ref);
	reftable_iterator_destroy(&it);
	return err < 0 ? err : 0;
}

int main(int argc, char **argv)
{
	struct reftable_stack *stack = NULL;
	int err;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: %s DIRECTORY [PREFIX]\n", argv[0]);
		return 2;
	}
	err = open_stack(&stack, argv[1]);
	if (!err)
		err = list(stack, argc > 2 ? argv[2] : "");
	reftable_stack_destroy(stack);
	return finish(argv[1], err);
}
