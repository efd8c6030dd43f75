#include "lodebase/api/problem.h"

#include <string.h>
#include "lodebase/base/json_writer.h"

const struct problem_type problem_types[] = {
	{ "malformed", "Malformed request",
	  "The request could not be understood: a parameter or header is unknown, repeated or out of range, or the body is no "
	  "JSON. "
	  "The errors array names every fault. Mend the request and send it again." },
	{ "unauthenticated", "A valid API key is needed",
	  "The request had no API key, or one that is wrong or revoked. Send `Authorization: Bearer lode_...`. Whoever runs "
	  "this "
	  "service makes keys with `lodebase key create`." },
	{ "forbidden", "The API key may not do this",
	  "The key is valid, but its scope is less than the call needs: read for reading, write for changing, admin for what "
	  "concerns the whole base." },
	{ "not-found", "Not found", "There is nothing at this address, or no record of that id or slug." },
	{ "method-not-allowed", "Method not allowed",
	  "The address exists, but not for this method. The Allow header lists those it takes." },
	{ "not-acceptable", "Not acceptable", "The Accept header asks for a media type that this address does not have." },
	{ "conflict", "Conflict with the state of the base",
	  "The change is valid by itself but not beside what is stored, such as a slug that another record has." },
	{ "over-allocated", "More than 100 % of one subject",
	  "With this change the closed, non-contingent economic shares of one company or project would sum to more than 100 % "
	  "at some "
	  "instant. The answer names the subject, the first such date, the sum and the stakes that make it up." },
	{ "referred", "Other records refer to it",
	  "A record cannot be deleted while others refer to it. The answer lists the referrers; change or delete them first." },
	{ "precondition-failed", "Precondition failed",
	  "The record is no longer the version that the request speaks of (If-Match), or exists already (If-None-Match: *). "
	  "Read it "
	  "again and decide anew." },
	{ "position-expired", "The position is no longer served",
	  "The position in the change feed was given out by another base, or by this one before it was restored from a backup "
	  "or "
	  "taken over by another server: changes seen up to it may have been lost since. Begin again without `after`." },
	{ "too-large", "Too large", "The body is larger than this address takes: 1 MiB for a record." },
	{ "unsupported-media-type", "Unsupported media type",
	  "The Content-Type is none that this address takes. Records are application/json; patches "
	  "application/merge-patch+json or "
	  "application/json; imports application/json or application/x-ndjson." },
	{ "invalid", "The content is not valid",
	  "The body is well-formed, but members of it are missing, unknown, of the wrong type or out of range, refer to "
	  "nothing, or "
	  "break a rule. The errors array lists every fault at once, each with a JSON Pointer." },
	{ "closed-ring", "The structure is a closed ring",
	  "Companies that own one another wholly, with nobody outside, have no owner whose share could be told. The answer "
	  "names "
	  "them in `members`. Look at the stakes among them: one is probably wrong, or a holder is missing." },
	{ "too-complex", "There are too many paths",
	  "The method looks at every path between holder and subject, and there are more than can be looked at in the time a "
	  "question has. method=integrated answers whatever the structure." },
	{ "unbounded", "The figure has no greatest value",
	  "Within the ranges on file the raw figure grows without bound, because a ring may be as good as closed. Ask with "
	  "self_loops=corrected." },
	{ "over-exercised", "More than the whole would be exercised",
	  "The instruments that were to be exercised give their holders more than 100 % of the capital of one subject, which "
	  "the "
	  "answer names." },
	{ "precondition-required", "A precondition is required",
	  "Changing or deleting a record needs If-Match with the ETag that you read, so that nobody's work is overwritten "
	  "unseen "
	  "(or If-Match: * for whatever version there is)." },
	{ "unavailable", "Unavailable for the moment",
	  "The service, or the database behind it, cannot answer now. Nothing was half-done. Try again after the Retry-After "
	  "header's seconds." },
	{ "timeout", "The time for this request ran out",
	  "The answer took too long. Of a write the outcome is not known: read the record before trying again." },
	{ "internal", "Internal error",
	  "Something went wrong inside the service. The request_id helps whoever runs it to find out what." },
};
const size_t problem_n_types = sizeof(problem_types) / sizeof(problem_types[0]);

const struct problem_type *problem_type(const char *slug)
{
	for (size_t i = 0; i < problem_n_types; i++)
		if (strcmp(problem_types[i].slug, slug) == 0)
			return &problem_types[i];
	return NULL;
}

static void write_fault(struct json_writer *w, const struct fault *f)
{
	static const char *const places[] = { "pointer", "parameter", "header" };

	json_object_begin(w);
	if (f->file)
		json_member_string(w, "file", f->file);
	if (f->line)
		json_member_int(w, "line", f->line);
	json_member_string(w, places[f->place], f->where);
	json_member_string(w, "code", f->code);
	json_member_string(w, "detail", f->detail);
	json_object_end(w);
}

static void write_array(struct json_writer *w, const struct faults *f)
{
	json_array_begin(w);
	for (size_t i = 0; f && i < f->n; i++)
		write_fault(w, &f->items[i]);
	json_array_end(w);
}

void problem_write_faults(struct buf *out, const struct faults *f)
{
	struct json_writer w;

	json_begin(&w, out);
	write_array(&w, f);
}

void problem_write(struct buf *out, const struct problem *p, const char *instance, const char *request_id)
{
	const struct problem_type *type = problem_type(p->type);
	struct json_writer w;

	json_begin(&w, out);
	json_object_begin(&w);
	json_key(&w, "type");
	buf_puts(out, "\"/problems/");
	buf_puts(out, p->type);
	json_raw(&w, "\"", 1);
	json_member_string(&w, "title", type ? type->title : p->type);
	json_member_int(&w, "status", p->status);
	json_member_string(&w, "detail", p->detail ? p->detail : type ? type->title : p->type);
	json_member_string(&w, "instance", instance);
	json_member_string(&w, "request_id", request_id);
	json_key(&w, "errors");
	if (p->errors_json)
		json_raw(&w, p->errors_json, p->errors_json_len);
	else
		write_array(&w, p->faults);
	if (p->truncated || (p->faults && p->faults->truncated))
		json_member_bool(&w, "truncated", true);
	if (p->extra && p->extra_len > 0) {
		buf_putc(out, ',');
		buf_put(out, p->extra, p->extra_len);
	}
	json_object_end(&w);
	buf_putc(out, '\n');
}
