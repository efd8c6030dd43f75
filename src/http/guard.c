#include "guard.h"

#include <string.h>
#include <strings.h>

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(unsigned char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool all_of(const char *s, size_t n, const char *others)
{
	for (size_t i = 0; i < n; i++)
		if (!is_alnum((unsigned char)s[i]) && (!s[i] || !strchr(others, s[i])))
			return false;
	return n > 0;
}

bool guard_is_token(const char *s, size_t n)
{
	return all_of(s, n, "!#$%&'*+-.^_`|~");
}

bool guard_is_request_id(const char *s, size_t n)
{
	return n <= 128 && all_of(s, n, "._:-");
}

static bool is_host(const char *s, size_t n)
{
	return all_of(s, n, "-._~!$&'()*+;=:%[]");
}

static bool named(const struct guard_header *h, const char *name)
{
	return strlen(name) == h->name_len && strncasecmp(h->name, name, h->name_len) == 0;
}

static bool begins(const struct guard_header *h, const char *name)
{
	const size_t n = strlen(name);

	return h->name_len > n && strncasecmp(h->name, name, n) == 0;
}

/* The value without the blanks around it. */
static const char *trimmed(const struct guard_header *h, size_t *ret_len)
{
	const char *s = h->value;
	size_t n = h->value_len;

	while (n && (*s == ' ' || *s == '\t'))
		s++, n--;
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	*ret_len = n;
	return s;
}

static bool is_word(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && strncasecmp(s, word, n) == 0;
}

struct count {
	const struct guard_header *content_length, *transfer_encoding, *host;
	unsigned n_content_length, n_transfer_encoding, n_host;
};

static const char *check_header(const struct guard_header *h, struct count *count)
{
	if (!guard_is_token(h->name, h->name_len))
		return "A header's name has a character that names may not have.";
	for (size_t i = 0; i < h->value_len; i++) {
		const unsigned char c = (unsigned char)h->value[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return "A header's value has a control character.";
	}
	if (begins(h, "content-length") || begins(h, "transfer-encoding"))
		return "A header's name begins as Content-Length or Transfer-Encoding does, and goes on.";
	if (named(h, "content-length")) {
		count->content_length = h;
		count->n_content_length++;
	} else if (named(h, "transfer-encoding")) {
		count->transfer_encoding = h;
		count->n_transfer_encoding++;
	} else if (named(h, "host")) {
		count->host = h;
		count->n_host++;
	}
	return NULL;
}

static bool parse_length(const struct guard_header *h, uint64_t *ret)
{
	uint64_t value = 0;

	/* Nineteen digits stay below 2^63; no blanks: the parser behind takes none either. */
	if (h->value_len < 1 || h->value_len > 19)
		return false;
	for (size_t i = 0; i < h->value_len; i++) {
		if (!is_digit((unsigned char)h->value[i]))
			return false;
		value = value * 10 + (uint64_t)(h->value[i] - '0');
	}
	*ret = value;
	return value <= INT64_MAX;
}

static void refuse(struct guard_verdict *v, int status, const char *detail)
{
	v->status = status;
	v->detail = detail;
}

static void check_framing(const struct guard_head *head, const struct count *count, struct guard_verdict *v)
{
	const bool old = strcmp(head->version, "HTTP/1.0") == 0;
	const struct guard_header *coding = count->transfer_encoding;

	if (count->n_content_length > 1)
		refuse(v, 400, "Content-Length is given more than once.");
	else if (count->n_transfer_encoding > 1)
		refuse(v, 400, "Transfer-Encoding is given more than once.");
	else if (count->n_content_length && count->n_transfer_encoding)
		refuse(v, 400, "Content-Length and Transfer-Encoding exclude each other.");
	else if (count->n_content_length && !parse_length(count->content_length, &v->content_length))
		refuse(v, 400, "Content-Length is not a number of bytes.");
	else if (coding && old)
		refuse(v, 400, "HTTP/1.0 has no Transfer-Encoding.");
	else if (coding && !guard_is_token(coding->value, coding->value_len) && !memchr(coding->value, ',', coding->value_len))
		refuse(v, 400, "Transfer-Encoding is malformed.");
	else if (coding && !is_word(coding->value, coding->value_len, "chunked"))
		refuse(v, 501, "The only Transfer-Encoding known here is \"chunked\".");
	else if (count->n_host > 1)
		refuse(v, 400, "Host is given more than once.");
	else if (!count->n_host && !old)
		refuse(v, 400, "The Host header is missing.");
	if (v->status)
		return;
	if (count->n_host) {
		size_t n;
		const char *host = trimmed(count->host, &n);

		if (!is_host(host, n))
			refuse(v, 400, "The Host header names no host.");
	}
	v->chunked = coding != NULL;
	v->has_body = v->chunked || count->n_content_length > 0;
}

void guard_check(const struct guard_head *head, struct guard_verdict *ret)
{
	struct count count = { 0 };

	*ret = (struct guard_verdict){ 0 };
	if (!guard_is_token(head->method, strlen(head->method))) {
		refuse(ret, 400, "The method is no token.");
		return;
	}
	for (size_t i = 0; i < head->n_headers; i++) {
		const char *fault = check_header(&head->headers[i], &count);

		if (fault) {
			refuse(ret, 400, fault);
			return;
		}
	}
	check_framing(head, &count, ret);
	for (size_t i = 0; i < head->n_headers && !ret->status; i++) {
		size_t n;
		const char *value = trimmed(&head->headers[i], &n);

		if (named(&head->headers[i], "expect") && !is_word(value, n, "100-continue"))
			refuse(ret, 417, "The only expectation met here is \"100-continue\".");
	}
}
