/*
 * Renames a branch with its reflog, as `git branch -m` does:
 *
 *     rename-branch .git/reftable .git/worktrees/W/reftable OLD NEW
 *
 * Refs that belong to a linked worktree, such as its HEAD, are in a stack of their own. Each
 * HEAD that points to the branch follows. Then prints the refs that the worktree sees, one
 * line per ref: the object id or `ref: TARGET`, and the name.
 *
 * Each stack changes atomically, but not both at once. A client of a whole repository would
 * do more: check names for conflicts, and visit all worktrees.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common.h"

struct change {
	struct reftable_stack *stack;
	char *old, *new; /* names of the branch */
	unsigned char id[REFTABLE_HASH_SIZE_MAX];
	char message[300];
	struct reftable_log_record *log; /* the old reflog, newest entry first */
	size_t entries;
};

static struct reftable_log_record log_entry(struct change *c, char *name, uint64_t index)
{
	struct reftable_log_record log;

	memset(&log, 0, sizeof(log));
	log.refname = name;
	log.update_index = index;
	log.value_type = REFTABLE_LOG_UPDATE;
	memcpy(log.value.update.old_hash, c->id, sizeof(c->id));
	memcpy(log.value.update.new_hash, c->id, sizeof(c->id));
	log.value.update.name = (char *)"Example";
	log.value.update.email = (char *)"example@localhost";
	log.value.update.time = (uint64_t)time(NULL);
	log.value.update.message = c->message;
	return log;
}

/* Lets HEAD follow if it points to the branch. */
static int move_head(struct change *c, struct reftable_writer *writer, uint64_t index)
{
	struct reftable_ref_record head, moved;
	int err;

	memset(&head, 0, sizeof(head));
	err = reftable_stack_read_ref(c->stack, "HEAD", &head);
	if (!err && head.value_type == REFTABLE_REF_SYMREF && !strcmp(head.value.symref, c->old)) {
		moved = head;
		moved.update_index = index;
		moved.value.symref = c->new;
		err = reftable_writer_add_ref(writer, &moved);
	} else if (!err) {
		err = 1;
	}
	reftable_ref_record_release(&head);
	return err;
}

/* Called to write a table of the worktree's stack, while that is locked. */
static int write_head(struct reftable_writer *writer, void *arg)
{
	struct change *c = arg;
	uint64_t index = reftable_stack_next_update_index(c->stack);
	struct reftable_log_record log = log_entry(c, (char *)"HEAD", index);
	int err = reftable_writer_set_limits(writer, index, index);

	err = err ? err : move_head(c, writer, index);
	err = err ? err : reftable_writer_add_log(writer, &log);
	/* 1 means that there is nothing to do: a table without records is not added. */
	return err < 0 ? err : 0;
}

/* Reads the reflog of the branch. */
static int read_log(struct change *c)
{
	struct reftable_log_record log, *more;
	struct reftable_iterator it;
	int err;

	memset(&it, 0, sizeof(it));
	memset(&log, 0, sizeof(log));
	err = reftable_stack_init_log_iterator(c->stack, &it);
	err = err ? err : reftable_iterator_seek_log(&it, c->old);
	while (!err && !(err = reftable_iterator_next_log(&it, &log)) && !strcmp(log.refname, c->old)) {
		more = realloc(c->log, (c->entries + 1) * sizeof(*more));
		if (!more) {
			err = REFTABLE_OUT_OF_MEMORY_ERROR;
			break;
		}
		c->log = more;
		/* The array now owns the strings. */
		c->log[c->entries++] = log;
		memset(&log, 0, sizeof(log));
	}
	reftable_log_record_release(&log);
	reftable_iterator_destroy(&it);
	return err < 0 ? err : 0;
}

/* Each entry keeps its update index under the new name, and is deleted under the old one. */
static int write_log(struct change *c, struct reftable_writer *writer, uint64_t index)
{
	struct reftable_log_record *logs = calloc(2 * c->entries + 1, sizeof(*logs));
	size_t i, n = 0;
	int err;

	if (!logs)
		return REFTABLE_OUT_OF_MEMORY_ERROR;
	for (i = 0; i < c->entries; i++) {
		logs[n] = c->log[i];
		logs[n++].refname = c->new;
		logs[n].refname = c->old;
		logs[n].update_index = c->log[i].update_index;
		logs[n++].value_type = REFTABLE_LOG_DELETION;
	}
	logs[n++] = log_entry(c, c->new, index);
	err = reftable_writer_add_logs(writer, logs, n);
	free(logs);
	return err;
}

