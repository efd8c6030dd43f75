/* Runs a fuzz target over every file of the folders given: the corpus as a test. Each input is copied to memory of exactly its
 * size, so that the address sanitizer sees a read past its end. */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

static int replay_file(const char *path)
{
	struct stat st;
	FILE *file = fopen(path, "rb");

	if (!file || fstat(fileno(file), &st) != 0) {
		fprintf(stderr, "%s: cannot be read\n", path);
		if (file)
			(void)fclose(file);
		return -1;
	}
	size_t n = (size_t)st.st_size;
	uint8_t *bytes = malloc(n ? n : 1);
	int result = bytes && fread(bytes, 1, n, file) == n ? LLVMFuzzerTestOneInput(bytes, n) : -1;

	free(bytes);
	(void)fclose(file);
	return result;
}

int main(int argc, char **argv)
{
	unsigned passed = 0, failed = 0;

	for (int i = 1; i < argc; i++) {
		struct dirent **names;
		int n = scandir(argv[i], &names, NULL, alphasort);

		if (n < 0) {
			perror(argv[i]);
			return 2;
		}
		for (int j = 0; j < n; j++) {
			char path[4096];
			int length = snprintf(path, sizeof path, "%s/%s", argv[i], names[j]->d_name);

			if (names[j]->d_name[0] != '.') {
				/* A target that finds something aborts: the name says in which input. */
				fprintf(stderr, "%s\n", names[j]->d_name);
				if (length > 0 && (size_t)length < sizeof path && replay_file(path) == 0)
					passed++;
				else
					failed++;
			}
			free(names[j]);
		}
		free(names);
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed > 0 || passed == 0;
}
