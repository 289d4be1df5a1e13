/* reftable-fsck.h: which tables are reported, and how. */
#include "check.h"
#include "support.h"

#include "reftable/reftable-fsck.h"

static char *directory;
static struct reftable_stack *stack;

struct findings {
	int reports, verbose;
	const int *results; /* returned by the reports; 0 by default */
	char paths[300], messages[500];
};

static int report(struct reftable_fsck_info *info, void *arg)
{
	struct findings *findings = arg;

	CHECK_INT(info->error, REFTABLE_FSCK_ERROR_TABLE_NAME);
	CHECK_STR(info->msg, "invalid reftable table name");
	strcat(strcat(findings->paths, info->path), " ");
	findings->reports++;
	return findings->results ? findings->results[findings->reports - 1] : 0;
}

static void verbose(const char *msg, void *arg)
{
	struct findings *findings = arg;

	strcat(strcat(findings->messages, msg), "\n");
	findings->verbose++;
}

/* A stack of tables with these names. */
static void set_up(const char *const *names, int count)
{
	struct options options = { .write.disable_auto_compact = 1 };
	char *list, *line, *now = NULL;
	size_t len;
	FILE *out;

	directory = directory_new();
	CHECK_INT(make_stack(&stack, directory, &options), 0);
	for (int i = 0; i < count; i++)
		CHECK_INT(add_ref(stack, "a", 1), 0);
	reftable_stack_destroy(stack);
	list = count ? directory_read(directory, "tables.list", NULL) : strdup("");
	out = open_memstream(&now, &len);
	line = strtok(list, "\n");
	for (int i = 0; i < count; i++, line = strtok(NULL, "\n")) {
		char *from = directory_path(directory, line), *to = directory_path(directory, names[i]);

		CHECK_INT(rename(from, to), 0);
		fprintf(out, "%s\n", names[i]);
		free(from);
		free(to);
	}
	fclose(out);
	directory_write(directory, "tables.list", now, len);
	free(now);
	free(list);
	CHECK_INT(make_stack(&stack, directory, &options), 0);
}

static void tear_down(void)
{
	reftable_stack_destroy(stack);
	directory_remove(directory);
}

static void sound(void)
{
	/* Names without 0x, as JGit writes them, and the suffix that logs once had. */
	const char *const names[] = {
		"0x000000000001-0x000000000001-12345678.ref", "000000000002-000000000002-abcdef01.ref",
		"0x000000000003-0x000000000003-00000000.log", "1-2-3.ref"
	};
	struct findings findings = { 0 };

	set_up(names, 4);
	CHECK_INT(reftable_fsck_check(stack, report, verbose, &findings), 0);
	CHECK_INT(findings.reports, 0);
	CHECK_INT(findings.verbose, 4);
	CHECK_STR(findings.messages,
		  "Checking table: 0x000000000001-0x000000000001-12345678.ref\n"
		  "Checking table: 000000000002-000000000002-abcdef01.ref\n"
		  "Checking table: 0x000000000003-0x000000000003-00000000.log\n"
		  "Checking table: 1-2-3.ref\n");
	tear_down();
}

static void bad_names(void)
{
	const char *const names[] = {
		"table.ref", "0x1-0x1-1.ref", "0x1-0x1.ref", "0x1-0x1-1.txt", "0x1-0x1-1"
	};
	struct findings findings = { 0 };

	set_up(names, 5);
	CHECK_INT(reftable_fsck_check(stack, report, verbose, &findings), 0);
	CHECK_INT(findings.verbose, 5);
	CHECK_STR(findings.paths, "table.ref 0x1-0x1.ref 0x1-0x1-1.txt 0x1-0x1-1 ");
	tear_down();
}

/* Numbers that do not fit, and strings that strtoull() accepts. */
static void odd_numbers(void)
{
	const char *const names[] = {
		"0x10000000000000000-0x1-1.ref", "0x1-0x10000000000000000-1.ref", " 1-+1--1.ref",
		"--.ref"
	};
	struct findings findings = { 0 };

	set_up(names, 4);
	CHECK_INT(reftable_fsck_check(stack, report, verbose, &findings), 0);
	CHECK_STR(findings.paths, "0x10000000000000000-0x1-1.ref 0x1-0x10000000000000000-1.ref ");
	tear_down();
}

/* All tables are checked, and the return values of the reports are combined. */
static void results(void)
{
	const char *const names[] = { "x.ref", "0x1-0x1-1.ref", "y.ref", "0x1-0x1-2.ref" };
	const int bits[] = { 4, 1 }, codes[] = { -77, 0 };
	struct findings findings = { .results = bits };

	set_up(names, 4);
	CHECK_INT(reftable_fsck_check(stack, report, verbose, &findings), 5);
	CHECK_INT(findings.reports, 2);
	CHECK_INT(findings.verbose, 4);
	findings.reports = 0;
	findings.results = codes;
	CHECK_INT(reftable_fsck_check(stack, report, verbose, &findings), -77);
	CHECK_INT(findings.reports, 2);
	tear_down();
}

static void no_tables(void)
{
	struct findings findings = { 0 };

	set_up(NULL, 0);
	CHECK_INT(reftable_fsck_check(stack, report, verbose, &findings), 0);
	CHECK_INT(findings.reports, 0);
	CHECK_INT(findings.verbose, 0);
	tear_down();
}

int main(void)
{
	RUN(sound);
	RUN(bad_names);
	RUN(odd_numbers);
	RUN(results);
	RUN(no_tables);
	return DONE();
}
