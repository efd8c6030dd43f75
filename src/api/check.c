/* The checks of a call in the contract's order: route, method, key, scope, 406, parameters and header values, then of the
 * body: 415, 413, syntax. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static size_t token_len(const char *s)
{
	return strcspn(s, ",; \t");
}

/* q=0 … q=1.000 behind a media range; 1000 where there is none or it is no number. */
static int quality(const char *params, const char *end)
{
	for (const char *p = params; p < end; p++) {
		if ((*p == ';' || *p == ' ' || *p == '\t') && strncasecmp(p + 1, "q=", 2) == 0) {
			const char *q = p + 3;
			int thousandths = 0, scale = 1000;

			if (*q == '1')
				return 1000;
			if (*q != '0')
				return 1000;
			q++;
			if (*q == '.')
				for (q++; *q >= '0' && *q <= '9' && scale > 1; q++) {
					scale /= 10;
					thousandths += (*q - '0') * scale;
				}
			return thousandths;
		}
	}
	return 1000;
}

/* How much an Accept header likes a media type, in thousandths: its most specific range decides (RFC 9110 section 12.5.1). */
static int liking(const char *accept, const char *type, size_t type_len)
{
	size_t major = strcspn(type, "/");
	int best = -1, best_q = 0;

	for (const char *s = accept; *s;) {
		const char *end;
		size_t len;
		int specificity = -1;

		s += strspn(s, " \t,");
		end = s + strcspn(s, ",");
		len = token_len(s);
		if (len == 3 && memcmp(s, "*/*", 3) == 0)
			specificity = 0;
		else if (len == major + 2 && strncasecmp(s, type, major + 1) == 0 && s[major + 1] == '*')
			specificity = 1;
		else if (len == type_len && strncasecmp(s, type, type_len) == 0)
			specificity = 2;
		if (specificity > best) {
			best = specificity;
			best_q = quality(s + len, end);
		}
		s = end;
	}
	return best_q;
}

/* Sets the media type of the answer; false: Accept takes none of those there are, which *ret_types lists. */
static bool choose_media_type(struct call *c, const char **ret_types)
{
	const char *accept = http_header(c->request, "Accept");
	int best = 0;

	*ret_types = "";
	for (const char *type = c->operation->produces; type && *type;) {
		size_t n = strcspn(type, ",");
		const char *name = arena_strndup(c->arena, type, n);
		int q;

		if (!name)
			return true; /* the arena's failure is answered later */
		type += n + strspn(type + n, ", ");
		if (c->operation->run == list_run && !list_has_media_type(c->resource, name))
			continue;
		*ret_types = call_format(c, "%s%s%s", *ret_types, **ret_types ? ", " : "", name);
		q = accept ? liking(accept, name, n) : 1000;
		if (q > best) {
			best = q;
			c->media_type = name;
		}
	}
	return !c->operation->produces || best > 0;
}

void check_unknown(struct call *c, const struct http_field *p)
{
	faults_add(&c->faults, FAULT_PARAMETER, p->name, "unknown", "there is no parameter %s here", p->name);
}

void check_no_parameters(struct call *c)
{
	for (size_t i = 0; i < c->request->n_params; i++)
		check_unknown(c, &c->request->params[i]);
}

bool check_repeated(struct call *c, size_t i)
{
	const struct http_field *params = c->request->params;

	for (size_t k = 0; k < i; k++)
		if (strcmp(params[k].name, params[i].name) == 0) {
			faults_add(&c->faults, FAULT_PARAMETER, params[i].name, "repeated", "a parameter may be given once");
			return true;
		}
	return false;
}

void check_limit(struct call *c, const struct http_field *p, unsigned max, unsigned *ret)
{
	unsigned long n = 0;

	for (size_t i = 0; i < p->value_len && n <= max; i++)
		n = p->value[i] >= '0' && p->value[i] <= '9' ? n * 10 + (unsigned long)(p->value[i] - '0') : max + 1ul;
	if (p->value_len == 0 || p->value[0] == '0' || n < 1 || n > max)
		faults_add(&c->faults, FAULT_PARAMETER, p->name, "range", "%s must be a whole number from 1 to %u", p->name,
			   max);
	else
		*ret = (unsigned)n;
}

