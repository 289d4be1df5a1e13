/* Directories of test data. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Like support.h, but without the library: upstream's headers redefine functions called here. */
char *directory_new(void);
void directory_remove(char *directory);
char *directory_path(const char *directory, const char *name);
char *directory_snapshot(const char *directory);
int directory_count(const char *directory, const char *suffix);
int directory_has(const char *directory, const char *name);
char *directory_read(const char *directory, const char *name, size_t *len);
void directory_write(const char *directory, const char *name, const void *bytes, size_t len);
void directory_delete(const char *directory, const char *name);
uint64_t digest(const void *bytes, size_t len);

static void die(const char *what, const char *name)
{
	printf("# directory: %s %s: %s\n", what, name, strerror(errno));
	fflush(stdout);
	exit(1);
}

char *directory_path(const char *directory, const char *name)
{
	size_t len = strlen(directory) + strlen(name) + 2;
	char *path = malloc(len);

	if (!path)
		abort();
	snprintf(path, len, "%s/%s", directory, name);
	return path;
}

char *directory_new(void)
{
	const char *base = getenv("TMPDIR");
	char *directory = directory_path(base ? base : "/tmp", "reftable-c.XXXXXX");

	if (!mkdtemp(directory))
		die("make", directory);
	return directory;
}

static int cmp_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All names except "." and "..", sorted, terminated by NULL. */
static char **list(const char *directory)
{
	size_t count = 0, cap = 16;
	char **names = calloc(cap, sizeof(*names));
	DIR *dir = opendir(directory);
	struct dirent *entry;

	if (!dir || !names)
		die("open", directory);
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (count + 1 == cap) {
			cap *= 2;
			names = realloc(names, cap * sizeof(*names));
		}
		if (!names || !(names[count++] = strdup(entry->d_name)))
			abort();
	}
	closedir(dir);
	names[count] = NULL;
	if (count)
		qsort(names, count, sizeof(*names), cmp_names);
	return names;
}

static void free_list(char **names)
{
	char **name;

	for (name = names; *name; name++)
		free(*name);
	free(names);
}

void directory_remove(char *directory)
{
	char **names = list(directory), **name;

	for (name = names; *name; name++) {
		char *path = directory_path(directory, *name);

		if (remove(path))
			die("remove", path);
		free(path);
	}
	free_list(names);
	if (rmdir(directory))
		die("remove", directory);
	free(directory);
}

int directory_count(const char *directory, const char *suffix)
{
	char **names = list(directory), **name;
	size_t len = strlen(suffix);
	int count = 0;

	for (name = names; *name; name++)
		if (strlen(*name) >= len && !strcmp(*name + strlen(*name) - len, suffix))
			count++;
	free_list(names);
	return count;
}

int directory_has(const char *directory, const char *name)
{
	char *path = directory_path(directory, name);
	struct stat st;
	int has = !lstat(path, &st);

	free(path);
	return has;
}

char *directory_read(const char *directory, const char *name, size_t *len)
{
	char *path = directory_path(directory, name), *bytes;
	FILE *file = fopen(path, "rb");
	struct stat st;

	free(path);
	if (!file)
		return NULL;
	if (fstat(fileno(file), &st))
		die("stat", name);
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes || fread(bytes, 1, (size_t)st.st_size, file) != (size_t)st.st_size)
		die("read", name);
	bytes[st.st_size] = 0;
	fclose(file);
	if (len)
		*len = (size_t)st.st_size;
	return bytes;
}

void directory_write(const char *directory, const char *name, const void *bytes, size_t len)
{
	char *path = directory_path(directory, name);
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(bytes, 1, len, file) != len || fclose(file))
		die("write", path);
	free(path);
}

void directory_delete(const char *directory, const char *name)
{
	char *path = directory_path(directory, name);

	if (remove(path))
		die("remove", path);
	free(path);
}

/* FNV-1a. */
uint64_t digest(const void *bytes, size_t len)
{
	const unsigned char *byte = bytes;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
	return hash;
}

char *directory_snapshot(const char *directory)
{
	char **names = list(directory), **name;
	char *text = NULL;
	size_t text_len = 0;
	FILE *out = open_memstream(&text, &text_len);

	if (!out)
		abort();
	for (name = names; *name; name++) {
		size_t len = 0;
		char *bytes = directory_read(directory, *name, &len);
		char *path = directory_path(directory, *name);
		struct stat st;

		if (!bytes || stat(path, &st))
			die("snapshot", path);
		fprintf(out, "%s %o %zu %016" PRIx64 "\n", *name, (unsigned)st.st_mode & 07777, len,
			digest(bytes, len));
		free(path);
		free(bytes);
	}
	fclose(out);
	free_list(names);
	return text;
}
