/* Log lines as their reader gets them: through a pipe. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "lodebase/core/log.h"

static int saved_stdout, reader;

/* From here on standard output is a pipe of ours. */
static void begin(bool json)
{
	int fds[2];
	fflush(stdout);
	saved_stdout = dup(STDOUT_FILENO);
	if (pipe(fds) != 0 || saved_stdout < 0 || dup2(fds[1], STDOUT_FILENO) < 0)
		abort();
	close(fds[1]);
	reader = fds[0];
	if (fcntl(reader, F_SETFL, O_NONBLOCK) != 0)
		abort();
	log_init(json);
}

/* What has come; text must be freed. */
static char *take(size_t *ret_n)
{
	char *text = malloc(1 << 20);
	size_t n = 0;
	for (ssize_t got; text && (got = read(reader, text + n, (1 << 20) - 1 - n)) > 0;)
		n += (size_t)got;
	if (!text)
		abort();
	text[n] = '\0';
	*ret_n = n;
	return text;
}

static void end(void)
{
	dup2(saved_stdout, STDOUT_FILENO);
	close(saved_stdout);
	close(reader);
}

/* The first line as an object, and the text moved behind it. */
static json_t *next(char **text)
{
	char *newline = strchr(*text, '\n');
	if (!newline)
		return NULL;
	json_t *line = json_loadb(*text, (size_t)(newline - *text), 0, NULL);
	*text = newline + 1;
	return line;
}

static const char *member(const json_t *line, const char *name)
{
	const char *s = json_string_value(json_object_get(line, name));
	return s ? s : "";
}

static void lines_are_objects(void)
{
	size_t n;
	begin(true);
	log_event(LOG_LEVEL_WARNING, "trial", "%s", "a \"quote\", a \\, a\nline\x01\x7f and Ü");
	char *text = take(&n), *at = text;
	end();
	json_t *line = next(&at);
	CHECK_STR(member(line, "event"), "trial");
	CHECK_STR(member(line, "level"), "warning");
	CHECK_STR(member(line, "message"), "a \"quote\", a \\, a\nline\x01\x7f and Ü");
	CHECK_STR(at, "");
	json_decref(line);
	free(text);
}

/* Of any length and at any offset against the bound: whole lines, valid UTF-8, at most 4 KiB. */
static void long_messages_are_cut_between_characters(void)
{
	static const char *const fillers[] = { "x", "Ü", "€", "\U0001F600", "\"", "\n", "\x01" };
	for (size_t f = 0; f < sizeof fillers / sizeof fillers[0]; f++)
		for (size_t shift = 0; shift < 8; shift++) {
			char message[3 * 4096] = "";
			size_t n = 0, size;
			memset(message, '.', shift);
			n = shift;
			while (n + strlen(fillers[f]) < 8000) {
				memcpy(message + n, fillers[f], strlen(fillers[f]));
				n += strlen(fillers[f]);
			}
			message[n] = '\0';
			begin(true);
			log_event(LOG_LEVEL_INFO, "long", "%s", message);
			char *text = take(&size), *at = text;
			end();
			json_t *line = next(&at);
			CHECK_FOR(line && size <= 4096 && *at == '\0', "filler %zu, shift %zu: %zu bytes, %s", f, shift, size,
				  line ? "an object" : "no object");
			json_decref(line);
			free(text);
		}
}

static void requests_leave_together_and_in_order(void)
{
	struct log_request r = {
		.request_id = "r", .peer = "127.0.0.1", .method = "GET", .route = "/v1/{resource}", .status = 200
	};
	size_t n;
	begin(true);
	r.total_us = 1234567;
	r.db_us = 5;
	log_request(&r);
	char *text = take(&n);
	CHECK_INT(n, 0);
	free(text);
	log_event(LOG_LEVEL_INFO, "later", "said after the request");
	text = take(&n);
	end();
	char *at = text;
	json_t *request = next(&at), *event = next(&at);
	CHECK_STR(member(request, "event"), "request");
	CHECK_STR(member(event, "event"), "later");
	CHECK(strstr(text, "\"total_ms\":1234.567,\"db_ms\":0.005"));
	CHECK(json_is_null(json_object_get(request, "actor")) && !json_object_get(request, "trace_id"));
	json_decref(request);
	json_decref(event);
	free(text);
}

static void a_full_pipe_drops_lines_and_says_how_many(void)
{
	struct log_request r = { .request_id = "r", .peer = "p", .method = "GET", .route = "/", .status = 200 };
	size_t n, kept = 0;
	long dropped = 0;
	begin(true);
	for (int i = 0; i < 2000; i++)
		log_request(&r);
	log_flush();
	char *text = take(&n), *at = text;
	for (json_t *line; (line = next(&at)); json_decref(line))
		kept += strcmp(member(line, "event"), "request") == 0;
	free(text);
	log_event(LOG_LEVEL_INFO, "after", "there is room again");
	text = take(&n);
	end();
	at = text;
	json_t *line = next(&at);
	CHECK_STR(member(line, "event"), "log_dropped");
	dropped = strtol(member(line, "message"), NULL, 10);
	CHECK_INT(dropped + (long)kept, 2000);
	CHECK(kept > 100 && dropped > 100);
	json_decref(line);
	line = next(&at);
	CHECK_STR(member(line, "event"), "after");
	json_decref(line);
	free(text);
}

static void text_has_no_control_characters(void)
{
	size_t n;
	begin(false);
	log_event(LOG_LEVEL_ERROR, "trial", "%s", "red \x1b[31m\r\nover\x7f");
	char *text = take(&n);
	end();
	CHECK(strstr(text, " error   trial      red ?[31m??over?\n"));
	free(text);
}

TESTS({ "lines are objects", lines_are_objects },
      { "long messages are cut between characters", long_messages_are_cut_between_characters },
      { "requests leave together, and in order", requests_leave_together_and_in_order },
      { "a full pipe drops lines and says how many", a_full_pipe_drops_lines_and_says_how_many },
      { "text has no control characters", text_has_no_control_characters })