static void read_dry_run(struct call *c, const struct http_field *p, unsigned *seen)
{
	if ((*seen)++ > 0)
		faults_add(&c->faults, FAULT_PARAMETER, p->name, "repeated", "%s may be given once", p->name);
	else if (strcmp(p->value, "true") == 0)
		c->dry_run = true;
	else if (strcmp(p->value, "false") != 0)
		faults_add(&c->faults, FAULT_PARAMETER, p->name, "enum", "%s must be true or false", p->name);
}

void check_dry_run(struct call *c)
{
	unsigned seen = 0;

	for (size_t i = 0; i < c->request->n_params; i++) {
		const struct http_field *p = &c->request->params[i];

		if (strcmp(p->name, "dry_run") == 0)
			read_dry_run(c, p, &seen);
		else
			check_unknown(c, p);
	}
}

bool *check_resources(struct call *c, const struct http_field *p)
{
	size_t n_resources = c->api->n_resources;
	bool *wanted = arena_alloc(c->arena, n_resources * sizeof(*wanted));

	for (const char *s = p->value; wanted; s++) {
		size_t n = strcspn(s, ","), i = 0;

		while (i < n_resources && (strlen(resources[i]->name) != n || memcmp(resources[i]->name, s, n) != 0))
			i++;
		if (n == 0)
			faults_add(&c->faults, FAULT_PARAMETER, p->name, "format", "%s has an empty name in it", p->name);
		else if (i == n_resources)
			faults_add(&c->faults, FAULT_PARAMETER, p->name, "unknown", "there is no resource \"%.*s\"",
				   faults_quoted(s, n), s);
		else if (wanted[i])
			faults_add(&c->faults, FAULT_PARAMETER, p->name, "repeated", "\"%.*s\" is named twice", (int)n, s);
		else
			wanted[i] = true;
		s += n;
		if (!*s)
			break;
	}
	return wanted;
}

/* Parameters and header values, then the operation itself: at once, or when a gated body has come in. */
static void parameters(struct call *c)
{
	if (c->request->param_fault)
		faults_add(&c->faults, FAULT_PARAMETER, "", "format", "the query is malformed: %s", c->request->param_fault);
	else if (c->operation->check)
		c->operation->check(c);
	else
		check_no_parameters(c);
	if (call_failed_early(c))
		return;
	if (c->gated && !c->checked) {
		if (!check_media_type(c))
			return;
		loop_timer_cancel(c->api->loop, &c->deadline);
		http_gate_open(c->request, true);
		return;
	}
	c->operation->run(c);
}

/* What was sealed or marked with the base's secret takes the secret to be read. */
static bool brings_token(const struct call *c)
{
	static const char *const names[] = { "cursor", "known_at", "after" };

	if (!c->operation->check || (c->request->method != HTTP_GET && c->request->method != HTTP_HEAD))
		return false;
	for (size_t i = 0; i < c->request->n_params; i++)
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			if (strcmp(c->request->params[i].name, names[k]) == 0)
				return true;
	return http_header(c->request, "Last-Event-ID") != NULL;
}

static void authenticated(struct call *c)
{
	const char *types;

	if (!choose_media_type(c, &types)) {
		faults_add(&c->faults, FAULT_HEADER, "Accept", "enum", "this address answers %s", types);
		call_fail(c, 406, "not-acceptable", call_format(c, "this address answers %s", types));
		return;
	}
	if (brings_token(c))
		cursor_secret_load(c, parameters);
	else
		parameters(c);
}

static void method_refused(struct call *c)
{
	const char *allow = route_allow_header(c->arena, c->route);

	call_header(c, "Allow", allow);
	call_fail(c, 405, "method-not-allowed",
		  call_format(c, "%s is not for this address; it takes %s", c->request->method_name, allow));
}

