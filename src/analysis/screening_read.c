/* A screening's request, member by member; all that is wrong is said at its pointer. */
#include "screening.h"

#include <string.h>
#include "lodebase/api/stored.h"
#include "lodebase/base/clock.h"

struct reading {
	struct arena *arena;
	const struct json_document *d;
	const json_t *object;
	struct screening_request *r;
};

static const json_t *member(const struct reading *x, const char *name)
{
	const json_t *v = json_object_get(x->object, name);

	return json_is_null(v) ? NULL : v;
}

/* A text without NUL in it; "" for one with. */
static const char *plain_text(const json_t *v)
{
	const char *text = json_string_value(v);

	return strlen(text) == json_string_length(v) ? text : "";
}

static void fault_at(const struct reading *x, const char *where, const char *code, const char *detail)
{
	faults_add(&x->r->faults, FAULT_POINTER, where ? where : "", code, "%s", detail);
}

/* An id or a slug, canonical; NULL with its fault. */
static const char *read_key(const struct reading *x, const json_t *v, const char *where)
{
	const char *key;

	if (!json_is_string(v)) {
		fault_at(x, where, "type", "must be a text: an id or a slug");
		return NULL;
	}
	key = parameter_key(x->arena, json_string_value(v), json_string_length(v));
	if (!key)
		fault_at(x, where, "format", "must be an id or a slug");
	return key;
}

static void read_keys(const struct reading *x, const char *name, struct stored **ret, size_t *ret_n)
{
	const json_t *list = member(x, name);
	size_t n = json_array_size(list);

	if (list && !json_is_array(list)) {
		faults_member(&x->r->faults, name, "type", "%s must be a list of ids or slugs", name);
		return;
	}
	if (n > SCREENING_NAMES_MAX) {
		faults_member(&x->r->faults, name, "length", "%s may have %d entries", name, SCREENING_NAMES_MAX);
		return;
	}
	*ret = arena_alloc(x->arena, (n + 1) * sizeof(**ret));
	for (size_t i = 0; *ret && i < n; i++) {
		const char *where = arena_printf(x->arena, "%s/%s/%zu", x->r->faults.prefix, name, i);
		size_t before = 0;

		(*ret)[i].key = read_key(x, json_array_get(list, i), where);
		while (before < i && (!(*ret)[i].key || !(*ret)[before].key || strcmp((*ret)[before].key, (*ret)[i].key) != 0))
			before++;
		if (before < i)
			fault_at(x, where, "repeated", "is named twice");
	}
	*ret_n = *ret ? n : 0;
}

/* {"project": id or slug} or {"shareholder": id or slug} */
static void read_subject(const struct reading *x, const json_t *v, const char *where)
{
	static const char *const names[] = { [GRAPH_SHAREHOLDERS] = "shareholder", [GRAPH_PROJECTS] = "project" };
	struct screening_subject *s = &x->r->subjects[x->r->n_subjects++];
	const char *name;
	json_t *value;

	*s = (struct screening_subject){ .where = where };
	if (!json_is_object(v) || json_object_size(v) != 1) {
		fault_at(x, where, json_is_object(v) ? "exclusive" : "type",
			 "must be an object of one member, project or shareholder, which names it by id or slug");
		return;
	}
	json_object_foreach((json_t *)v, name, value)
	{
		for (unsigned k = 0; k < 2; k++)
			if (strcmp(name, names[k]) == 0) {
				s->resource = (enum graph_resource)k;
				s->where = arena_printf(x->arena, "%s/%s", where, name);
				s->text = read_key(x, value, s->where);
				return;
			}
	}
	fault_at(x, where, "unknown", "must have the member project or shareholder");
}

