/* The server's log: lines with the prefix "%b|%e|" (who, SQLSTATE), told to the program's own log but for what clients caused:
 * the service logs that itself. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "postgres_internal.h"

#define N_LAST 6
#define LINE_SIZE 512

struct postgres_log {
	pthread_t thread;
	FILE *from;
	void (*tell)(bool serious, const char *line);
	pthread_mutex_t lock; /* around `last` */
	char last[N_LAST][LINE_SIZE];
	unsigned n_lines;
};

static void keep(struct postgres_log *l, const char *line)
{
	pthread_mutex_lock(&l->lock);
	snprintf(l->last[l->n_lines++ % N_LAST], LINE_SIZE, "%s", line);
	pthread_mutex_unlock(&l->lock);
}

/* "client backend|23505|ERROR:  duplicate …" */
static void take_line(struct postgres_log *l, char *line)
{
	char *state = strchr(line, '|');
	char *text = state ? strchr(state + 1, '|') : NULL;
	bool client = strncmp(line, "client backend|", 15) == 0;
	if (text)
		text++;
	else
		text = line;
	bool fatal = strncmp(text, "FATAL:", 6) == 0 || strncmp(text, "PANIC:", 6) == 0;
	bool serious = fatal || strncmp(text, "ERROR:", 6) == 0 || strncmp(text, "WARNING:", 8) == 0;
	if (client && strncmp(text, "PANIC:", 6) != 0 && strncmp(text, "LOG:", 4) != 0)
		return;
	if (strncmp(text, "LOG:  ", 6) == 0)
		text += 6;
	keep(l, text);
	if (l->tell)
		l->tell(serious, text);
}

static void *log_main(void *data)
{
	struct postgres_log *l = data;
	char *line = NULL;
	size_t size = 0;
	for (ssize_t n; (n = getline(&line, &size, l->from)) > 0;) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0])
			take_line(l, line);
	}
	free(line);
	return NULL;
}

enum err postgres_log_start(struct postgres_log **ret, int *ret_write_fd, void (*tell)(bool serious, const char *line))
{
	int fds[2];
	struct postgres_log *l = calloc(1, sizeof(*l));
	if (!l)
		return ERR_NOMEM;
	if (pipe2(fds, O_CLOEXEC) != 0) {
		free(l);
		return ERR_IO;
	}
	l->tell = tell;
	pthread_mutex_init(&l->lock, NULL);
	l->from = fdopen(fds[0], "r");
	if (!l->from || pthread_create(&l->thread, NULL, log_main, l) != 0) {
		if (l->from)
			fclose(l->from);
		else
			close(fds[0]);
		close(fds[1]);
		pthread_mutex_destroy(&l->lock);
		free(l);
		return ERR_NOMEM;
	}
	*ret = l;
	*ret_write_fd = fds[1];
	return OK;
}

void postgres_log_last(struct postgres_log *l, char *ret_text, size_t size)
{
	size_t used = 0;
	ret_text[0] = '\0';
	pthread_mutex_lock(&l->lock);
	unsigned first = l->n_lines > N_LAST ? l->n_lines - N_LAST : 0;
	for (unsigned i = first; i < l->n_lines && used < size; i++) {
		int n = snprintf(ret_text + used, size - used, "%s%s", i > first ? "; " : "", l->last[i % N_LAST]);
		used += n > 0 ? (size_t)n : 0;
	}
	pthread_mutex_unlock(&l->lock);
}

void postgres_log_end(struct postgres_log *l)
{
	if (!l)
		return;
	pthread_join(l->thread, NULL);
	fclose(l->from);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
