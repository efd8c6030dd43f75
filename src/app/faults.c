#include "faults.h"

#include <jansson.h>
#include <string.h>

static const char *text(const json_t *fault, const char *member)
{
	const char *s = json_string_value(json_object_get(fault, member));
	return s ? s : "";
}

/* What a file said may hold anything; a terminal gets no control characters. */
static void put(const char *s, FILE *out)
{
	for (; *s; s++)
		fputc((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s, out);
}

void faults_print(const struct import_answer *a, FILE *out)
{
	json_t *faults = a->errors.data ? json_loadb(a->errors.data, a->errors.len, 0, NULL) : NULL;
	json_t *fault;
	size_t i;
	if (a->detail)
		fprintf(out, "%s\n", a->detail);
	json_array_foreach(faults, i, fault)
	{
		const char *file = text(fault, "file");
		const json_t *line = json_object_get(fault, "line");
		put(file, out);
		if (line)
			fprintf(out, "%s%" JSON_INTEGER_FORMAT, *file ? ":" : "line ", json_integer_value(line));
		if (*file || line)
			fputs(": ", out);
		if (*text(fault, "pointer")) {
			put(text(fault, "pointer"), out);
			fputs(": ", out);
		}
		put(text(fault, "detail"), out);
		fputc('\n', out);
	}
	if (json_array_size(faults))
		fprintf(out, "%zu fault%s%s; nothing was imported.\n", json_array_size(faults),
			json_array_size(faults) == 1 ? "" : "s", a->truncated ? ", and there may be more" : "");
	json_decref(faults);
}

void faults_print_summary(const struct import_answer *a, FILE *out)
{
	static const char *const counts[] = { "created", "updated", "unchanged" };
	json_t *body = a->body.data ? json_loadb(a->body.data, a->body.len, 0, NULL) : NULL;
	json_t *one;
	const char *name;
	for (size_t i = 0; i < 3; i++)
		fprintf(out, "%s%" JSON_INTEGER_FORMAT " %s", i ? ", " : "",
			json_integer_value(json_object_get(body, counts[i])), counts[i]);
	fputc('\n', out);
	json_object_foreach(json_object_get(body, "resources"), name, one)
	{
		fprintf(out, "  %-16s", name);
		for (size_t i = 0; i < 3; i++)
			fprintf(out, " %8" JSON_INTEGER_FORMAT " %s", json_integer_value(json_object_get(one, counts[i])),
				counts[i]);
		fputc('\n', out);
	}
	json_decref(body);
}
