/* The framing guard, the request target and chunked framing, over a head given as text: request line, header lines, then an
 * empty line and a body. */
#include "fuzz.h"

#include <string.h>
#include <strings.h>
#include "../../src/http/guard.h"
#include "lodebase/base/text.h"

#define MOST_HEADERS 64

static void check_target(struct arena *a, const char *method, const char *target, size_t n)
{
	struct guard_target t;

	if (!guard_target(a, method, target, n, &t))
		return;
	FUZZ_CHECK(t.path && t.raw_path && text_is_utf8(t.path, strlen(t.path)) &&
		   text_is_utf8(t.raw_path, strlen(t.raw_path)));
	FUZZ_CHECK(*t.path == '/' || (strcmp(t.path, "*") == 0 && strcmp(method, "OPTIONS") == 0));
	for (const char *s = t.raw_path; *s; s++)
		FUZZ_CHECK((unsigned char)*s > 0x20 && *s != 0x7f);
	for (const char *s = t.path; *s; s++)
		FUZZ_CHECK((unsigned char)*s >= 0x20 && *s != 0x7f);
	FUZZ_CHECK(!t.fault || (strcmp(t.path, "/") == 0 && !t.raw_query));
}

static unsigned named(const struct guard_head *head, const char *name, const char **ret_value)
{
	unsigned n = 0;

	for (size_t i = 0; i < head->n_headers; i++) {
		const struct guard_header *h = &head->headers[i];

		if (strlen(name) == h->name_len && strncasecmp(name, h->name, h->name_len) == 0) {
			n++;
			*ret_value = h->value;
		}
	}
	return n;
}

static void check_head(const struct guard_head *head)
{
	struct guard_verdict v;
	const char *length = "", *coding = "", *host = "";
	const unsigned lengths = named(head, "Content-Length", &length), codings = named(head, "Transfer-Encoding", &coding);

	guard_check(head, &v);
	FUZZ_CHECK((v.status == 0) == (v.detail == NULL));
	if (v.status)
		return;
	FUZZ_CHECK(lengths + codings <= 1 && named(head, "Host", &host) <= 1);
	FUZZ_CHECK(*host || strcmp(head->version, "HTTP/1.0") == 0);
	FUZZ_CHECK(v.has_body == (lengths + codings == 1) && v.chunked == (codings == 1));
	FUZZ_CHECK(!codings || strcasecmp(coding, "chunked") == 0);
	FUZZ_CHECK(!lengths ||
		   (strspn(length, "0123456789") == strlen(length) && strtoull(length, NULL, 10) == v.content_length));
	for (size_t i = 0; i < head->n_headers; i++)
		FUZZ_CHECK(guard_is_token(head->headers[i].name, head->headers[i].name_len));
}

/* A body that is whole is whole without what follows, and cut where any of it is missing. */
static void check_chunks(const char *s, size_t n)
{
	size_t len = 0, again = 0;

	if (guard_chunks(s, n, &len) != CHUNKS_WHOLE)
		return;
	FUZZ_CHECK(len >= 5 && len <= n && memcmp(s + len - 4, "\r\n\r\n", 4) == 0);
	FUZZ_CHECK(guard_chunks(s, len, &again) == CHUNKS_WHOLE && again == len);
	for (size_t i = len > 200 ? len - 200 : 0; i < len; i++)
		FUZZ_CHECK(guard_chunks(s, i, &again) == CHUNKS_CUT);
}

/* The line at *at without its end, cut off there by a NUL. */
static char *next_line(char **at, char *end)
{
	char *line = *at, *stop = memchr(line, '\n', (size_t)(end - line));

	*at = stop ? stop + 1 : end;
	if (!stop)
		stop = end;
	if (stop > line && stop[-1] == '\r')
		stop--;
	*stop = '\0';
	return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static struct guard_header headers[MOST_HEADERS];
	char *text = malloc(n + 1), *at = text, *end = text + n;
	struct arena *a = arena_new(1 << 20);
	char *save = NULL, empty[] = "";
	struct guard_head head = { .headers = headers };

	FUZZ_CHECK(text && a);
	memcpy(text, bytes, n);
	*end = '\0';
	check_chunks((const char *)bytes, n);
	char *line = next_line(&at, end);
	head.method = strtok_r(line, " ", &save);
	char *target = strtok_r(NULL, " ", &save);
	head.version = strtok_r(NULL, "", &save);
	head.method = head.method ? head.method : empty;
	target = target ? target : empty;
	head.version = head.version ? head.version : empty;
	while (head.n_headers < MOST_HEADERS && at < end) {
		struct guard_header *h = &headers[head.n_headers];

		line = next_line(&at, end);
		char *colon = strchr(line, ':');
		if (!colon)
			break;
		*colon = '\0';
		*h = (struct guard_header){ .name = line, .name_len = (size_t)(colon - line) };
		h->value = colon + 1 + strspn(colon + 1, " \t");
		h->value_len = strlen(h->value);
		head.n_headers++;
	}
	check_head(&head);
	check_target(a, head.method, target, strlen(target));
	check_chunks(at, (size_t)(end - at));
	arena_free(a);
	free(text);
	return 0;
}
