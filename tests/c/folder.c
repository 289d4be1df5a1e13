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
char *folder_new(void);
void folder_remove(char *folder);
char *folder_path(const char *folder, const char *name);
char *folder_snapshot(const char *folder);
int folder_count(const char *folder, const char *suffix);
int folder_has(const char *folder, const char *name);
char *folder_read(const char *folder, const char *name, size_t *len);
void folder_write(const char *folder, const char *name, const void *bytes, size_t len);
void folder_delete(const char *folder, const char *name);
uint64_t digest(const void *bytes, size_t len);

static void die(const char *what, const char *name)
{
	printf("# folder: %s %s: %s\n", what, name, strerror(errno));
	fflush(stdout);
	exit(1);
}

char *folder_path(const char *folder, const char *name)
{
	size_t len = strlen(folder) + strlen(name) + 2;
	char *path = malloc(len);

	if (!path)
		abort();
	snprintf(path, len, "%s/%s", folder, name);
	return path;
}

char *folder_new(void)
{
	const char *base = getenv("TMPDIR");
	char *folder = folder_path(base ? base : "/tmp", "reftable-c.XXXXXX");

	if (!mkdtemp(folder))
		die("make", folder);
	return folder;
}

static int cmp_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All names except "." and "..", sorted, terminated by NULL. */
static char **list(const char *folder)
{
	size_t count = 0, cap = 16;
	char **names = calloc(cap, sizeof(*names));
	DIR *dir = opendir(folder);
	struct dirent *entry;

	if (!dir || !names)
		die("open", folder);
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

void folder_remove(char *folder)
{
	char **names = list(folder), **name;

	for (name = names; *name; name++) {
		char *path = folder_path(folder, *name);

		if (remove(path))
			die("remove", path);
		free(path);
	}
	free_list(names);
	if (rmdir(folder))
		die("remove", folder);
	free(folder);
}

int folder_count(const char *folder, const char *suffix)
{
	char **names = list(folder), **name;
	size_t len = strlen(suffix);
	int count = 0;

	for (name = names; *name; name++)
		if (strlen(*name) >= len && !strcmp(*name + strlen(*name) - len, suffix))
			count++;
	free_list(names);
	return count;
}

int folder_has(const char *folder, const char *name)
{
	char *path = folder_path(folder, name);
	struct stat st;
	int has = !lstat(path, &st);

	free(path);
	return has;
}

char *folder_read(const char *folder, const char *name, size_t *len)
{
	char *path = folder_path(folder, name), *bytes;
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

void folder_write(const char *folder, const char *name, const void *bytes, size_t len)
{
	char *path = folder_path(folder, name);
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(bytes, 1, len, file) != len || fclose(file))
		die("write", path);
	free(path);
}

void folder_delete(const char *folder, const char *name)
{
	char *path = folder_path(folder, name);

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

char *folder_snapshot(const char *folder)
{
	char **names = list(folder), **name;
	char *text = NULL;
	size_t text_len = 0;
	FILE *out = open_memstream(&text, &text_len);

	if (!out)
		abort();
	for (name = names; *name; name++) {
		size_t len = 0;
		char *bytes = folder_read(folder, *name, &len);
		char *path = folder_path(folder, *name);
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