static void answer_options(struct call *c)
{
	call_header(c, "Allow",
		    c->route ? route_allow_header(c->arena, c->route) : "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
	if (c->route) {
		const struct operation *patch;

		if (route_allows(c->route, HTTP_PATCH, &patch))
			call_header(c, "Accept-Patch", "application/merge-patch+json, application/json");
	}
	call_answer(c, 204, NULL);
}

void check_call(struct call *c)
{
	if (c->request->method == HTTP_OPTIONS && (c->route || strcmp(c->request->path, "*") == 0)) {
		answer_options(c);
		return;
	}
	if (!c->route) {
		call_fail(c, 404, "not-found", "there is nothing at this address; GET /v1 lists what there is");
		return;
	}
	if (!c->operation) {
		method_refused(c);
		return;
	}
	auth_check(c, authenticated);
}

/* The media type of a Content-Type header, without parameters; utf-8 is the only charset. */
static bool content_type_is(const char *header, const char *type)
{
	size_t len = token_len(header);
	const char *charset = strcasestr(header, "charset=");

	if (len != strlen(type) || strncasecmp(header, type, len) != 0)
		return false;
	if (!charset)
		return true;
	charset += 8;
	if (*charset == '"')
		charset++;
	return strncasecmp(charset, "utf-8", 5) == 0 &&
	       !strchr("-0123456789_abcdefghijklmnopqrstuvwxyz", charset[5] ? charset[5] : ' ');
}

static bool media_type_fits(struct call *c)
{
	const char *header = http_header(c->request, "Content-Type");

	if (!header)
		return false;
	switch (c->operation->body) {
	case BODY_PATCH:
		return content_type_is(header, "application/merge-patch+json") || content_type_is(header, "application/json");
	case BODY_IMPORT:
		return content_type_is(header, "application/json") || content_type_is(header, "application/x-ndjson");
	default:
		return content_type_is(header, "application/json");
	}
}

bool check_media_type(struct call *c)
{
	static const char *const types[] = {
		[BODY_RECORD] = "application/json",
		[BODY_PATCH] = "application/merge-patch+json, application/json",
		[BODY_IMPORT] = "application/json, application/x-ndjson",
	};
	const char *want = types[c->operation->body];

	const char *encoding = http_header(c->request, "Content-Encoding");

	if (encoding && strcasecmp(encoding, "identity") != 0) {
		faults_add(&c->faults, FAULT_HEADER, "Content-Encoding", "enum", "a body is taken as it is, not encoded");
		call_fail(c, 415, "unsupported-media-type", "the body must not be encoded (Content-Encoding)");
		return false;
	}
	if (media_type_fits(c))
		return true;
	if (c->operation->body == BODY_PATCH)
		call_header(c, "Accept-Patch", want);
	else
		call_header(c, "Accept", want);
	faults_add(&c->faults, FAULT_HEADER, "Content-Type", "enum", "this call takes %s, in UTF-8", want);
	call_fail(c, 415, "unsupported-media-type", call_format(c, "the body must be of type %s", want));
	return false;
}

bool check_body(struct call *c)
{
	struct json_fault fault;

	if (!check_media_type(c))
		return false;
	if (c->request->body_too_large) {
		call_fail(c, 413, "too-large", "the body of a record may have 1 MiB");
		return false;
	}
	if (c->operation->body == BODY_IMPORT)
		return true;
	if (c->request->body_failed) {
		call_out_of_memory(c);
		return false;
	}
	if (c->request->body_len == 0) {
		faults_add(&c->faults, FAULT_POINTER, "", "format", "there is no body");
		call_fail(c, 400, "malformed", "a JSON body is needed, and there is none");
		return false;
	}
	if (json_document_parse(c->request->body, c->request->body_len, &c->document, &fault) != OK) {
		const char *detail = call_format(c, "the body is not JSON that can be taken: %s (line %d, column %d)",
						 fault.reason, fault.line, fault.column);

		faults_add(&c->faults, FAULT_POINTER, "", "format", "%s", fault.reason);
		call_fail(c, 400, "malformed", detail);
		return false;
	}
	c->has_document = true;
	return true;
}