/* Called to write a table of the main stack. What it reads cannot change meanwhile. */
static int write_rename(struct reftable_writer *writer, void *arg)
{
	struct change *c = arg;
	uint64_t index = reftable_stack_next_update_index(c->stack);
	struct reftable_ref_record ref, refs[2];
	struct reftable_log_record head;
	int moves, err;

	memset(&ref, 0, sizeof(ref));
	memset(refs, 0, sizeof(refs));
	err = reftable_stack_read_ref(c->stack, c->new, &ref);
	if (err <= 0)
		err = err ? err : REFTABLE_REFNAME_ERROR; /* the name is taken */
	else
		err = reftable_stack_read_ref(c->stack, c->old, &ref);
	if (!err && !reftable_ref_record_val1(&ref))
		err = 1;
	if (!err) {
		memcpy(c->id, reftable_ref_record_val1(&ref), id_length(c->stack));
		refs[0].refname = c->old;
		refs[0].value_type = REFTABLE_REF_DELETION;
		refs[1] = ref;
		refs[1].refname = c->new;
		refs[0].update_index = refs[1].update_index = index;
		err = reftable_writer_set_limits(writer, index, index);
	}
	/* Refs are written in order of their names: HEAD comes before refs/heads/. */
	moves = err ? err : move_head(c, writer, index);
	err = moves < 0 ? moves : err;
	err = err ? err : reftable_writer_add_refs(writer, refs, 2);
	head = log_entry(c, (char *)"HEAD", index);
	if (!err && !moves)
		err = reftable_writer_add_log(writer, &head);
	err = err ? err : read_log(c);
	err = err ? err : write_log(c, writer, index);
	reftable_ref_record_release(&ref);
	return err > 0 ? REFTABLE_NOT_EXIST_ERROR : err;
}

static int rename_branch(struct reftable_stack *main_stack, struct reftable_stack *worktree, char **names)
{
	struct reftable_write_options opts = writing();
	struct change c;
	int err;

	memset(&c, 0, sizeof(c));
	c.stack = main_stack;
	c.old = names[0];
	c.new = names[1];
	sprintf(c.message, "Branch: renamed %.100s to %.100s", c.old, c.new);
	/* Compacted once, at the end. */
	opts.disable_auto_compact = 1;
	err = reftable_stack_add(main_stack, write_rename, &c, &opts, REFTABLE_STACK_NEW_ADDITION_RELOAD);
	c.stack = worktree;
	err = err ? err : reftable_stack_add(worktree, write_head, &c, &opts, REFTABLE_STACK_NEW_ADDITION_RELOAD);
	err = err ? err : reftable_stack_compact_all(main_stack, &opts, NULL);
	err = err ? err : reftable_stack_compact_all(worktree, &opts, NULL);
	while (c.entries)
		reftable_log_record_release(&c.log[--c.entries]);
	free(c.log);
	return err;
}

/* Whether each worktree has its own ref of that name. */
static int is_per_worktree(const char *name)
{
	return strncmp(name, "refs/", 5) || !strncmp(name, "refs/bisect/", 12) ||
	       !strncmp(name, "refs/worktree/", 14) || !strncmp(name, "refs/rewritten/", 15);
}

/* Prints the refs of a stack that are per worktree, or the others. */
static int print_refs(struct reftable_stack *stack, int per_worktree)
{
	struct reftable_ref_record ref;
	struct reftable_iterator it;
	int err;

	memset(&it, 0, sizeof(it));
	memset(&ref, 0, sizeof(ref));
	err = reftable_stack_init_ref_iterator(stack, &it);
	err = err ? err : reftable_iterator_seek_ref(&it, "");
	while (!err && !(err = reftable_iterator_next_ref(&it, &ref))) {
		if (is_per_worktree(ref.refname) != per_worktree)
			continue;
		if (ref.value_type == REFTABLE_REF_SYMREF)
			printf("ref: %s ", ref.value.symref);
		else
			print_id(reftable_ref_record_val1(&ref), id_length(stack));
		puts(ref.refname);
	}
	reftable_ref_record_release(&ref);
	reftable_iterator_destroy(&it);
	return err < 0 ? err : 0;
}

int main(int argc, char **argv)
{
	struct reftable_stack *main_stack = NULL, *worktree = NULL;
	int err;

	if (argc != 5) {
		fprintf(stderr, "usage: %s DIRECTORY WORKTREE-DIRECTORY OLD NEW\n", argv[0]);
		return 2;
	}
	err = open_stack(&main_stack, argv[1]);
	err = err ? err : open_stack(&worktree, argv[2]);
	err = err ? err : rename_branch(main_stack, worktree, argv + 3);
	err = err ? err : print_refs(worktree, 1);
	err = err ? err : print_refs(main_stack, 0);
	reftable_stack_destroy(worktree);
	reftable_stack_destroy(main_stack);
	return finish(argv[1], err);
}