static void read_subjects(const struct reading *x)
{
	const json_t *one = member(x, "subject"), *several = member(x, "subjects");
	struct screening_request *r = x->r;
	size_t n = one ? 1 : json_array_size(several);

	r->several = several != NULL;
	r->subjects = arena_alloc(x->arena, (n + 1) * sizeof(*r->subjects));
	if (!r->subjects)
		return;
	if (!one == !several) {
		const char *code = one ? "exclusive" : "required";

		faults_member(&r->faults, "subject", code, "exactly one of subject and subjects must be given");
		faults_member(&r->faults, "subjects", code, "exactly one of subject and subjects must be given");
	} else if (one) {
		read_subject(x, one, arena_printf(x->arena, "%s/subject", r->faults.prefix));
	} else if (json_is_string(several) && strcmp(plain_text(several), "projects") == 0) {
		r->all_projects = true;
	} else if (!json_is_array(several)) {
		faults_member(&r->faults, "subjects", json_is_string(several) ? "enum" : "type",
			      "subjects must be a list of subjects, or the text \"projects\"");
	} else if (n < 1 || n > SCREENING_NAMES_MAX) {
		faults_member(&r->faults, "subjects", "length", "subjects may have 1 to %d entries", SCREENING_NAMES_MAX);
	} else {
		for (size_t i = 0; i < n; i++)
			read_subject(x, json_array_get(several, i),
				     arena_printf(x->arena, "%s/subjects/%zu", r->faults.prefix, i));
	}
}

void screening_set_valid_at(struct screening_request *r, const char *valid_at)
{
	memcpy(r->valid_at, valid_at, sizeof(r->valid_at));
	r->valid_day = ownership_day(valid_at);
}

static void read_valid_at(const struct reading *x)
{
	const json_t *v = member(x, "valid_at");
	char today[11];

	clock_today(today);
	screening_set_valid_at(x->r, today);
	if (!v)
		return;
	if (!json_is_string(v))
		faults_member(&x->r->faults, "valid_at", "type", "valid_at must be a date, as a text");
	else if (!clock_is_date(json_string_value(v), json_string_length(v)))
		faults_member(&x->r->faults, "valid_at", "format", "valid_at must be a date like 2025-12-15");
	else
		screening_set_valid_at(x->r, json_string_value(v));
}

static void read_contingent(const struct reading *x)
{
	static const char *const values[] = { "ignore", "exercised", NULL };
	const json_t *v = member(x, "contingent");
	size_t place;

	if (!v)
		return;
	if (!json_is_string(v)) {
		faults_member(&x->r->faults, "contingent", "type", "contingent must be a text");
		return;
	}
	place = parameter_place(values, plain_text(v));
	if (values[place])
		x->r->contingent = place == 0 ? CONTINGENT_IGNORE : CONTINGENT_EXERCISED;
	else
		faults_member(&x->r->faults, "contingent", "enum", "contingent must be ignore or exercised");
}

static bool is_among(const char *const *names, const char *name)
{
	return names && names[parameter_place(names, name)];
}

static void refuse_unknown(const struct reading *x, bool in_what_if, const char *const *skip)
{
	static const char *const of_all[] = { "subject", "subjects", "rules", "parties", "designations", "contingent", NULL };
	static const char *const of_calls[] = { "valid_at", "known_at", NULL };
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)x->object, name, v) if (!is_among(of_all, name) && !is_among(skip, name) &&
							      (in_what_if || !is_among(of_calls, name)))
		faults_member(&x->r->faults, validate_pointer_token(x->arena, name, strlen(name)), "unknown",
			      "there is no member %.*s here", faults_quoted(name, strlen(name)), name);
}

void screening_read(struct arena *arena, const struct json_document *d, const json_t *object, const char *prefix,
		    bool in_what_if, const char *const *skip, struct screening_request *ret)
{
	struct reading x = { .arena = arena, .d = d, .object = object, .r = ret };

	*ret = (struct screening_request){ .arena = arena };
	faults_init(&ret->faults, arena);
	ret->faults.prefix = prefix;
	if (!json_is_object(object)) {
		fault_at(&x, prefix, "type", "must be an object");
		return;
	}
	refuse_unknown(&x, in_what_if, skip);
	read_subjects(&x);
	if (!member(&x, "rules"))
		faults_member(&ret->faults, "rules", "required", "rules must name at least one rule");
	else if (json_is_array(member(&x, "rules")) && json_array_size(member(&x, "rules")) == 0)
		faults_member(&ret->faults, "rules", "length", "rules must name at least one rule");
	read_keys(&x, "rules", &ret->rules, &ret->n_rules);
	read_keys(&x, "parties", &ret->parties, &ret->n_parties);
	read_keys(&x, "designations", &ret->designations, &ret->n_designations);
	read_contingent(&x);
	if (!in_what_if)
		read_valid_at(&x);
}
